"""Veriff: a signed callback is a wake-up, the fetched decision decides."""

from worker.providers.veriff.adapter import ENTRY, Adapter, Settings

__all__ = ["ENTRY", "Adapter", "Settings"]
