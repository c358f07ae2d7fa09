"""End what has waited too long: by what the provider answers, never by the clock."""

from worker import model, policy
from worker.ledger import inputs, state, transition

_SCHEDULED = (model.CauseType.POLL, model.CauseType.RETURN)


def is_polling_overdue(work: transition.Transition, flight: state.Flight) -> bool:
    """
    Return whether "not finished" as the answer of *flight* counts against the session.

    It does if the session is past its deadline, and was when the fetch started, and
    no wake-up has just said that the person is at it: only slow polls count.
    """
    session = work.session
    if not session.registered or session.final or session.queued_cause is not None:
        return False
    slow = flight.cause.type is model.CauseType.POLL and not session.polls_left
    deadline = work.deadline
    return slow and deadline is not None and flight.started_at >= deadline


def is_enough(work: transition.Transition) -> bool:
    """Return whether so many answers counted as it takes to end a session."""
    return work.session.overdue >= work.rules.overdue_attempts


def is_over(work: transition.Transition) -> bool:
    """Return whether the session ends by the answers that counted."""
    return work.rules.overdue_rejects and is_enough(work)


def end(
    work: transition.Transition,
    flight: state.Flight,
    status: str | None,
    observed_at: int,
) -> None:
    """
    End a session that was not completed; *status* is the provider's last word.

    It is final, and our own: a final of the provider's that comes later follows it.
    """
    work.change(overdue=0)
    work.milestone(inputs.Milestone.NOT_COMPLETED)
    verdict = policy.rejected(model.Reason.NOT_COMPLETED, status=status)
    work.decide(verdict, flight.cause, observed_at, lapsed=True)


def miss_callback(
    work: transition.Transition, before: state.Session, flight: state.Flight
) -> None:
    """
    Count a registered session's final that polling found without a callback.

    A return comes before its callback as often as after it: for a while after one
    the callback is not missed yet.
    """
    if not before.registered or flight.cause.type not in _SCHEDULED:
        return
    after = work.session
    ended = after.final and not after.expired_by_us
    soon = (
        before.returned_at is not None
        and flight.started_at < before.returned_at + work.rules.recheck_min_interval_ms
    )
    if ended and not soon:
        work.milestone(inputs.Milestone.CALLBACKS_MISSED)


def timer_fired(work: transition.Transition, *, behind: bool) -> None:
    """End a hold, or what waits for a callback that is all there can be."""
    session = work.session
    due = session.due_at
    if session.flight is not None or due is None or due > work.now:
        return
    if session.unregistered_cause is None:
        if not work.rules.fetches:
            _wait_on(work)
    elif behind:
        later = work.now + max(work.rules.registration_grace_ms, 1)
        work.change(due_at=later)
    else:
        evict_hold(work)


def evict_hold(work: transition.Transition) -> None:
    """End a session that is held and was never registered."""
    if work.session.unregistered_cause is None:
        return
    work.note(inputs.CounterKind.UNKNOWN)
    work.effects.append(inputs.UnregisteredExpired())
    work.ended = True


def discard(work: transition.Transition, *, purged: bool) -> None:
    """End a session that is unanswered; any other one goes on as it is."""
    if not work.session.unanswered:
        return
    work.note(inputs.CounterKind.PURGED if purged else inputs.CounterKind.DROPPED)
    work.effects.append(inputs.UnregisteredExpired())
    work.ended = True


def expire_retention(work: transition.Transition) -> None:
    """Forget an ended session whose identity has been kept for long enough."""
    age = work.now - work.session.updated_at
    if not work.session.open and age >= work.rules.session_retention_ms:
        work.effects.append(inputs.DeleteSession())
        work.ended = True


def _wait_on(work: transition.Transition) -> None:
    """
    Count a session whose callback is overdue; wait on, and at last wait no more.

    Nothing can be fetched: what is current remains, and nothing is decided.
    """
    session, deadline = work.session, work.deadline
    if deadline is None or session.final:
        due = None
    elif work.now < deadline:
        due = deadline
    elif work.now < deadline + work.rules.overdue_retention_ms:
        due = deadline + work.rules.overdue_retention_ms
    else:
        due = None
    overdue = int(deadline is not None and work.now >= deadline and due is not None)
    if overdue > session.overdue:
        work.milestone(inputs.Milestone.OVERDUE_UNPOLLABLE)
    work.change(due_at=due, overdue=overdue)
