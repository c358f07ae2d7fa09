"""Biometric.kz "Flow": unsigned webhooks wake us, the result call decides."""

from worker.providers.biometric.adapter import ENTRY, Adapter, Settings

__all__ = ["ENTRY", "Adapter", "Settings"]
