"""A cancellation that leaks out of a library is an error; a task's own is its end."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from worker import cancellation


async def _cancelled() -> None:
    """Await something that its owner has cancelled, as aiokafka 0.14 does."""
    owned = asyncio.get_running_loop().create_future()
    owned.cancel()
    await owned


async def test_a_leaked_cancellation_is_an_error() -> None:
    """``except Exception`` sees it."""
    with (
        pytest.raises(cancellation.LeakedCancellation) as caught,
        cancellation.contained(),
    ):
        await _cancelled()

    assert caught.value.__cause__ is None


async def test_the_cancellation_of_the_task_passes() -> None:
    """A task that is cancelled ends as one that was cancelled."""
    entered = asyncio.Event()

    async def work() -> None:
        with cancellation.contained():
            entered.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(work())
    await entered.wait()
    task.cancel()
    await asyncio.wait([task])

    assert task.cancelled()


async def _waits_inside() -> None:
    with cancellation.contained():
        async with asyncio.timeout(0):
            await asyncio.Event().wait()


async def _waits_outside() -> None:
    async with asyncio.timeout(0):
        with cancellation.contained():
            await asyncio.Event().wait()


@pytest.mark.parametrize("waits", [_waits_inside, _waits_outside])
async def test_a_time_out_stays_a_time_out(
    waits: Callable[[], Awaitable[None]],
) -> None:
    """``asyncio.timeout`` cancels its own task, inside and outside of it."""
    with pytest.raises(TimeoutError):
        await waits()


async def test_after_a_handled_cancellation_the_next_leak_is_an_error() -> None:
    """Whoever handles a cancellation calls ``uncancel``, as the partitions do."""
    found: list[str] = []

    async def work() -> None:
        try:
            with cancellation.contained():
                await asyncio.Event().wait()
        except asyncio.CancelledError:
            task = asyncio.current_task()
            assert task is not None
            task.uncancel()
        try:
            with cancellation.contained():
                await _cancelled()
        except cancellation.LeakedCancellation:
            found.append("leaked")

    task = asyncio.create_task(work())
    await asyncio.sleep(0)
    task.cancel()
    await task

    assert found == ["leaked"]
