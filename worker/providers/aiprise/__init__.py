"""AiPrise: a signed callback is a wake-up, the fetched verification decides."""

from worker.providers.aiprise.adapter import ENTRY, Adapter, Settings

__all__ = ["ENTRY", "Adapter", "Settings"]
