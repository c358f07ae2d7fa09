"""Sample how late the event loop runs its timers."""

from worker import clock as clocks
from worker.telemetry import metrics

_INTERVAL_MS = 250


async def sample_lag(counters: metrics.Metrics, clock: clocks.Clock) -> None:
    """
    Observe the delay of a timer four times a second, until cancelled.

    Whatever blocks the event loop delays every request and every fetch as much. A
    clock that is put back counts as no delay.
    """
    while True:
        due_at = clock.now_ms() + _INTERVAL_MS
        await clock.sleep(_INTERVAL_MS / 1000)
        delay_ms = max(clock.now_ms() - due_at, 0)
        counters.event_loop_lag.observe(delay_ms / 1000)
