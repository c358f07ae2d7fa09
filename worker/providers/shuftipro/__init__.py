"""Shufti Pro: a signed callback wakes, the signed answer of ``/status`` decides."""

from worker.providers.shuftipro.adapter import ENTRY, Adapter, Settings

__all__ = ["ENTRY", "Adapter", "Settings"]
