"""Generate the sample sources: one account a provider, with secrets of its own."""

from collections.abc import Sequence
from typing import Any

from worker import providers
from worker.devkit.dev import demo_credentials

#: The source whose signed callback is the verdict.
SIGNED = "idbeyond"
#: The source that asks id beyond for its results instead.
FETCHED = "idbeyond_fetch"

#: Until the simulated providers listen.
_NOWHERE = "http://127.0.0.1:1"
# A person watches: what takes minutes in earnest takes a moment here.
_QUICK: dict[str, Any] = {
    "environment": "test",
    "base_url": _NOWHERE,
    "return_origins": [demo_credentials.ORIGIN],
    "retry": {"first": "200ms", "max": "5s"},
    "not_ready": {"first": "200ms", "max": "2s"},
    "recheck_pending": ["2s", "5s", "15s", "1m", "10m"],
    "recheck_min_interval": "1s",
    "circuit": {"failures": 20, "open": "2s"},
    "denied": {"answers": 5, "over": "15m", "per_minute": 600},
}


def names() -> Sequence[str]:
    """Return one source for each provider; it has the provider's name."""
    return tuple(providers.REGISTRY)


def tables() -> dict[str, dict[str, Any]]:
    """Return the table of each sample source; the secrets are new at every call."""
    return {
        name: {**_QUICK, **table}
        for entry in providers.REGISTRY.values()
        for name, table in entry.sample_sources().items()
    }
