"""Take events: wake-ups, signed verdicts, rechecks."""

import dataclasses

from worker import model, policy
from worker.ledger import inputs, state, transition

_CAUSES = {
    model.EventType.CALLBACK_RECEIVED: model.CauseType.CALLBACK,
    model.EventType.RECHECK_REQUESTED: model.CauseType.RECHECK,
    model.EventType.SESSION_REGISTERED: model.CauseType.REGISTRATION,
    model.EventType.SESSION_RETURNED: model.CauseType.RETURN,
    # It names no session, so no session gets it; the ledger handles it all the same.
    model.EventType.PURGE_REQUESTED: model.CauseType.OPERATOR,
}


def cause_of(event: model.Event) -> model.Cause:
    """Return what a decision says of *event* as its cause."""
    called = event.type is model.EventType.CALLBACK_RECEIVED
    return model.Cause(
        type=_CAUSES[event.type],
        event_id=event.event_id,
        received_at=event.received_at if called else None,
        traceparent=event.traceparent,
    )


def new_session(
    event: model.Event, now: int, *, unheard: bool = False
) -> state.Session:
    """Return the state of a session first heard of by *event*."""
    return state.Session(
        provider_session_id=event.provider_session_id,
        first_seen_at=now,
        updated_at=now,
        awaiting_callback=unheard,
    )


def is_stale(callback: inputs.CallbackTaken, rules: policy.SourcePolicy) -> bool:
    """Return whether a signed verdict was too old already when it was received."""
    said_at = callback.event.provider_time
    if callback.claim is None or callback.claim.kind is not model.ClaimKind.SIGNED:
        return False
    return (
        said_at is not None
        and callback.event.received_at - said_at > rules.max_callback_age_ms
    )


def _credibly_dated(
    work: transition.Transition, event: model.Event, verdict: model.Verdict
) -> model.Verdict:
    """Return a signed *verdict*, without its time where that is in the future."""
    said_at = verdict.provider_time
    latest = event.received_at + work.rules.max_clock_skew_ms
    if said_at is None or said_at <= latest:
        return verdict
    work.note(inputs.CounterKind.FUTURE_TIME)
    return dataclasses.replace(verdict, provider_time=None)


def _drop_future_time(work: transition.Transition) -> None:
    """
    Drop the time of a signed verdict that stands, where it was in the future.

    Earlier releases kept such a time; the session's last change is no earlier than
    the receipt of what stands.
    """
    session, standing = work.session, work.session.current_verdict
    if standing is None or standing.provider_time is None:
        return
    received_at = max(session.updated_at, session.observed_at or 0)
    if standing.provider_time > received_at + work.rules.max_clock_skew_ms:
        work.change(current_verdict=dataclasses.replace(standing, provider_time=None))


def take_callback(
    work: transition.Transition, event: model.Event, claim: model.Claim | None
) -> None:
    """Act on a callback once: let a signed verdict settle, else wake."""
    signed = claim is not None and claim.kind is model.ClaimKind.SIGNED
    if signed:
        _drop_future_time(work)
    mark = _mark(event, signed=signed)
    if not _first_time(work, mark) and not work.session.given_up:
        return
    if work.session.awaiting_callback:
        _record_delivery(work)
    cause = cause_of(event)
    if claim is None:
        wake(work, cause)
    elif claim.kind is model.ClaimKind.SIGNED:
        # Anybody who knows the URL may have written another callback: whose session
        # it is, only the fetched result says.
        for kind in claim.alarms:
            work.alarm(kind)
        dated = _credibly_dated(work, event, claim.verdict)
        verdict = work.check_reference(dated, event.reference, cause)
        _settle_signed(work, event, verdict)
    else:
        _remember(work, claim, cause)
        wake(work, cause)


def _record_delivery(work: transition.Transition) -> None:
    """Take note of the first callback of a session that was known before it."""
    work.change(awaiting_callback=False)
    if work.session.registered:
        work.milestone(inputs.Milestone.CALLED_BACK)


def _first_time(work: transition.Transition, mark: str | None) -> bool:
    """Remember *mark*; return False where it has been here before."""
    if mark is None:
        return True
    if mark in work.session.seen_delivery_ids:
        work.note(inputs.CounterKind.REPEATED)
        return False
    seen = (*work.session.seen_delivery_ids, mark)[-state.SEEN_MAX :]
    work.change(seen_delivery_ids=seen)
    return True


def _mark(event: model.Event, *, signed: bool) -> str | None:
    """Return what makes this delivery act once: the provider's id, or the digest."""
    if event.provider_event_id is not None:
        return event.provider_event_id
    return event.digest[:24] if signed and event.digest is not None else None


