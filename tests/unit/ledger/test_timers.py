"""Sessions that should have ended: deadlines, polls, what they end in."""

import dataclasses

import pytest

from tests.support import inputs
from worker import errors, ledger, model, policy

A, P = inputs.approved, inputs.pending
_PROGRESS = P(model.Reason.IN_PROGRESS)
_DEADLINE = inputs.FETCHED.session_deadline_ms


def _steps(effects: list[ledger.Effect]) -> list[ledger.Milestone]:
    return [
        effect.step for effect in effects if isinstance(effect, ledger.MilestoneReached)
    ]


def _registered(rules: policy.SourcePolicy = inputs.FETCHED) -> inputs.History:
    history = inputs.History(rules)
    history.register()
    return history


def _unfinished(history: inputs.History, *, ready: bool) -> list[ledger.Effect]:
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
    assert steps == [ledger.Milestone.NOT_COMPLETED]
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
        errors.SessionNotFound,
        errors.Unsent,
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
    history.wait(30 * inputs.DAY)
    history.fetch(A())
    assert history.latest.verdict == A()


def test_an_answer_from_before_the_deadline_does_not_count() -> None:
    """The fetch has to start after the deadline, whenever its answer comes."""
    history = _registered()
    history.wait(_DEADLINE - 1)
    history.apply(ledger.EventsLost())
    history.start()
    history.wait(inputs.MINUTE)
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


def test_a_wake_up_during_the_last_attempt_saves_the_session() -> None:
    """What was asked before the callback came says nothing of what it tells."""
    history = _registered()
    for _ in range(history.rules.overdue_attempts - 1):
        history.fetch(_PROGRESS)
    history.wait_until_due()
    history.start()
    history.callback()
    history.answer(_PROGRESS)
    assert not history.state.expired_by_us
    assert inputs.fetches(history.start())


def test_what_is_somebody_elses_is_not_given_up() -> None:
    """Another's unfinished session is a mismatch, and no end of ours."""
    history = _registered()
    for _ in range(5):
        history.fetch(_PROGRESS, reference="order-2")
    reasons = [d.verdict.reason for d in history.decisions]
    assert reasons == [model.Reason.REFERENCE_MISMATCH]


def test_a_pending_session_is_looked_at_at_its_deadline() -> None:
    """No recheck is put off past the deadline."""
    history = _registered()
    history.callback()
    for _ in range(5):
        history.fetch(_PROGRESS)
    assert history.state.due_at == inputs.START + _DEADLINE


def test_a_source_may_leave_the_unfinished_pending() -> None:
    """With ``overdue.reject = false`` they stay pending, and are polled on."""
    rules = dataclasses.replace(inputs.FETCHED, overdue_rejects=False)
    history = _registered(rules)
    for _ in range(rules.overdue_attempts):
        assert not history.decisions
        history.fetch_failing(errors.NotReady)
    assert [d.verdict.reason for d in history.decisions] == [model.Reason.IN_PROGRESS]
    assert history.state.open


def _lapsed() -> inputs.History:
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
    assert not history.state.expired_by_us
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


def test_a_review_that_comes_to_nothing_ends() -> None:
    """Where it is "not finished" again after all, our own end stands."""
    history = _lapsed()
    history.callback()
    history.fetch(P())
    history.fetch(_PROGRESS)
    assert not history.state.open
    assert history.state.overdue == 0
    assert history.latest.verdict.reason is model.Reason.NOT_COMPLETED


def test_a_signed_final_follows_our_own_end() -> None:
    """Also where the source was changed to take callbacks for verdicts."""
    history = _lapsed()
    history.rules = inputs.SIGNED
    history.callback(inputs.signed(A()))
    assert history.latest.verdict == A()
    assert not history.letters


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
        effects += history.fetch_failing(errors.SessionNotFound)
    assert effects.count(ledger.SessionDenied()) == 1
    assert history.state.reference == "order-1"
    history.callback()
    assert history.state.open
