"""Sessions that should have ended: deadlines, polls, what they end in."""

import dataclasses

import pytest

from tests.support import ledger as told
from worker import errors, ledger, model, policy

A, P = told.approved, told.pending
_PROGRESS = P(model.Reason.IN_PROGRESS)
_DEADLINE = told.FETCHED.session_deadline_ms
_POLLED = dataclasses.replace(told.FETCHED, polling=policy.Polling(times=15))


def _steps(effects: list[ledger.Effect]) -> list[ledger.Step]:
    return [effect.step for effect in effects if isinstance(effect, ledger.Reached)]


def _registered(rules: policy.Rules = told.FETCHED) -> told.History:
    history = told.History(rules)
    history.register()
    return history


def _unfinished(history: told.History, *, ready: bool) -> list[ledger.Effect]:
    """Let the fetch that is due be answered with "not finished"."""
    return history.fetch(_PROGRESS) if ready else history.fetch_failing(errors.NotReady)


@pytest.mark.parametrize("ready", [True, False], ids=["in_progress", "not_ready"])
def test_a_session_that_nobody_completes_is_rejected(*, ready: bool) -> None:
    """It takes the deadline, and attempts after it that are answered."""
    history = _registered()
    waits, steps = [], []
    for _ in range(history.rules.overdue_attempts):
        assert not history.state.final
        due = history.state.due_at
        assert due is not None
        waits.append(due - history.now)
        steps += _steps(_unfinished(history, ready=ready))
    assert waits == [_DEADLINE, *history.rules.recheck_pending_ms[:2]]
    assert steps == [ledger.Step.NOT_COMPLETED]
    verdict = history.latest.verdict
    assert verdict.reason is model.Reason.NOT_COMPLETED
    assert (verdict.final, verdict.retryable) == (True, True)
    assert verdict.next_step is model.NextStep.NEW_SESSION
    assert history.latest.cause.type is model.CauseType.POLL
    assert history.latest.observed_at == history.now
    assert not history.state.open


def test_an_unfinished_session_tells_nothing_before_its_end() -> None:
    """Answers that there is no result yet make no decision."""
    history = _registered()
    history.fetch_failing(errors.NotReady)
    assert not history.decisions


@pytest.mark.parametrize(
    "error",
    [
        errors.ProviderFault,
        errors.ProviderTimeout,
        errors.ProviderUnreachable,
        errors.NoSuchSession,
        errors.NotAsked,
        errors.RateLimited,
    ],
)
def test_what_is_no_answer_ends_no_session(error: type[errors.FetchError]) -> None:
    """An error, silence or "no such session" is not "not finished"."""
    history = _registered()
    for _ in range(3):
        history.fetch_failing(error)
    assert not history.decisions
    assert history.state.overdue == 0
    assert history.state.open


@pytest.mark.parametrize(
    "reason",
    [model.Reason.UNDER_REVIEW, model.Reason.RESUBMISSION_REQUESTED],
)
def test_a_session_that_somebody_works_on_is_not_given_up(
    reason: model.Reason,
) -> None:
    """A review, or a person asked to come back, is not "not finished"."""
    history = _registered()
    for _ in range(8):
        history.fetch(P(reason))
    assert [d.verdict.reason for d in history.decisions] == [reason]
    assert history.state.open


def test_workers_that_were_down_expire_nobody() -> None:
    """However long after its deadline, a session is asked for before anything."""
    history = _registered()
    history.wait(30 * told.DAY)
    history.fetch(A())
    assert history.latest.verdict == A()


def test_an_answer_from_before_the_deadline_does_not_count() -> None:
    """The fetch has to start after the deadline, whenever its answer comes."""
    history = _registered()
    history.wait(_DEADLINE - 1)
    history.tell(ledger.EventsLost())
    history.start()
    history.wait(told.MINUTE)
    history.answer(_PROGRESS)
    assert history.state.overdue == 0
    history.fetch(_PROGRESS)
    assert history.state.overdue == 1


def test_a_wake_up_after_the_deadline_is_no_attempt() -> None:
    """Somebody is at it: what is not ready a moment later ends nothing."""
    history = _registered()
    history.wait(_DEADLINE + 1)
    history.callback()
    for _ in range(10):
        history.fetch_failing(errors.NotReady)
    assert not history.decisions
    assert history.state.overdue == 0


def test_a_pending_session_is_looked_at_at_its_deadline() -> None:
    """No recheck is put off past the deadline."""
    history = _registered()
    history.callback()
    for _ in range(5):
        history.fetch(_PROGRESS)
    assert history.state.due_at == told.START + _DEADLINE


