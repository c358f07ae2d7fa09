"""iDenfy: a signed callback wakes, the fetched status decides once it is final."""

from worker.providers.idenfy.adapter import ENTRY, Adapter, Settings

__all__ = ["ENTRY", "Adapter", "Settings"]
