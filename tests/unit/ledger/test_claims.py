"""What a callback claimed of a session that the provider denies."""

import dataclasses

import pytest

from tests.support import inputs
from worker import errors, ledger, model, policy

A, R, P = inputs.approved, inputs.rejected, inputs.pending
CLAIM = inputs.unconfirmed()


def _denied(history: inputs.History) -> list[ledger.Effect]:
    return history.fetch_failing(errors.SessionNotFound)


def test_a_callback_is_not_believed_at_once() -> None:
    """A claim whose data is gone waits for the grace time, as pending or nothing."""
    history = inputs.History()
    history.callback(CLAIM)
    while history.now - inputs.START < history.rules.unconfirmed_grace_ms:
        assert history.decisions == []
        _denied(history)
    assert model.Outcome.REJECTED is history.latest.verdict.outcome
    assert history.latest.verdict.flags == (model.Flag.UNCONFIRMED,)
    assert history.now - inputs.START == history.rules.unconfirmed_grace_ms


def test_a_believed_callback_is_the_cause() -> None:
    """An unconfirmed rejection names the callback, and when it was received."""
    history = inputs.History()
    history.callback(CLAIM)
    effects: list[ledger.Effect] = []
    while not history.decisions:
        effects = _denied(history)
    assert ledger.CounterKind.UNCONFIRMED in inputs.notes(effects)
    assert model.CauseType.CALLBACK is history.latest.cause.type
    assert history.latest.observed_at == inputs.START
    assert not history.state.open


def test_an_unconfirmed_session_never_ends_unseen() -> None:
    """What an authentic callback claimed is decided, not summed up."""
    history = inputs.History()
    history.callback(CLAIM)
    history.wait(inputs.DAY)
    while history.state.open:
        _denied(history)
    assert (len(history.decisions), history.letters) == (1, [])


def test_one_denial_confirms_no_claim() -> None:
    """However late the first answer comes, n denials since the callback believe it."""
    history = inputs.History()
    history.callback()
    for _ in range(history.rules.not_found_attempts - 1):
        _denied(history)
    history.callback(CLAIM)
    history.wait(inputs.DAY)
    answers = 0
    while not history.decisions:
        _denied(history)
        answers += 1
    assert answers == history.rules.not_found_attempts


def test_a_denial_that_started_before_the_claim_does_not_confirm_it() -> None:
    """What was asked before the callback came says nothing about it."""
    history = inputs.History()
    history.callback()
    history.start()
    history.wait(inputs.SECOND)
    history.callback(CLAIM)
    history.fail(errors.SessionNotFound)
    assert history.state.confirmations == 0


def test_what_refutes_a_claim_is_written() -> None:
    """With fast polls, too: a crash does not bring the refuted claim back."""
    polling = policy.PollSchedule(max_attempts=3)
    history = inputs.History(dataclasses.replace(inputs.FETCHED, polling=polling))
    history.callback()
    history.fetch(P(model.Reason.IN_PROGRESS))
    history.callback(CLAIM)
    effects = history.fetch(P(model.Reason.IN_PROGRESS))
    assert history.state.unconfirmed is None
    assert ledger.SkipPersist() not in effects


def test_a_pending_session_takes_the_claim() -> None:
    """A claim holds over a state that is not final."""
    history = inputs.decided(P())
    history.callback(CLAIM)
    while len(history.decisions) < 2:
        _denied(history)
    assert model.Outcome.REJECTED is history.latest.verdict.outcome


def test_a_claim_never_revokes_a_final() -> None:
    """A claim that contradicts a final is a conflict and an alarm, and no decision."""
    history = inputs.decided(A())
    history.wait(inputs.HOUR)
    history.callback(CLAIM)
    effects: list[ledger.Effect] = []
    while history.state.open:
        effects = _denied(history)
    assert inputs.alarms(effects) == [model.AlarmKind.CONFLICTING_FINAL]
    assert [letter.reason for letter in history.letters] == [
        model.DeadLetterReason.CONFLICTING_FINAL
    ]
    assert len(history.decisions) == 1
    assert not history.state.open


def test_a_claim_that_agrees_with_a_final_is_no_conflict() -> None:
    """A claim with the same outcome as the final that stands changes nothing."""
    history = inputs.decided(R())
    history.wait(inputs.HOUR)
    history.callback(CLAIM)
    while history.state.open:
        assert inputs.alarms(_denied(history)) == []
    assert len(history.decisions) == 1


def test_a_younger_result_refutes_the_claim() -> None:
    """A result fetched after the callback stands; its claim is forgotten."""
    history = inputs.History()
    history.callback(CLAIM)
    history.fetch(P())
    assert history.state.unconfirmed is None
    history.wait(inputs.DAY)
    _denied(history)
    assert len(history.decisions) == 1


def test_an_older_result_does_not_refute_the_claim() -> None:
    """A result whose fetch started before the callback says nothing about it."""
    history = inputs.History()
    history.callback()
    history.start()
    history.wait(inputs.SECOND)
    history.callback(CLAIM)
    history.answer(P())
    while len(history.decisions) < 2:
        _denied(history)
    assert history.latest.verdict.flags == (model.Flag.UNCONFIRMED,)


def test_a_result_after_an_older_claim_refutes_it_with_a_callback_trailing() -> None:
    """A result younger than the claim refutes it, whatever else has come meanwhile."""
    history = inputs.History()
    history.callback(CLAIM)
    history.wait(inputs.SECOND)
    history.start()
    history.callback()
    history.answer(P())
    assert history.state.unconfirmed is None


@pytest.mark.parametrize(
    "error", [errors.NotReady, errors.ResultMismatch, errors.ProviderFault]
)
def test_trouble_does_not_refute_the_claim(error: type[errors.FetchError]) -> None:
    """Failures between the callback and the denial leave its claim as it is."""
    history = inputs.History()
    history.callback(CLAIM)
    for _ in range(history.rules.not_ready_attempts):
        if history.state.due_at is not None:
            history.fetch_failing(error)
    history.recheck()
    history.wait(history.rules.unconfirmed_grace_ms)
    for _ in range(history.rules.not_found_attempts):
        _denied(history)
    assert history.latest.verdict.flags == (model.Flag.UNCONFIRMED,)


def test_the_grace_time_outlives_a_crash() -> None:
    """A claim is part of the state, so a new owner goes on with its grace time."""
    history = inputs.History()
    history.callback(CLAIM)
    history.start()
    history.crash()
    history.wait(history.rules.unconfirmed_grace_ms)
    for _ in range(history.rules.not_found_attempts):
        _denied(history)
    assert model.Outcome.REJECTED is history.latest.verdict.outcome
