"""Apply what the company reports: a session was started, an end user has returned."""

from worker import model
from worker.ledger import callbacks, inputs, state, transition


def take_registration(work: transition.Transition, event: model.Event) -> None:
    """
    Keep what the company says of a session that it began; the same again is nothing.

    Its reference is believed. Where the provider's own says another, the outcome is
    pending ``reference_mismatch`` until the provider's agrees, also where the final
    verdict is what comes with the differing one; over a final that was published
    there is the alarm and no more. Of two registrations that differ the first stands.
    What a held callback said is said now.
    """
    before, held = work.session, work.session.unregistered_cause
    expires_at = before.expires_at if event.expires_at is None else event.expires_at
    begin_id = event.begin_id if before.begin_id is None else before.begin_id
    known = (before.begin_id, before.expires_at) == (begin_id, expires_at)
    cause = callbacks.cause_of(event)
    if before.registered:
        if event.reference not in (None, before.reference):
            work.alarm(model.AlarmKind.REFERENCE_MISMATCH)
        if known:
            return
    awaited = work.deadline
    registered_at = min(event.received_at, work.now)
    work.change(
        registered_at=before.registered_at if before.registered else registered_at,
        begin_id=begin_id,
        expires_at=expires_at,
        unregistered_cause=None,
    )
    if not before.registered:
        work.milestone(inputs.Milestone.REGISTERED)
        if not before.awaiting_callback:
            work.milestone(inputs.Milestone.CALLED_BACK)
        work.register(event.reference, cause)
    if held is not None:
        _release(work, held)
    _await(work, awaited)


def _release(work: transition.Transition, held: model.Cause) -> None:
    """Release what was held: a wake-up, or a verdict that is not published yet."""
    session = work.session
    if work.rules.fetches:
        polls = work.rules.polling.max_attempts
        work.change(
            pending_cause=held, due_at=work.now, fresh_since=None, polls_left=polls
        )
        return
    work.change(due_at=None)
    if session.current_verdict is not None and not session.revision:
        work.re_emit_current(held)


def _await(work: transition.Transition, awaited: int | None) -> None:
    """Look at the deadline at the latest; *awaited* is what it was before."""
    session, deadline = work.session, work.deadline
    if session.final or session.flight is not None or deadline is None:
        return
    due, deadline = session.due_at, max(deadline, work.now)
    moved = due == awaited and session.pending_cause is None
    if due is None or due > deadline or moved:
        work.change(due_at=deadline)


def hold(work: transition.Transition, callback: inputs.CallbackTaken) -> None:
    """Hold the first callback of a session that may yet be registered."""
    signed = (
        callback.claim is not None and callback.claim.kind is model.ClaimKind.SIGNED
    )
    if not signed and not work.rules.fetches:
        return
    work.note(inputs.CounterKind.AWAITING_REGISTRATION)
    work.change(
        unregistered_cause=callbacks.cause_of(callback.event),
        due_at=work.now + max(work.rules.registration_grace_ms, 1),
    )


def take_return(work: transition.Transition, event: model.Event) -> None:
    """
    Look at the session of a person who is back, if it is the one that began there.

    The first return starts the fast polls; any other is one wake-up more, at most one
    each ``recheck_min_interval``, so that a browser that repeats itself costs little.
    A final of the provider's has answered them all.
    """
    session = work.session
    if (
        not session.registered
        or session.begin_id is None
        or session.begin_id != event.begin_id
    ):
        work.note(inputs.CounterKind.RETURN_IGNORED)
        return
    first = session.returned_at is None
    if first:
        work.change(returned_at=work.now, polls_left=0, rechecks=0)
        session = work.session
        work.milestone(inputs.Milestone.RETURNED)
    if not work.rules.fetches or (session.final and not session.expired_by_us):
        return
    _schedule_fetch(work, callbacks.cause_of(event), first=first)


def _schedule_fetch(
    work: transition.Transition, cause: model.Cause, *, first: bool
) -> None:
    session = work.session
    polls = work.rules.polling.max_attempts if first else session.polls_left
    if session.flight is not None:
        if session.queued_cause is None:
            work.change(queued_cause=cause, polls_left=polls)
        return
    at_once = first and not session.final
    due = work.now if at_once else callbacks.earliest_fetch(work, cause)
    if session.due_at is not None and session.due_at <= due:
        if not first:
            # What is wanted already starts after this.
            work.change(fresh_since=None)
            return
        due = session.due_at
    wanted = state.merge_causes(session.pending_cause, cause)
    work.change(pending_cause=wanted, due_at=due, fresh_since=None, polls_left=polls)
