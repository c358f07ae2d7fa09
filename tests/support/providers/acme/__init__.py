"""Acme, a made-up provider: a signed callback wakes, the fetched check decides."""

from tests.support.providers.acme.adapter import ENTRY

__all__ = ["ENTRY"]
