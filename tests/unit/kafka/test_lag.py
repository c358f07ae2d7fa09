"""What is behind counts, taken or not, and a partition that does not get on shows."""

from aiokafka import TopicPartition

from tests.support import clock as clocks
from worker.kafka import lag

_TP = TopicPartition("kyc.events", 3)
_MINUTE = 60_000


def _behind(room: bool) -> tuple[lag.Lag, clocks.ManualClock]:  # noqa: FBT001 -- a test's
    clock = clocks.ManualClock()
    lags = lag.Lag(clock)
    lags.read({_TP: 10})
    lags.observe(_TP, 4, room=room)
    return lags, clock


def _wait(
    lags: lag.Lag, clock: clocks.ManualClock, next_offset: int, *, room: bool = True
) -> None:
    """Let two minutes pass, with the ends read all the time."""
    for _ in range(12):
        clock.advance(_MINUTE // 6)
        lags.read({_TP: 10})
        lags.observe(_TP, next_offset, room=room)


def test_a_paused_partition_is_behind_its_end() -> None:
    """The lag comes of the topic's end, whether anything is fetched or not."""
    lags, _ = _behind(room=False)
    assert lags.records(_TP, 4) == 6
    assert lags.records(_TP, 12) == 0


def test_a_full_partition_stands_and_is_not_stuck() -> None:
    """It is not ready, and starting the process anew would not help."""
    lags, clock = _behind(room=False)
    _wait(lags, clock, 4, room=False)
    assert (lags.blocked_ms(), lags.stuck_ms()) == (2 * _MINUTE, 0)


def test_a_partition_with_room_that_takes_nothing_is_stuck() -> None:
    """Events are there, Kafka answers, and none is taken."""
    lags, clock = _behind(room=True)
    _wait(lags, clock, 4)
    assert lags.blocked_ms() == lags.stuck_ms() == 2 * _MINUTE


def test_an_outage_of_kafka_does_not_make_it_stuck() -> None:
    """Where the ends cannot be read, nothing can be taken either."""
    lags, clock = _behind(room=True)
    for _ in range(12):
        clock.advance(_MINUTE // 6)
        lags.observe(_TP, 4, room=True)
    assert lags.stuck_ms() < _MINUTE


def test_each_event_that_is_taken_is_progress() -> None:
    """However slowly it goes on, and where it is at its end there is nothing to do."""
    lags, clock = _behind(room=True)
    for taken in range(5, 11):
        _wait(lags, clock, taken)
    assert (lags.blocked_ms(), lags.stuck_ms()) == (0, 0)
    clock.advance(_MINUTE)
    assert lags.blocked_ms() == 0


def test_a_partition_of_another_owner_counts_no_more() -> None:
    """What was given away is forgotten."""
    lags, clock = _behind(room=True)
    lags.keep_only(set())
    clock.advance(_MINUTE)
    assert (lags.records(_TP, 0), lags.blocked_ms()) == (0, 0)
