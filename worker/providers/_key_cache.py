"""Keep verification keys that a provider publishes by name, and fetch few of them."""

import asyncio
from collections.abc import Awaitable, Callable

from worker import clock as clocks
from worker import errors

_KEPT = 16
_KNOWN_MS = 3_600_000
_UNKNOWN_MS = 300_000
_PER_MINUTE = 10
_MINUTE_MS = 60_000

#: returns the key of that name, None where the provider knows none; raises
#: errors.FetchError
Fetch = Callable[[str], Awaitable[bytes | None]]


class KeyCache:
    """
    Keys by name: bounded, for an hour; names without a key are kept as well.

    Whoever calls us chooses the name, so one fetch runs at a time and few run in a
    minute: a caller that invents names costs the provider no more than that, and
    callbacks signed with a known key are never delayed.
    """

    def __init__(self, fetch: Fetch, clock: clocks.Clock) -> None:
        self._fetch = fetch
        self._clock = clock
        self._known: dict[str, tuple[bytes, int]] = {}
        self._unknown: dict[str, int] = {}
        self._fetched_at: list[int] = []
        self._running: tuple[str, asyncio.Task[bytes | None]] | None = None

    async def get(self, name: str) -> bytes:
        """
        Return the key.

        Raises errors.AuthenticationError where the provider knows none of that name,
        and errors.FetchError where it cannot be asked now.
        """
        now_ms = self._clock.now_ms()
        key, until_ms = self._known.get(name, (b"", 0))
        if until_ms > now_ms:
            return key
        if self._unknown.get(name, 0) <= now_ms:
            found = await self._ask(name, now_ms)
            if found is not None:
                return found
        raise errors.AuthenticationError(errors.AuthCause.WRONG_SIGNATURE)

    async def _ask(self, name: str, now_ms: int) -> bytes | None:
        """Fetch the key, or wait for the fetch of the same name that is running."""
        if self._running is None:
            since_ms = now_ms - _MINUTE_MS
            self._fetched_at = [at for at in self._fetched_at if at > since_ms]
            if len(self._fetched_at) >= _PER_MINUTE:
                raise errors.RateLimited("keys")
            self._fetched_at.append(now_ms)
            task = asyncio.create_task(self._run(name))
            task.add_done_callback(_retrieve)
            self._running = (name, task)
        running, task = self._running
        if running != name:
            raise errors.RateLimited("keys")
        return await asyncio.shield(task)

    async def _run(self, name: str) -> bytes | None:
        try:
            key = await self._fetch(name)
        finally:
            self._running = None
        now_ms = self._clock.now_ms()
        self._known.pop(name, None)
        self._unknown.pop(name, None)
        if key is None:
            self._unknown[name] = now_ms + _UNKNOWN_MS
        else:
            self._known[name] = (key, now_ms + _KNOWN_MS)
        for kept in (self._known, self._unknown):
            while len(kept) > _KEPT:
                del kept[next(iter(kept))]
        return key

    async def close(self) -> None:
        """Cancel the fetch that is running; idempotent."""
        if self._running is not None:
            _, task = self._running
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


def _retrieve(task: asyncio.Task[bytes | None]) -> None:
    """Read the error, so that one that is not awaited is no warning."""
    if not task.cancelled():
        task.exception()
