"""Jumio: an unsigned callback wakes, the fetched workflow execution decides."""

from worker.providers.jumio.adapter import ENTRY, Adapter, Settings

__all__ = ["ENTRY", "Adapter", "Settings"]
