"""Ondato: a signed event is a wake-up, two fetched results decide."""

from worker.providers.ondato.adapter import ENTRY, Adapter, Settings

__all__ = ["ENTRY", "Adapter", "Settings"]
