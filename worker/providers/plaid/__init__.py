"""Plaid Identity Verification: a thin callback wakes, the fetched attempt decides."""

from worker.providers.plaid.adapter import ENTRY, SIGNATURE, Adapter, Settings

__all__ = ["ENTRY", "SIGNATURE", "Adapter", "Settings"]
