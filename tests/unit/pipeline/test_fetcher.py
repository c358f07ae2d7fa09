"""The place that a fetch has in its gate: taken once, given back once."""

import asyncio
import dataclasses

import pytest

from tests.support import clock as clocks
from tests.support import fakes, inputs, pipeline
from worker import clock as clocks_of
from worker import ledger, model
from worker.pipeline import (
    fetcher,
    poison_pill,
    source_limiter,
    source_runtime,
    telemetry,
)


class _Owner:
    """A partition that only listens; implements fetcher.Partition."""

    cautious = False

    def __init__(self, clock: clocks.ManualClock) -> None:
        self.clock: clocks_of.Clock = clock
        self.observer: telemetry.WorkerTelemetry = fakes.Telemetry()
        self.landings = 0

    def apply(self, key: model.SessionKey, found: ledger.Input) -> object:
        """Take it."""
        return key, found

    async def flush(self) -> None:
        """Write nothing."""

    def on_crash(self, error: BaseException) -> None:
        """Fail."""
        raise error

    def on_fetch_done(self, key: model.SessionKey) -> None:
        """Count it."""
        assert key
        self.landings += 1


@pytest.mark.parametrize("turns", [0, 1, 3])
async def test_a_cancelled_fetch_gives_its_place_back(turns: int) -> None:
    """Also one that was cancelled before its first step: it runs no line of its own."""
    clock = clocks.ManualClock()
    limits = dataclasses.replace(pipeline.GATE, concurrency=1)
    bound = source_runtime.SourceRuntime(
        provider=fakes.Provider(),
        rules=inputs.FETCHED,
        gate=source_limiter.SourceLimiter(limits, clock),
    )
    flying = fetcher.Fetcher(_Owner(clock), poison_pill.PoisonPillRegistry())

    def fly() -> bool:
        flying.start(inputs.KEY, 1, inputs.KEY.session_id.upper(), bound, suspect=False)
        return True

    bound.gate.submit(fly, known=True)
    for _ in range(turns):
        await asyncio.sleep(0)
    await flying.close()
    started: list[bool] = []

    def start() -> bool:
        started.append(True)
        return True

    for _ in range(2):
        bound.gate.submit(start, known=True)
    assert started == [True]
    await bound.gate.close()
