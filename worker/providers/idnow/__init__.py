"""IDnow: a callback wakes, the fetched identification decides."""

from worker.providers.idnow.adapter import ENTRY, Adapter, Settings

__all__ = ["ENTRY", "Adapter", "Settings"]
