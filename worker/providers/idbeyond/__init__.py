"""id beyond (Uniicy): the signed callback is the verdict, or a result call."""

from worker.providers.idbeyond.adapter import ENTRY, SIGNATURE, Adapter, Settings

__all__ = ["ENTRY", "SIGNATURE", "Adapter", "Settings"]
