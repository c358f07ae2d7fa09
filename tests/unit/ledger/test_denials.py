"""Sessions that the provider denies: the quiet end, a deadline, a letter."""

import dataclasses

import pytest

from tests.support import inputs
from worker import errors, ledger, model

A, R, P = inputs.approved, inputs.rejected, inputs.pending


def _denied(history: inputs.History) -> list[ledger.Effect]:
    return history.fetch_failing(errors.SessionNotFound)


def test_a_denial_is_counted_and_asked_again() -> None:
    """One denial is counted against the budget and decides nothing."""
    history = inputs.History()
    history.callback()
    assert inputs.notes(_denied(history)) == [ledger.CounterKind.DENIED]
    assert history.now + history.rules.retry.initial_delay_ms == history.state.due_at


def test_an_undecided_session_ends_unseen() -> None:
    """After n denials over the set time a never decided session ends: no letter."""
    history = inputs.History()
    history.callback()
    answers = 0
    effects: list[ledger.Effect] = []
    while history.session is not None:
        effects = _denied(history)
        answers += 1
    assert ledger.SessionDenied() in effects
    assert answers >= history.rules.not_found_attempts
    assert history.now - inputs.START >= history.rules.not_found_within_ms
    assert (history.letters, history.decisions) == ([], [])


def test_time_alone_ends_no_denied_session() -> None:
    """Fewer than n denials end nothing, however much time is between them."""
    history = inputs.History()
    history.callback()
    for _ in range(history.rules.not_found_attempts - 1):
        _denied(history)
        history.wait(inputs.DAY)
    assert history.state.open


def test_denials_alone_end_no_session() -> None:
    """Any number of denials before the set time ends nothing."""
    history = inputs.History()
    for _ in range(5 * history.rules.not_found_attempts):
        history.callback()
        history.start()
        history.fail(errors.SessionNotFound)
    assert history.state.open


@pytest.mark.parametrize(
    "error", [errors.ProviderTimeout, errors.ProviderFault, errors.ProviderUnreachable]
)
def test_an_outage_is_no_denial(error: type[errors.FetchError]) -> None:
    """Outages, time-outs and 5xx never end a session unseen."""
    history = inputs.History()
    history.callback()
    for _ in range(30):
        history.fetch_failing(error)
    assert history.state.open
    assert history.state.denials == 0


def test_a_callback_during_the_last_denial_is_fetched_first() -> None:
    """A session that is about to end unseen first follows its trailing wake-up."""
    history = inputs.History()
    history.callback()
    while (
        history.state.due_at or 0
    ) - inputs.START < history.rules.not_found_within_ms:
        _denied(history)
    history.wait_until_due()
    history.start()
    history.callback()
    history.fail(errors.SessionNotFound)
    assert history.now == history.state.due_at


def test_a_session_that_ended_unseen_begins_again() -> None:
    """A callback after the quiet end is a new session's first."""
    history = inputs.History()
    history.callback()
    while history.session is not None:
        _denied(history)
    history.callback()
    history.fetch(A())
    assert history.latest.revision == 1


def test_a_decided_session_that_is_denied_is_buried() -> None:
    """A pending session that is gone at the provider ends in a dead letter."""
    history = inputs.decided(P())
    while history.state.due_at is not None:
        _denied(history)
    assert [letter.reason for letter in history.letters] == [
        model.DeadLetterReason.FETCH_EXHAUSTED
    ]
    assert history.letters[0].last_error == "no_such_session"
    assert model.Reason.PROVIDER_UNAVAILABLE is history.latest.verdict.reason


@pytest.mark.parametrize("verdict", [A(), R()])
def test_a_denial_after_a_final_is_repeated_and_then_buried(
    verdict: model.Verdict,
) -> None:
    """What stands, stands; a wake-up that only denials answer reaches a person."""
    history = inputs.decided(verdict)
    history.wait(inputs.HOUR)
    history.callback()
    called, answers = history.now, 0
    effects: list[ledger.Effect] = []
    while history.state.open:
        assert history.letters == []
        effects = _denied(history)
        answers += 1
    assert answers >= history.rules.not_found_attempts
    assert history.now - called >= history.rules.not_found_within_ms
    assert inputs.alarms(effects) == [model.AlarmKind.FETCH_EXHAUSTED]
    assert [letter.last_error for letter in history.letters] == ["no_such_session"]
    assert len(history.decisions) == 1


