"""Tell the cancellation of a task from one that leaks out of a library."""

import asyncio
import types
from contextlib import AbstractContextManager


class LeakedCancellation(Exception):
    """What a task awaits is cancelled, and the task itself is not."""


class _Contained(AbstractContextManager[None]):
    """Has no state, so that one serves all."""

    __slots__ = ()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: types.TracebackType | None,
    ) -> None:
        """Raise LeakedCancellation for a CancelledError that is not this task's."""
        if kind is None or not issubclass(kind, asyncio.CancelledError):
            return
        task = asyncio.current_task()
        if task is not None and not task.cancelling():
            raise LeakedCancellation from None


_CONTAINED = _Contained()


def contained() -> AbstractContextManager[None]:
    """
    Let a library's cancellation be an error like any other.

    A library may cancel what it waits for itself and let the CancelledError out
    (``Fetcher.close`` of aiokafka 0.14 does). ``except Exception`` does not see it, so
    it would end the task, as if the process were ending. LeakedCancellation is raised
    instead, unless this task was cancelled.
    """
    return _CONTAINED
