"""Name every bound of the ingress."""

import dataclasses
from collections.abc import Mapping

from worker import http_server, rate_limiter

_BURST_S = 10


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


class CallbackLimiter:
    """
    Keep each source within its callbacks a second, so that one starves no other.

    As many as in ten seconds are accepted at once. Only callers that have shown a
    secret may be counted: others could use up what belongs to the provider.
    """

    def __init__(self, rates: Mapping[str, float | None]) -> None:
        self._limiters = {
            name: rate_limiter.RateLimiter(max(rate * _BURST_S, 1), _BURST_S * 1000)
            for name, rate in rates.items()
            if rate is not None
        }

    def try_acquire(self, source: str, now_ms: int) -> bool:
        """Return whether one more callback is accepted, and count it if so."""
        limiter = self._limiters.get(source)
        return limiter is None or limiter.try_acquire(now_ms)
