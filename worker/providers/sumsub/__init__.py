"""Sumsub: a signed callback is a wake-up, the fetched applicant decides."""

from worker.providers.sumsub.adapter import ENTRY, Adapter, Settings

__all__ = ["ENTRY", "Adapter", "Settings"]
