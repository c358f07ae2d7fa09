"""Callbacks that never came: what is counted of them, and what is waited for."""

import dataclasses

from tests.support import inputs
from worker import ledger, model, policy

A, P = inputs.approved, inputs.pending
_PROGRESS = P(model.Reason.IN_PROGRESS)
_DEADLINE = inputs.FETCHED.session_deadline_ms
_POLLED = dataclasses.replace(
    inputs.FETCHED, polling=policy.PollSchedule(max_attempts=15)
)


def _steps(effects: list[ledger.Effect]) -> list[ledger.Milestone]:
    return [
        effect.step for effect in effects if isinstance(effect, ledger.MilestoneReached)
    ]


def _registered(rules: policy.SourcePolicy = inputs.FETCHED) -> inputs.History:
    history = inputs.History(rules)
    history.register()
    return history


def test_a_callback_that_never_came_is_counted() -> None:
    """A final that a poll found, and no callback told, is a missed callback."""
    history = _registered()
    assert _steps(history.fetch(A())) == [ledger.Milestone.CALLBACKS_MISSED]


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
    assert _steps(history.fetch(A())) == [ledger.Milestone.CALLBACKS_MISSED]


def test_of_a_session_that_nobody_registered_no_callback_is_missed() -> None:
    """What only a command named is expected by nobody."""
    history = inputs.History()
    history.recheck()
    history.fetch(_PROGRESS)
    assert _steps(history.fetch(A())) == []


# -- where nothing can be fetched


def test_an_overdue_session_that_nobody_can_ask_about_is_counted_once() -> None:
    """It stays what it is, and ends without a decision after the time it is kept."""
    history = _registered(inputs.SIGNED)
    assert history.apply(ledger.TimerFired()) == []
    history.wait_until_due()
    effects = history.apply(ledger.TimerFired())
    assert effects == [ledger.MilestoneReached(ledger.Milestone.OVERDUE_UNPOLLABLE)]
    assert history.state.due_at == history.now + inputs.SIGNED.overdue_retention_ms
    history.wait_until_due()
    assert history.apply(ledger.TimerFired()) == []
    assert not history.state.open
    assert not history.decisions
    assert history.state.reference == "order-1"


def test_an_overdue_session_is_counted_once() -> None:
    """Also where its expiry is put off, and it is overdue again."""
    history = _registered(inputs.SIGNED)
    history.wait_until_due()
    history.apply(ledger.TimerFired())
    history.register(expires_at=history.now + 60 * inputs.DAY)
    history.wait(60 * inputs.DAY)
    assert _steps(history.apply(ledger.TimerFired())) == []
    assert history.state.open


def test_a_callback_ends_the_wait_for_it() -> None:
    """After the final nothing is due; a pending one is still waited for."""
    history = _registered(inputs.SIGNED)
    history.callback(inputs.signed(P(at=1)))
    assert history.state.due_at == inputs.START + _DEADLINE
    history.callback(inputs.signed(A(at=2)))
    assert history.state.due_at is None


def test_the_deadline_counts_from_the_expiry_where_that_is_asked_for() -> None:
    """Id beyond says when a session expires, and its deadline counts from there."""
    rules = dataclasses.replace(inputs.SIGNED, deadline_after_expiry=True)
    history = inputs.History(rules)
    history.register(expires_at=inputs.START + inputs.HOUR)
    assert (
        history.state.due_at == inputs.START + inputs.HOUR + rules.session_deadline_ms
    )


def test_an_absurd_expiry_is_bounded() -> None:
    """No session is expected to last longer than its identity is kept."""
    history = inputs.History()
    history.register(expires_at=2**45)
    kept = history.rules.session_retention_ms
    assert history.state.due_at == inputs.START + kept
