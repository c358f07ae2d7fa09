"""Time, retention and crashes: what a session survives."""

import pytest

from tests.support import inputs
from worker import errors, ledger, model

A, R, P = inputs.approved, inputs.rejected, inputs.pending


def test_time_never_runs_backwards_for_a_session() -> None:
    """With the clock an hour back, a session goes on from its own last moment."""
    history = inputs.decided(P())
    last = history.state.updated_at
    history.wait(-inputs.HOUR)
    history.callback()
    assert last == history.state.updated_at == history.state.due_at
    history.start()
    history.answer(A())
    assert last == history.latest.decided_at


def test_a_clock_that_jumps_ahead_ends_nothing() -> None:
    """Days that pass with nobody at work expire, reject and bury no session."""
    history = inputs.History()
    history.callback()
    history.fetch_failing(errors.ProviderFault)
    history.wait(300 * inputs.DAY)
    history.apply(ledger.RetentionExpired())
    history.start()
    assert history.flying
    assert (history.decisions, history.letters) == ([], [])


def test_an_unknown_session_has_nothing_to_tell() -> None:
    """Only an event makes a session known; anything else comes too late."""
    history = inputs.History()
    for late in (
        ledger.FetchStarting(),
        ledger.InterpretStarting(1),
        ledger.FetchSucceeded(1, inputs.result(A())),
        ledger.FetchFailed(1, inputs.failure(errors.NotReady)),
        ledger.RetentionExpired(),
    ):
        assert history.apply(late) == []
    assert history.session is None


def test_a_stub_is_kept_for_its_retention() -> None:
    """An ended session is forgotten once its retention is over, and not before."""
    history = inputs.decided(A())
    history.wait(history.rules.session_retention_ms - 1)
    assert history.apply(ledger.RetentionExpired()) == []
    history.wait(1)
    assert [ledger.DeleteSession()] == history.apply(ledger.RetentionExpired())
    assert history.session is None


def test_an_open_session_is_never_forgotten() -> None:
    """A session with something to do outlives every retention."""
    history = inputs.decided(P())
    history.wait(2 * history.rules.session_retention_ms)
    assert history.apply(ledger.RetentionExpired()) == []
    assert history.state.open


def test_a_late_callback_continues_the_revisions() -> None:
    """While the stub is kept, a late callback goes on with the next revision."""
    history = inputs.decided(A())
    history.wait(history.rules.session_retention_ms - 1)
    history.callback()
    history.fetch(R())
    assert [decision.revision for decision in history.decisions] == [1, 2]


def _flying() -> inputs.History:
    history = inputs.History()
    history.callback()
    history.start()
    return history


def _trailing() -> inputs.History:
    history = _flying()
    history.callback()
    return history


def _retrying() -> inputs.History:
    history = _flying()
    history.fail(errors.ProviderFault)
    return history


def _due() -> inputs.History:
    history = inputs.History()
    history.callback()
    return history


@pytest.mark.parametrize("state", [_due, _flying, _trailing, _retrying])
def test_a_crash_loses_no_wish(state: object) -> None:
    """Whatever a crash interrupts, the session is fetched and decided after it."""
    assert callable(state)
    history = state()
    history.crash()
    assert not history.flying
    history.fetch(A())
    assert model.Outcome.APPROVED is history.latest.verdict.outcome
    assert model.CauseType.CALLBACK is history.latest.cause.type
    assert not history.state.open


def test_a_flight_that_a_crash_ended_is_wanted_at_once() -> None:
    """A new owner fetches at once what was in flight, under a new number."""
    history = _flying()
    history.wait(inputs.SECOND)
    history.crash()
    assert [ledger.Fetch(2)] == history.start()


def test_a_crash_keeps_the_callback_behind_a_poll_as_the_cause() -> None:
    """A callback that trailed a poll is the cause of the fetch after the crash."""
    history = inputs.decided(P())
    history.wait_until_due()
    history.start()
    history.callback()
    history.crash()
    history.fetch(A())
    assert model.CauseType.CALLBACK is history.latest.cause.type


def test_a_crash_changes_no_ended_session() -> None:
    """An ended session is found as it was left."""
    history = inputs.decided(A())
    before = history.session
    history.crash()
    assert before is history.session


def test_the_same_arguments_give_the_same_answer() -> None:
    """Advancing is a function: ids of decisions and dead letters repeat."""
    event = inputs.event(event_id="e-1")
    taken = ledger.CallbackTaken(event, inputs.signed(A()))
    args = (inputs.KEY, None, taken, inputs.START, inputs.SIGNED)
    assert ledger.advance(*args) == ledger.advance(*args)
