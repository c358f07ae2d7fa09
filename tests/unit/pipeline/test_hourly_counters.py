"""Hourly summaries of the sessions that ended unseen."""

from tests.support import inputs
from worker import model
from worker.pipeline import hourly_counters

_HOUR = inputs.START - inputs.START % inputs.HOUR
_DENIED = model.DeadLetterReason.DENIED_SESSIONS
_UNKNOWN = model.DeadLetterReason.UNKNOWN_SESSIONS
_START = model.Position(next_offset=0)


def test_an_hour_is_summed_up_when_it_is_over() -> None:
    """Each source has one letter an hour, with the count, once the hour is over."""
    counted = hourly_counters.HourlyCounters(_START)
    counted.count(_DENIED, "a", _HOUR)
    counted.count(_DENIED, "a", _HOUR + inputs.HOUR - 1)
    counted.count(_DENIED, "b", _HOUR + 1)
    counted.count(_DENIED, "a", _HOUR + inputs.HOUR)
    assert counted.completed(_HOUR + inputs.HOUR - 1) == []
    letters = counted.completed(_HOUR + inputs.HOUR)
    assert [(x.source, x.count, x.first_seen_at) for x in letters] == [
        ("a", 2, _HOUR),
        ("b", 1, _HOUR),
    ]
    assert {x.reason for x in letters} == {_DENIED}
    assert counted.counts(_DENIED) == (("a", _HOUR + inputs.HOUR, 1),)


def test_the_denied_and_the_unknown_are_summed_up_apart() -> None:
    """Sessions that nobody registered have a letter of their own."""
    counted = hourly_counters.HourlyCounters(_START)
    counted.count(_DENIED, "a", _HOUR)
    for _ in range(2):
        counted.count(_UNKNOWN, "a", _HOUR)
    assert counted.counts(_DENIED) == (("a", _HOUR, 1),)
    assert counted.counts(_UNKNOWN) == (("a", _HOUR, 2),)
    letters = counted.completed(_HOUR + inputs.HOUR)
    assert {(x.reason, x.count, x.last_error) for x in letters} == {
        (_DENIED, 1, "no_such_session"),
        (_UNKNOWN, 2, None),
    }


def test_counts_go_on_from_the_position() -> None:
    """A new owner goes on counting where the last one stopped."""
    position = model.Position(
        next_offset=9, denied=(("a", _HOUR, 7),), unknown=(("a", _HOUR, 4),)
    )
    counted = hourly_counters.HourlyCounters(position)
    counted.count(_DENIED, "a", _HOUR + 1)
    counted.count(_UNKNOWN, "a", _HOUR + 1)
    assert [x.count for x in counted.completed(_HOUR + inputs.HOUR)] == [8, 5]
