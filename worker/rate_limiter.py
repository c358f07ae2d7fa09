"""Limit how often something happens for each key, in bounded memory."""

import collections
from collections.abc import Hashable

#: keys that are remembered at once; the least recently used ones are forgotten
_KEYS = 100_000
#: what the sum of fractions may be off
_ROUNDING_MS = 0.001


class RateLimiter:
    """
    Allow each key *limit* uses at once, then *limit* more spread evenly over *per_ms*.

    This is the generic cell rate algorithm: a key costs one number, and a key that has
    not been used for *per_ms* is forgotten. It refuses instead of waiting, and its time
    is its caller's; for calls that wait see pipeline/source_limiter.py.
    """

    __slots__ = ("_full_at", "_interval_ms", "_per_ms")

    def __init__(self, limit: float, per_ms: int = 60_000) -> None:
        """*limit* is at least 1."""
        self._per_ms = per_ms
        self._interval_ms = per_ms / limit
        #: when each key has its whole *limit* again; the least recently used first
        self._full_at: collections.OrderedDict[Hashable, float] = (
            collections.OrderedDict()
        )

    def __len__(self) -> int:
        """Return how many keys are remembered."""
        return len(self._full_at)

    def try_acquire(self, now_ms: int, key: Hashable = None) -> bool:
        """Return whether *key* is allowed once more at *now_ms*, and count it if so."""
        self._forget(now_ms)
        full_at = max(self._full_at.get(key, 0.0), now_ms)
        if full_at - now_ms > self._per_ms:  # the clock was set back
            full_at = now_ms
        used_at = full_at + self._interval_ms
        if used_at - now_ms > self._per_ms + _ROUNDING_MS:
            return False
        self._full_at[key] = used_at
        self._full_at.move_to_end(key)
        return True

    def _forget(self, now_ms: int) -> None:
        """Drop keys that have their whole limit, and the oldest one of too many."""
        while self._full_at:
            key, full_at = next(iter(self._full_at.items()))
            if full_at > now_ms and len(self._full_at) < _KEYS:
                return
            del self._full_at[key]
