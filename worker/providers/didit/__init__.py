"""Didit: a signed event is a wake-up, the fetched decision decides."""

from worker.providers.didit.adapter import ENTRY, Adapter, Settings

__all__ = ["ENTRY", "Adapter", "Settings"]
