"""Stripe Identity: a signed event is a wake-up, the fetched session decides."""

from worker.providers.stripe.adapter import ENTRY, Adapter, Settings

__all__ = ["ENTRY", "Adapter", "Settings"]
