"""Persona: a signed event is a wake-up, the fetched inquiry decides."""

from worker.providers.persona.adapter import ENTRY, Adapter, Settings

__all__ = ["ENTRY", "Adapter", "Settings"]
