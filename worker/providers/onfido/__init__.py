"""Onfido: a signed event is a wake-up, the fetched workflow run or check decides."""

from worker.providers.onfido.adapter import ENTRY, Adapter, Settings

__all__ = ["ENTRY", "Adapter", "Settings"]
