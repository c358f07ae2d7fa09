"""Let many callers share one run of the same work."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

_T = TypeVar("_T")


class SingleFlight(Generic[_T]):
    """
    One run at a time: callers that join while it lasts get the same result.

    A caller that is cancelled leaves the run to the others.
    """

    def __init__(self) -> None:
        self._task: asyncio.Task[_T] | None = None

    async def join(self, work: Callable[[], Awaitable[_T]]) -> _T:
        """Return what the run in progress returns, or raises; start it if none is."""
        if self._task is None:
            self._task = asyncio.create_task(self._run(work))
            self._task.add_done_callback(_retrieve)
        return await asyncio.shield(self._task)

    async def _run(self, work: Callable[[], Awaitable[_T]]) -> _T:
        try:
            return await work()
        finally:
            self._task = None

    async def close(self) -> None:
        """End the run in progress; idempotent."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError, Exception):
                await task


def _retrieve(task: asyncio.Task[_T]) -> None:
    """Read the error, so that one that is not awaited is no warning."""
    if not task.cancelled():
        task.exception()
