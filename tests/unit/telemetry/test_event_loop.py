"""The lag of the event loop, on a clock that is moved by hand."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from tests.support import clock as clocks
from tests.unit.telemetry import kit
from worker.telemetry import event_loop, metrics

_NAME = "kyc_event_loop_lag_seconds"


@contextlib.asynccontextmanager
async def _sampled(
    counters: metrics.Metrics, clock: clocks.ManualClock
) -> AsyncIterator[None]:
    sampling = asyncio.create_task(event_loop.sample_lag(counters, clock))
    await clocks.turns()
    yield
    await clocks.turns()
    sampling.cancel()
    await asyncio.gather(sampling, return_exceptions=True)


@pytest.mark.parametrize(("passed_ms", "lag_s"), [(250, 0), (290, 0.04), (2250, 2)])
async def test_lag_is_what_a_timer_is_late(passed_ms: int, lag_s: float) -> None:
    """A loop that is blocked for two seconds runs the timer two seconds late."""
    counters, clock = metrics.Metrics([]), clocks.ManualClock()
    async with _sampled(counters, clock):
        clock.advance(passed_ms)

    assert kit.value(counters, f"{_NAME}_count") == 1
    assert kit.value(counters, f"{_NAME}_sum") == lag_s


async def test_a_clock_that_is_put_back_is_no_lag() -> None:
    """No sample is negative, and the sampling goes on."""
    counters, clock = metrics.Metrics([]), clocks.ManualClock()
    async with _sampled(counters, clock):
        clock.set_back(60_000)
        clock.advance(250)
        await clocks.turns()
        clock.advance(300)

    assert kit.value(counters, f"{_NAME}_count") == 2
    assert kit.value(counters, f"{_NAME}_sum") == 0.05
