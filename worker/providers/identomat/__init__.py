"""Identomat: a callback wakes, ``POST …/result/`` decides."""

from worker.providers.identomat.adapter import ENTRY, SIGNATURE, Adapter, Settings

__all__ = ["ENTRY", "SIGNATURE", "Adapter", "Settings"]
