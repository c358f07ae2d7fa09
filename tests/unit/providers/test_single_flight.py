"""Sharing one run of the same work."""

import asyncio

import pytest

from worker.providers import _single_flight


class _Work:
    """Work that waits until it is let go, and counts its runs."""

    def __init__(self, failure: Exception | None = None) -> None:
        self.runs = 0
        self.go = asyncio.Event()
        self.failure = failure

    async def __call__(self) -> int:
        """Wait, then fail or return the number of the run."""
        self.runs += 1
        run = self.runs
        await self.go.wait()
        if self.failure is not None:
            raise self.failure
        return run


async def _joined(
    flight: _single_flight.SingleFlight[int], work: _Work, many: int
) -> list[object]:
    """Let *many* callers join before the work is let go."""
    tasks = [asyncio.create_task(flight.join(work)) for _ in range(many)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    work.go.set()
    return list(await asyncio.gather(*tasks, return_exceptions=True))


async def test_callers_share_one_run() -> None:
    """All who come while it lasts get its value; the next one starts anew."""
    flight, work = _single_flight.SingleFlight[int](), _Work()

    assert await _joined(flight, work, 5) == [1] * 5
    assert await flight.join(work) == 2


async def test_callers_share_one_failure() -> None:
    """A failure is everybody's, and is not kept."""
    flight, work = _single_flight.SingleFlight[int](), _Work(LookupError())

    failures = await _joined(flight, work, 3)
    work.failure = None

    assert [type(failure) for failure in failures] == [LookupError] * 3
    assert await flight.join(work) == 2


async def test_a_cancelled_caller_leaves_the_run_to_the_others() -> None:
    """Who gives up ends his waiting and nothing else."""
    flight, work = _single_flight.SingleFlight[int](), _Work()
    first = asyncio.create_task(flight.join(work))
    second = asyncio.create_task(flight.join(work))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    work.go.set()

    assert await second == 1
    assert work.runs == 1


async def test_closing_ends_the_run() -> None:
    """Nothing is left running; closing again is fine."""
    flight, work = _single_flight.SingleFlight[int](), _Work()
    waiting = asyncio.create_task(flight.join(work))
    await asyncio.sleep(0)
    await flight.close()
    await flight.close()

    with pytest.raises(asyncio.CancelledError):
        await waiting
