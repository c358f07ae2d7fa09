"""Bound the ingress: how much at once, for how long, and how often."""

import collections
import dataclasses

from worker import http_server

_MINUTE_MS = 60_000


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Every bound of the ingress; times in seconds."""

    #: requests handled at once, their bodies whole; beyond it 503 at once
    max_in_flight: int = 1000
    #: for a request's whole body
    read_timeout_s: float = 10.0
    connections: http_server.ConnectionLimits = dataclasses.field(
        default_factory=http_server.ConnectionLimits
    )
    #: what a 503 asks for, in whole seconds
    retry_after_s: int = 5
    #: dead letters ``unmappable`` a minute and source
    unmappable_per_minute: int = 10


class RateLimiter:
    """Allow at most *limit* in any minute."""

    __slots__ = ("_limit", "_spent")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._spent: collections.deque[int] = collections.deque()

    def try_acquire(self, now_ms: int) -> bool:
        """Return whether one more is allowed at *now_ms*, and count it if so."""
        # A clock that was set back forgets, rather than refuse until it has caught up.
        while self._spent and not 0 <= now_ms - self._spent[0] < _MINUTE_MS:
            self._spent.popleft()
        if len(self._spent) >= self._limit:
            return False
        self._spent.append(now_ms)
        return True