def test_a_source_may_leave_the_unfinished_pending() -> None:
    """With ``overdue.reject = false`` they stay pending, and are polled on."""
    rules = dataclasses.replace(told.FETCHED, overdue_rejects=False)
    history = _registered(rules)
    for _ in range(rules.overdue_attempts):
        assert not history.decisions
        history.fetch_failing(errors.NotReady)
    assert [d.verdict.reason for d in history.decisions] == [model.Reason.IN_PROGRESS]
    assert history.state.open


def _lapsed() -> told.History:
    history = _registered()
    for _ in range(history.rules.overdue_attempts):
        history.fetch(_PROGRESS)
    return history


def test_a_late_final_of_the_provider_s_follows() -> None:
    """Our own end gives way to the provider's, as a new revision."""
    history = _lapsed()
    history.callback()
    history.fetch(A())
    assert history.latest.verdict == A()
    assert history.latest.supersedes == history.decisions[-2].decision_id
    assert not history.state.lapsed
    assert not history.state.open


def test_a_late_review_is_followed_to_its_end() -> None:
    """A preliminary changes no final; but what goes on at the provider is polled."""
    history = _lapsed()
    history.callback()
    history.fetch(P())
    assert len(history.decisions) == 2
    assert history.latest.verdict.reason is model.Reason.NOT_COMPLETED
    history.fetch(A())
    assert history.latest.verdict == A()


def test_nothing_goes_on_of_what_is_still_not_finished() -> None:
    """A late "not finished" over our own end is nothing to poll for."""
    history = _lapsed()
    history.callback()
    history.fetch(_PROGRESS)
    assert not history.state.open


def test_a_registered_session_that_the_provider_denies_stays_known() -> None:
    """It is counted as any that is denied; what the company said of it is kept."""
    history = _registered()
    effects: list[ledger.Effect] = []
    while history.state.open:
        effects += history.fetch_failing(errors.NoSuchSession)
    assert effects.count(ledger.DeniedEnd()) == 1
    assert history.state.reference == "order-1"
    history.callback()
    assert history.state.open


# -- callbacks that never came


def test_a_callback_that_never_came_is_counted() -> None:
    """A final that a poll found, and no callback told, is a missed callback."""
    history = _registered()
    assert _steps(history.fetch(A())) == [ledger.Step.CALLBACK_MISSED]


def test_a_callback_that_came_is_not_missed() -> None:
    """It may have found the session unfinished: it was heard all the same."""
    history = _registered()
    history.callback()
    history.fetch(_PROGRESS)
    assert _steps(history.fetch(A())) == []


def test_after_a_return_a_callback_is_not_missed_at_once() -> None:
    """It is as often after the return as before it; a minute later it is missing."""
    history = _registered(_POLLED)
    history.come_back()
    assert _steps(history.fetch(A())) == []
    history = _registered(_POLLED)
    history.come_back()
    history.wait(_POLLED.recheck_min_interval_ms)
    assert _steps(history.fetch(A())) == [ledger.Step.CALLBACK_MISSED]


def test_of_a_session_that_nobody_registered_no_callback_is_missed() -> None:
    """What only a command named is expected by nobody."""
    history = told.History()
    history.recheck()
    history.fetch(_PROGRESS)
    assert _steps(history.fetch(A())) == []


# -- where nothing can be fetched


def test_an_overdue_session_that_nobody_can_ask_about_is_counted_once() -> None:
    """It stays what it is, and ends without a decision after the time it is kept."""
    history = _registered(told.SIGNED)
    assert history.tell(ledger.WaitOver()) == []
    history.wait_until_due()
    effects = history.tell(ledger.WaitOver())
    assert effects == [ledger.Reached(ledger.Step.OVERDUE_UNPOLLABLE)]
    assert history.state.due_at == history.now + told.SIGNED.overdue_kept_ms
    history.wait_until_due()
    assert history.tell(ledger.WaitOver()) == []
    assert not history.state.open
    assert not history.decisions
    assert history.state.reference == "order-1"


def test_a_callback_ends_the_wait_for_it() -> None:
    """After the final nothing is due; a pending one is still waited for."""
    history = _registered(told.SIGNED)
    history.callback(told.signed(P(at=1)))
    assert history.state.due_at == told.START + _DEADLINE
    history.callback(told.signed(A(at=2)))
    assert history.state.due_at is None


def test_the_deadline_counts_from_the_expiry_where_that_is_asked_for() -> None:
    """Id beyond says when a session expires, and its deadline counts from there."""
    rules = dataclasses.replace(told.SIGNED, deadline_after_expiry=True)
    history = told.History(rules)
    history.register(expires_at=told.START + told.HOUR)
    assert history.state.due_at == told.START + told.HOUR + rules.session_deadline_ms


def test_an_absurd_expiry_is_bounded() -> None:
    """No session is expected to last longer than its identity is kept."""
    history = told.History()
    history.register(expires_at=2**45)
    kept = history.rules.identity_retention_ms
    assert history.state.due_at == told.START + kept
