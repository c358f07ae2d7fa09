"""Bound how often one begun session may be woken by who comes back."""

import collections

_MINUTE_MS = 60_000
#: held at once, the latest; each needs a ticket of ours, so that few are ever reached
_KEYS = 100_000

Key = tuple[str, str]


class RateLimiter:
    """Allow each key so many times in the minute that begins with its first."""

    def __init__(self, per_minute: int) -> None:
        self._per_minute = per_minute
        #: when the minute of each began, and how often it was used; the oldest first
        self._used: collections.OrderedDict[Key, tuple[int, int]] = (
            collections.OrderedDict()
        )

    def __len__(self) -> int:
        """Return how many keys are held."""
        return len(self._used)

    def try_acquire(self, key: Key, now_ms: int) -> bool:
        """Return whether *key* is allowed once more at *now_ms*, and count it if so."""
        self._forget(now_ms)
        began_ms, times = self._used.get(key, (now_ms, 0))
        if times >= self._per_minute:
            return False
        self._used[key] = (began_ms, times + 1)
        return True

    def _forget(self, now_ms: int) -> None:
        """Drop what is over a minute old; a clock that was set back drops all."""
        while self._used:
            key, (began_ms, _) = next(iter(self._used.items()))
            if 0 <= now_ms - began_ms < _MINUTE_MS and len(self._used) < _KEYS:
                return
            del self._used[key]
