"""Hourly summaries of the sessions that ended unseen."""

from tests.support import ledger as told
from worker import model
from worker.pipeline import summaries

_HOUR = told.START - told.START % told.HOUR


def test_an_hour_is_summed_up_when_it_is_over() -> None:
    """Each source has one letter an hour, with the count, once the hour is over."""
    counted = summaries.Summaries(())
    counted.count("a", _HOUR)
    counted.count("a", _HOUR + told.HOUR - 1)
    counted.count("b", _HOUR + 1)
    counted.count("a", _HOUR + told.HOUR)
    assert counted.ripe(_HOUR + told.HOUR - 1) == []
    letters = counted.ripe(_HOUR + told.HOUR)
    assert [(x.source, x.count, x.first_seen_at) for x in letters] == [
        ("a", 2, _HOUR),
        ("b", 1, _HOUR),
    ]
    assert {x.reason for x in letters} == {model.DeadLetterReason.DENIED_SESSIONS}
    assert counted.counts == (("a", _HOUR + told.HOUR, 1),)


def test_counts_go_on_from_the_position() -> None:
    """A new owner goes on counting where the last one stopped."""
    counted = summaries.Summaries((("a", _HOUR, 7),))
    counted.count("a", _HOUR + 1)
    assert [x.count for x in counted.ripe(_HOUR + told.HOUR)] == [8]
