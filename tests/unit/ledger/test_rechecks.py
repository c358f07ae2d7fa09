"""Rechecks: the command, the polls of a pending session, a gap in the topic."""

from collections.abc import Callable

import pytest

from tests.support import inputs
from worker import ledger, model

A, R, P = inputs.approved, inputs.rejected, inputs.pending

Tell = Callable[[inputs.History], list[ledger.Effect]]


def test_a_recheck_ignores_the_interval() -> None:
    """The recheck command fetches now, although a final was just fetched."""
    history = inputs.decided(A())
    history.recheck()
    assert history.now == history.state.due_at
    history.fetch(R())
    assert model.CauseType.RECHECK is history.latest.cause.type


def test_a_recheck_during_the_flight_is_followed_by_another_fetch() -> None:
    """A recheck during a flight is fetched right after it, whatever that brought."""
    history = inputs.History()
    history.callback()
    history.start()
    history.recheck()
    history.callback()
    history.answer(A())
    assert history.now == history.state.due_at
    history.fetch(R())
    assert model.CauseType.RECHECK is history.latest.cause.type


def test_a_recheck_of_an_unknown_session_makes_it_known() -> None:
    """The recheck command is the way to backfill: it needs no callback before it."""
    history = inputs.History()
    history.recheck()
    history.fetch(A())
    assert [decision.revision for decision in history.decisions] == [1]


def test_a_recheck_of_a_signed_source_is_counted_only() -> None:
    """Where nothing can be fetched, a recheck or a mere wake-up leaves no session."""
    history = inputs.History(inputs.SIGNED)
    assert inputs.notes(history.recheck()) == [ledger.CounterKind.NO_FETCH_CONFIGURED]
    assert inputs.notes(history.callback()) == [ledger.CounterKind.NO_FETCH_CONFIGURED]
    assert history.session is None


def _polled() -> inputs.History:
    """Return a pending session that is polled seldom by now."""
    history = inputs.decided(P())
    for _ in range(3):
        history.fetch(P())
    return history


def _next_poll(history: inputs.History) -> int:
    history.fetch(P())
    return (history.state.due_at or 0) - history.now


@pytest.mark.parametrize("in_flight", [False, True])
@pytest.mark.parametrize("tell", [inputs.History.callback, inputs.History.recheck])
def test_any_wake_up_begins_the_polls_again(tell: Tell, *, in_flight: bool) -> None:
    """After a callback or a recheck, in a flight or not, polls are frequent again."""
    history = _polled()
    if in_flight:
        history.wait_until_due()
        history.start()
    tell(history)
    if in_flight:
        history.answer(P())
    assert history.rules.recheck_ms(0) == _next_poll(history)


def test_a_redrive_acts_once() -> None:
    """A recheck under the name of its dead letter is not repeated by a replay."""
    history = inputs.decided(A())
    redrive = inputs.event(
        model.EventType.RECHECK_REQUESTED, provider_event_id="dead-letter-1"
    )
    history.apply(ledger.RecheckTaken(redrive))
    history.fetch(A())
    again = history.apply(ledger.RecheckTaken(redrive))
    assert inputs.notes(again) == [ledger.CounterKind.REPEATED]
    assert history.state.due_at is None


def test_lost_events_fetch_an_open_session_again() -> None:
    """After a gap in the topic an open session is fetched at once, by a poll."""
    history = inputs.decided(P())
    history.apply(ledger.EventsLost())
    assert history.now == history.state.due_at
    history.fetch(A())
    assert model.CauseType.POLL is history.latest.cause.type


def test_lost_events_keep_the_interval_over_a_final() -> None:
    """A wake-up that waits for the interval is not fetched before it, gap or not."""
    history = inputs.decided(A())
    history.wait(1)
    history.callback()
    due_at = history.state.due_at
    history.apply(ledger.EventsLost())

    assert due_at == history.state.due_at
    history.wait(inputs.HOUR)
    history.apply(ledger.EventsLost())
    assert history.now == history.state.due_at
