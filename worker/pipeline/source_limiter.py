"""Let fetches of one source start: concurrency, rate, circuit, Retry-After, budget."""

import asyncio
import collections
import contextlib
import dataclasses
from collections.abc import Callable

import aiolimiter

from worker import clock
from worker import clock as clocks
from worker.pipeline import circuit_breaker

#: Starts a fetch and returns True, or returns False where none is due any more.
Start = Callable[[], bool]

_MINUTE_MS = 60_000
_Queue = collections.OrderedDict[Start, None]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a source may set of its gate."""

    concurrency: int
    rate_per_s: float | None
    circuit_failure_threshold: int
    circuit_open_for_ms: int
    denied_per_minute: int


class SourceLimiter:
    """
    One source's gate in this process, shared by its partitions.

    What may not start yet waits here as a callable only: its intent stands in the
    ledger. A worker takes its share of the limits: limit x owned / all partitions.
    """

    def __init__(self, limits: Limits, clock: clocks.Clock) -> None:
        self._limits = limits
        self._clock = clock
        self._circuit = circuit_breaker.CircuitBreaker(
            failure_threshold=limits.circuit_failure_threshold,
            open_for_ms=limits.circuit_open_for_ms,
        )
        # Ordered, and not deques: what waits may be taken out of the middle.
        self._known: _Queue = collections.OrderedDict()
        self._unknown: _Queue = collections.OrderedDict()
        self._denied: collections.deque[int] = collections.deque()
        self._running = 0
        self._held_from = self._held_until = 0
        self._concurrency = limits.concurrency
        #: how many may run at once after Retry-After: half as many as before, and one
        #: more for each answer. What let a few pass refuses a crowd again, and each
        #: refusal costs us a record; a refusal of one session's alone costs little.
        self._window = limits.concurrency
        self._limiter: aiolimiter.AsyncLimiter | None = None
        self._changed = asyncio.Event()
        self._dispatcher: asyncio.Task[None] | None = None
        self.set_share(1, 1)

    @property
    def waiting(self) -> int:
        """Return how many fetches wait here."""
        return len(self._known) + len(self._unknown)

    @property
    def in_flight(self) -> int:
        """Return how many fetches use a place of the concurrency."""
        return self._running

    @property
    def paused_until_ms(self) -> int:
        """Return when the latest Retry-After ends; 0 before the first one."""
        return self._held_until

    @property
    def tripped(self) -> bool:
        """Return whether the circuit is open or half open."""
        return self._circuit.is_open

    @property
    def budget_spent(self) -> bool:
        """Return whether the provider's denials have used up this minute's budget."""
        now = self._clock.now_ms()
        while self._denied and not now - _MINUTE_MS < self._denied[0] <= now:
            self._denied.popleft()
        return len(self._denied) >= self._limits.denied_per_minute

    def set_share(self, owned: int, partitions: int) -> None:
        """Take the share of the source's limits that *owned* partitions stand for."""
        share = max(owned, 1) / partitions
        self._concurrency = max(1, round(self._limits.concurrency * share))
        if self._limits.rate_per_s is not None:
            rate = self._limits.rate_per_s * share
            # A bucket of one: no burst above the rate the provider was promised.
            self._limiter = aiolimiter.AsyncLimiter(1, 1 / rate)
        self._changed.set()

    def submit(self, start: Start, *, known: bool) -> None:
        """
        Call *start* as soon as the source has room.

        *known* is false for a session that only callbacks have named: those
        come after all others, and wait when the budget of denials is spent. *start* is
        compared with others by its identity.
        """
        (self._known if known else self._unknown)[start] = None
        self._look()

    def promote(self, start: Start) -> None:
        """Move *start* before those of sessions that only callbacks have named."""
        if start in self._unknown:
            del self._unknown[start]
            self.submit(start, known=True)

    def withdraw(self, start: Start) -> None:
        """Forget *start*, if it still waits: its session has ended."""
        self._known.pop(start, None)
        self._unknown.pop(start, None)

    def _look(self) -> None:
        """Start what may start at once, and let the rest be looked after."""
        if self._dispatcher is None or self._dispatcher.done():
            if self._limiter is None:
                self._start_ready()
            if self.waiting:
                self._dispatcher = asyncio.create_task(self._dispatch())
        else:
            self._changed.set()

    def finish(
        self,
        *,
        failed: bool,
        conclusive: bool = True,
        retry_after_ms: int | None = None,
    ) -> None:
        """
        Give a slot back after a fetch.

        *failed* counts against the circuit, unless the fetch was not *conclusive*.
        """
        self._running -= 1
        now = self._clock.now_ms()
        if not conclusive:
            self._circuit.abandon()
        elif failed:
            self._circuit.fail(now)
        else:
            self._circuit.succeed()
            self._window = min(self._window + 1, self._limits.concurrency)
        if retry_after_ms is not None:
            # A hold from before the clock was put back is over.
            held = self._held_until if self._held_from <= now else 0
            self._held_from, self._held_until = now, max(held, now + retry_after_ms)
            if held <= now:  # a new refusal, and not another one of the same crowd
                self._window = max(min(self._window, self._concurrency) // 2, 1)
        self._changed.set()
        if self._limiter is None:
            self._start_ready()

    def record_not_found(self) -> None:
        """Count an answer that the session does not exist against the budget."""
        self._denied.append(self._clock.now_ms())

    async def close(self) -> None:
        """Forget what waits; its intents stand in the ledger."""
        self._known.clear()
        self._unknown.clear()
        if self._dispatcher is not None:
            self._dispatcher.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._dispatcher

    def _next(self) -> _Queue | None:
        if self._known:
            return self._known
        return self._unknown if self._unknown and not self.budget_spent else None

    def _blocked_ms(self) -> int | None:
        """Return how long nothing may start: 0 for now, None until something ends."""
        now = self._clock.now_ms()
        if self._running >= min(self._concurrency, self._window):
            return None
        if self._held_from <= now < self._held_until:
            return self._held_until - now
        if self._next() is None:
            return self._denied[0] + _MINUTE_MS - now if self._unknown else None
        return self._circuit.wait_ms(now)

    def _start_one(self) -> bool:
        """Start what is next; return whether it took a slot."""
        queue = self._next()
        if queue is None:
            return False
        start, _ = queue.popitem(last=False)
        if not start():
            return False
        self._running += 1
        self._circuit.start()
        return True

    def _start_ready(self) -> None:
        while self.waiting and self._blocked_ms() == 0:
            self._start_one()

    async def _dispatch(self) -> None:
        """Start what waits, as it may; ends when nothing does."""
        while self.waiting:
            self._changed.clear()
            blocked = self._blocked_ms()
            if blocked == 0:
                if self._limiter is not None:
                    await self._limiter.acquire()
                    if self._blocked_ms() != 0:
                        continue
                self._start_one()
            else:
                seconds = None if blocked is None else blocked / 1000
                await clock.wait_event_or_timeout(self._changed, self._clock, seconds)
