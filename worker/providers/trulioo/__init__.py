"""Trulioo: a signed event is a wake-up, the exported client decides."""

from worker.providers.trulioo.adapter import ENTRY, Adapter, Settings

__all__ = ["ENTRY", "Adapter", "Settings"]