def test_a_revocation_that_shows_late_is_found() -> None:
    """A cancellation is listed a moment after the result is gone: it is not lost."""
    history = inputs.decided(A())
    history.wait(inputs.HOUR)
    history.callback()
    _denied(history)
    history.fetch(R())
    assert model.Outcome.REJECTED is history.latest.verdict.outcome


def test_each_denial_asks_for_an_answer_from_after_its_fetch_started() -> None:
    """What one denial was read from is no second denial."""
    history = inputs.decided(A())
    history.wait(inputs.HOUR)
    history.callback()
    for _ in range(3):
        history.wait_until_due()
        history.start()
        assert history.state.fresh_since == history.now
        history.fail(errors.Unsent)
        fresh = history.now
        history.wait_until_due()
        history.start()
        assert history.state.fresh_since == fresh
        history.fail(errors.SessionNotFound)


@pytest.mark.parametrize("decides", [False, True])
def test_a_registered_session_that_is_denied_early_waits_for_its_deadline(
    *, decides: bool
) -> None:
    """Denials before the deadline end nothing: it is polled at its deadline."""
    history = inputs.History()
    history.register()
    deadline = history.state.due_at
    assert deadline == inputs.START + history.rules.session_deadline_ms
    history.callback(provider_event_id="once")
    if decides:
        history.fetch(P())
        history.recheck()
    while history.state.due_at != deadline:
        assert inputs.alarms(_denied(history)) in (
            [],
            [model.AlarmKind.FETCH_EXHAUSTED],
        )
    assert history.now < deadline
    assert len(history.letters) == decides
    # The same delivery may come again: nothing has answered it.
    history.callback(provider_event_id="once")
    assert history.state.due_at == history.now
    history.fetch(A())
    assert model.Outcome.APPROVED is history.latest.verdict.outcome


def test_a_registered_session_ends_by_denials_after_its_deadline() -> None:
    """Of the denials that end it, n are of fetches that started after the deadline."""
    history = inputs.History(dataclasses.replace(inputs.FETCHED, not_found_within_ms=0))
    history.register()
    deadline = inputs.START + history.rules.session_deadline_ms
    history.wait(history.rules.session_deadline_ms - inputs.SECOND)
    history.callback()
    after = 0
    effects: list[ledger.Effect] = []
    while history.state.open:
        history.wait_until_due()
        history.start()
        after += history.now >= deadline
        effects = history.fail(errors.SessionNotFound)
    assert ledger.SessionDenied() in effects
    assert after >= history.rules.not_found_attempts
    assert history.now - deadline >= history.rules.not_found_within_ms


def test_a_hint_is_never_believed() -> None:
    """Where the callback is a hint only, a denied session ends unseen."""
    history = inputs.History()
    history.callback(inputs.hint(R()))
    while history.session is not None:
        _denied(history)
    assert history.decisions == []


def test_a_result_ends_the_count_of_denials() -> None:
    """Denials count until the provider answers: then they begin again."""
    history = inputs.History()
    history.callback()
    for _ in range(3 * history.rules.not_found_attempts):
        history.fetch_failing(errors.SessionNotFound)
        history.recheck()
        history.fetch(P())
        assert (history.state.denials, history.state.denied_since) == (0, None)
    assert history.letters == []


def test_no_unsigned_callback_approves() -> None:
    """Whatever an adapter claims: where the result is gone, nobody is approved."""
    history = inputs.History()
    history.callback(model.Claim(model.ClaimKind.UNCONFIRMED, inputs.approved()))
    while history.session is not None and history.state.open:
        history.fetch_failing(errors.SessionNotFound)
    assert not history.decisions


def test_after_a_crash_the_trailing_wake_up_asks_anew() -> None:
    """What was read for the fetch that is lost may be older than the wake-up."""
    history = inputs.History()
    history.callback()
    history.start()
    history.wait(inputs.SECOND)
    history.callback()
    history.crash()
    history.start()
    assert history.state.fresh_since == history.now