def _remember(
    work: transition.Transition, claim: model.Claim, cause: model.Cause
) -> None:
    """
    Keep what the callback says until the fetched result can be held against it.

    An approval is never more than that: no unsigned callback approves anybody.
    """
    approves = claim.verdict.outcome is model.Outcome.APPROVED
    if approves or claim.kind is model.ClaimKind.HINT:
        hint = claim.verdict.outcome if claim.verdict.final else None
        work.change(hint=hint)
        return
    kept = state.Unconfirmed(verdict=claim.verdict, since=work.now, cause=cause)
    # Only what the provider denies from now on can confirm it.
    work.change(unconfirmed=kept, confirmations=0)


def wake(work: transition.Transition, cause: model.Cause) -> None:
    """
    Want a fetch that starts after now.

    One in flight, one trailing, never none; after a final at most one each
    ``recheck_min_interval``, deferred and never dropped. For a session that is held
    it is deferred until that is registered.
    """
    if not work.rules.fetches:
        work.note(inputs.CounterKind.NO_FETCH_CONFIGURED)
        return
    session = work.session
    if session.unregistered_cause is not None:
        return
    polls = work.rules.polling.max_attempts
    if session.flight is not None:
        trailing = state.merge_causes(session.queued_cause, cause)
        work.change(queued_cause=trailing, rechecks=0, polls_left=polls)
        return
    earliest = earliest_fetch(work, cause)
    due = earliest if session.due_at is None else min(session.due_at, earliest)
    work.change(
        pending_cause=state.merge_causes(session.pending_cause, cause),
        due_at=due,
        fresh_since=None,
        rechecks=0,
        polls_left=polls,
    )


def earliest_fetch(work: transition.Transition, cause: model.Cause) -> int:
    """
    Return when a fetch may start: now, but the next one over a final a little later.

    So is the next one after a return, which a browser may repeat as it likes.
    """
    session = work.session
    free = not session.final and cause.type is not model.CauseType.RETURN
    recheck = cause.type is model.CauseType.RECHECK
    if recheck or free or session.last_fetch_at is None:
        return work.now
    return max(work.now, session.last_fetch_at + work.rules.recheck_min_interval_ms)


def take_recheck(work: transition.Transition, event: model.Event) -> None:
    """
    Fetch now, whatever the interval; a flight in progress is followed by another.

    One with a ``provider_event_id`` (a redrive, named by its dead letter) acts once.
    """
    if not work.rules.fetches:
        work.note(inputs.CounterKind.NO_FETCH_CONFIGURED)
        return
    if not _first_time(work, event.provider_event_id):
        return
    cause = cause_of(event)
    session = work.session
    if session.flight is not None:
        work.change(queued_cause=cause, rechecks=0)
        return
    # Whoever runs the command vouches for a session that is held.
    work.change(
        pending_cause=cause,
        due_at=work.now,
        fresh_since=None,
        rechecks=0,
        unregistered_cause=None,
    )


def _settle_signed(
    work: transition.Transition, event: model.Event, verdict: model.Verdict
) -> None:
    """Let a signed verdict take its place in the order of the signed ones."""
    _order(work, event, verdict)
    session = work.session
    if (
        session.final
        and session.due_at is not None
        and session.unregistered_cause is None
    ):
        # Nothing was to be fetched: it was its deadline that it waited for.
        work.change(due_at=None, overdue=0)


def _order(
    work: transition.Transition, event: model.Event, verdict: model.Verdict
) -> None:
    cause, standing = cause_of(event), work.session.current_verdict
    if standing is None or (work.session.expired_by_us and verdict.final):
        work.decide(verdict, cause, event.received_at)
        return
    match policy.order_signed(standing, verdict):
        case policy.SignedOrder.NEWER:
            work.decide(verdict, cause, event.received_at)
        case policy.SignedOrder.SAME:
            _keep_latest_time(work, event, standing, verdict)
        case policy.SignedOrder.OLDER:
            work.note(
                inputs.CounterKind.LATE_FINAL
                if verdict.final
                else inputs.CounterKind.STALE_PRELIMINARY
            )
        case policy.SignedOrder.OLDER_REJECTION:
            work.note(inputs.CounterKind.LATE_FINAL)
            _dead_letter_conflict(work, event)
        case policy.SignedOrder.CONFLICT:
            _dead_letter_conflict(work, event)
        case policy.SignedOrder.CONFLICT_WINS:
            _dead_letter_conflict(work, event)
            work.decide(verdict, cause, event.received_at)


def _keep_latest_time(
    work: transition.Transition,
    event: model.Event,
    standing: model.Verdict,
    verdict: model.Verdict,
) -> None:
    """Remember the latest time at which the provider said what stands."""
    latest = policy.latest_time(standing, verdict)
    if latest != standing.provider_time:
        standing = dataclasses.replace(standing, provider_time=latest)
        work.change(current_verdict=standing, observed_at=event.received_at)
    work.note(inputs.CounterKind.REPEATED)


def _dead_letter_conflict(work: transition.Transition, event: model.Event) -> None:
    work.dead_letter(
        model.DeadLetterReason.CONFLICTING_FINAL,
        event_id=event.event_id,
        attempts=1,
        last_error=None,
    )
