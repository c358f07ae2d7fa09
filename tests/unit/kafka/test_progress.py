"""A consumer that is built again and again without a record makes no progress."""

import pytest

from tests.support import clock as clocks
from worker import settings
from worker.kafka import progress

_WORKER = settings.Worker.model_validate(
    {"restart_backoff": "500ms", "restart_backoff_max": "3s"}
)


def _rebuilt(
    clock: clocks.ManualClock,
    one: progress.Progress,
    times: int,
    *,
    excused: bool = False,
) -> None:
    """Build consumers that poll once in vain and then fail, a second each."""
    for _ in range(times):
        one.restart()
        one.polled(records=False)
        one.failed(excused=excused)
        clock.advance(1000)


def test_rebuilding_alone_is_no_progress() -> None:
    """A few consumers may fail; after that the time stands still."""
    clock = clocks.ManualClock()
    one = progress.Progress(_WORKER, clock)
    _rebuilt(clock, one, 20)
    stood_at = one.at
    assert clock.now_ms() - stood_at > 14_000

    _rebuilt(clock, one, 20)

    assert stood_at == one.at


def test_a_record_is_progress() -> None:
    """Whatever failed before."""
    clock = clocks.ManualClock()
    one = progress.Progress(_WORKER, clock)
    _rebuilt(clock, one, 20)

    one.polled(records=True)

    assert one.at == clock.now_ms()


def test_a_consumer_that_lasts_is_progress() -> None:
    """There may be no record to take."""
    clock = clocks.ManualClock()
    one = progress.Progress(_WORKER, clock)
    _rebuilt(clock, one, 20)
    one.restart()
    clock.advance(3000)
    one.polled(records=False)
    assert one.at < clock.now_ms()

    clock.advance(1000)
    one.polled(records=False)

    assert one.at == clock.now_ms()


def test_an_outage_of_kafka_is_no_reason_to_end_the_process() -> None:
    """A new process would wait for Kafka, too."""
    clock = clocks.ManualClock()
    one = progress.Progress(_WORKER, clock)

    _rebuilt(clock, one, 40, excused=True)

    assert clock.now_ms() - one.at == 1000


@pytest.mark.parametrize("failures", [1, 2, 3, 10, 2_000])
def test_the_back_off_has_its_limit_and_a_jitter(failures: int) -> None:
    """Twice as long each time, up to ``restart_backoff_max``, never all at once."""
    one = progress.Progress(_WORKER, clocks.ManualClock())
    for _ in range(failures - 1):
        one.failed(excused=True)
    waits = {_WORKER.backoff.delay_ms(failures, n / 50) for n in range(51)}
    longest = min(500 * 2 ** min(failures - 1, 16), 3000)

    assert longest / 2 <= one.failed(excused=True) <= longest
    assert longest / 2 <= min(waits) <= max(waits) <= longest
