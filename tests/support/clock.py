"""Bring a clock that a test moves by hand."""

import asyncio
import heapq
import itertools


class ManualClock:
    """
    A clock that stands still until ``advance``; whoever sleeps wakes by it.

    ``set_back`` moves the time alone: what sleeps goes on sleeping.
    """

    def __init__(self, now_ms: int = 1_760_000_000_000) -> None:
        self._now_ms = now_ms
        self._slept_ms = 0
        self._order = itertools.count()
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []

    def now_ms(self) -> int:
        """Return milliseconds since the epoch."""
        return self._now_ms

    async def sleep(self, seconds: float) -> None:
        """Wait until the clock was advanced by *seconds*."""
        future = asyncio.get_running_loop().create_future()
        until = self._slept_ms + seconds * 1000
        heapq.heappush(self._sleepers, (until, next(self._order), future))
        await future

    def advance(self, milliseconds: int) -> None:
        """Let *milliseconds* pass, and wake whoever slept so long."""
        self._now_ms += milliseconds
        self._slept_ms += milliseconds
        while self._sleepers and self._sleepers[0][0] <= self._slept_ms:
            _, _, future = heapq.heappop(self._sleepers)
            if not future.done():
                future.set_result(None)

    def set_back(self, milliseconds: int) -> None:
        """Correct a clock that was *milliseconds* ahead."""
        self._now_ms -= milliseconds


async def turns(count: int = 50) -> None:
    """Let whatever can run do so, without any time passing."""
    for _ in range(count):
        await asyncio.sleep(0)
