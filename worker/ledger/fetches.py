"""Start fetches, and take what they brought: results, failures, denials."""

import dataclasses

from worker import errors, model, policy
from worker.ledger import callbacks, inputs, state, turn

_POLL = model.Cause(type=model.CauseType.POLL)


def start(work: turn.Turn) -> None:
    """Start the fetch that is due; changes nothing where none is."""
    session = work.session
    due = session.due_at
    if session.flight is not None or due is None or due > work.now:
        return
    seq = session.seq + 1
    flight = state.Flight(seq=seq, started_at=work.now, cause=session.wanted or _POLL)
    work.session = dataclasses.replace(
        session,
        seq=seq,
        flight=flight,
        wanted=None,
        due_at=None,
        last_fetch_at=work.now,
    )
    work.effects.append(inputs.Fetch(seq))


def look_again(work: turn.Turn) -> None:
    """Bring the next fetch of an open session forward to now."""
    session = work.session
    if session.due_at is not None:
        work.session = dataclasses.replace(
            session, wanted=session.wanted or _POLL, due_at=work.now
        )


def start_mapping(work: turn.Turn, flight: state.Flight) -> None:
    """Count an attempt before it is made; give up after too many."""
    if work.session.tries >= work.rules.quarantine_attempts:
        _give_up(work, flight, model.DeadLetterReason.QUARANTINED, "quarantined")
        return
    work.session = dataclasses.replace(work.session, tries=work.session.tries + 1)


def take_result(work: turn.Turn, flight: state.Flight, result: model.Result) -> None:
    """Let a fetched verdict stand, unless it is preliminary after a final."""
    session = work.session
    for kind in result.alarms:
        work.alarm(kind)
    verdict = result.verdict
    work.session = dataclasses.replace(
        settled(session),
        hint=_compared(work, verdict),
        unconfirmed=_outlasting(session, flight),
    )
    work.refer(result.reference, flight.cause)
    if session.final and not verdict.final:
        work.note(inputs.NoteKind.LATE_PRELIMINARY)
    else:
        work.decide(verdict, flight.cause, result.observed_at)
    _go_on(work)


def _compared(work: turn.Turn, verdict: model.Verdict) -> model.Outcome | None:
    """Hold the callback's hint against *verdict*; return what is still to be held."""
    session = work.session
    if session.trailing is not None or not verdict.final:
        return session.hint  # the hint may be younger than this fetch
    if session.hint is not None and session.hint is not verdict.outcome:
        work.alarm(model.AlarmKind.HINT_DIFFERS)
    return None


def _outlasting(
    session: state.Session, flight: state.Flight
) -> state.Unconfirmed | None:
    """Return the callback's claim unless the result is younger, and so refutes it."""
    claim = session.unconfirmed
    if claim is None or session.trailing is None or claim.since < flight.started_at:
        return None
    return claim


def settled(session: state.Session) -> state.Session:
    """
    Return *session* with every count of trouble back at zero.

    A callback's claim outlasts trouble: only the provider's answer settles it.
    """
    return dataclasses.replace(
        session,
        flight=None,
        tries=0,
        failures=0,
        failing_since=None,
        not_ready=0,
        denials=0,
        denied_since=None,
    )


def _go_on(work: turn.Turn) -> None:
    """Want what comes next: the trailing wake-up, a recheck of a pending, nothing."""
    session = work.session
    if session.trailing is not None:
        _follow(work, session.trailing)
    elif not session.final:
        wait = work.rules.recheck_ms(session.rechecks)
        work.session = dataclasses.replace(
            session, wanted=_POLL, due_at=work.now + wait, rechecks=session.rechecks + 1
        )
    else:
        work.session = dataclasses.replace(session, rechecks=0)


def _follow(work: turn.Turn, trailing: model.Cause) -> None:
    """Want the fetch that a wake-up during the last one asked for."""
    due = callbacks.earliest_fetch(work, trailing)
    work.session = dataclasses.replace(
        work.session, trailing=None, wanted=trailing, due_at=due
    )


def take_failure(
    work: turn.Turn, flight: state.Flight, failure: inputs.Failure, *, counted: bool
) -> None:
    """Do what the failure's disposition says."""
    match failure.disposition:
        case errors.Disposition.NOT_READY:
            _not_ready(work, flight)
        case errors.Disposition.DENIED:
            _denied(work, flight)
        case errors.Disposition.DEAD_LETTER:
            _limited(work, flight, failure, counted=counted)
        case errors.Disposition.ACCOUNT:
            work.alarm(model.AlarmKind.ACCOUNT_REFUSED)
            if not work.session.final:
                work.decide(_unavailable(work), flight.cause, work.now)
            _later(work, flight, failure)
        case (
            errors.Disposition.RETRY_NOW
            | errors.Disposition.RETRY_LATER
            | errors.Disposition.CRASH
            | errors.Disposition.REFUSE
        ):
            _later(work, flight, failure)


def _retry(work: turn.Turn, flight: state.Flight, wait_ms: int) -> None:
    """Want the same again after *wait_ms*, or as soon as a trailing wake-up may."""
    session, due = work.session, work.now + wait_ms
    if session.trailing is not None:
        due = min(due, callbacks.earliest_fetch(work, session.trailing))
    work.session = dataclasses.replace(
        session,
        flight=None,
        trailing=None,
        wanted=state.earlier(flight.cause, session.trailing),
        due_at=due,
    )


def _not_ready(work: turn.Turn, flight: state.Flight) -> None:
    count = work.session.not_ready + 1
    work.note(inputs.NoteKind.NOT_READY)
    if count < work.rules.not_ready_attempts:
        work.session = dataclasses.replace(work.session, not_ready=count)
        _retry(work, flight, work.rules.not_ready.delay_ms(count))
        return
    work.session = settled(work.session)
    if work.session.standing is None:
        verdict = policy.pending(model.Reason.IN_PROGRESS, status=None)
        work.decide(verdict, flight.cause, work.now)
    _go_on(work)


def _denied(work: turn.Turn, flight: state.Flight) -> None:
    session = work.session
    work.note(inputs.NoteKind.DENIED)
    if session.unconfirmed is not None:
        _denied_unconfirmed(work, flight, session.unconfirmed)
        return
    if session.final:
        # Its data is deleted at the provider: what stands, stands.
        work.session = settled(session)
        _go_on(work)
        return
    since = work.now if session.denied_since is None else session.denied_since
    count = session.denials + 1
    work.session = dataclasses.replace(session, denials=count, denied_since=since)
    long_enough = work.now - since >= work.rules.denied_over_ms
    over = long_enough and count >= work.rules.denied_answers
    if not over or session.trailing is not None:
        _retry(work, flight, work.rules.retry.delay_ms(count))
    elif session.revision == 0:
        work.effects.append(inputs.DeniedEnd())
    else:
        _give_up(
            work, flight, model.DeadLetterReason.FETCH_EXHAUSTED, "no_such_session"
        )


def _denied_unconfirmed(
    work: turn.Turn, flight: state.Flight, unconfirmed: state.Unconfirmed
) -> None:
    """Believe the callback after the grace time, but never over a final."""
    ripe = unconfirmed.since + work.rules.unconfirmed_grace_ms
    if work.now < ripe:
        count = work.session.denials + 1
        work.session = dataclasses.replace(work.session, denials=count)
        _retry(work, flight, min(work.rules.retry.delay_ms(count), ripe - work.now))
        return
    standing = work.session.standing
    work.session = dataclasses.replace(settled(work.session), unconfirmed=None)
    if standing is not None and standing.final:
        if standing.outcome is not unconfirmed.verdict.outcome:
            work.bury(
                model.DeadLetterReason.CONFLICTING_FINAL,
                event_id=unconfirmed.cause.event_id,
                attempts=1,
                last_error="no_such_session",
            )
    else:
        work.note(inputs.NoteKind.UNCONFIRMED)
        observed = unconfirmed.cause.received_at
        work.decide(unconfirmed.verdict, unconfirmed.cause, observed)
    _go_on(work)


def _limited(
    work: turn.Turn, flight: state.Flight, failure: inputs.Failure, *, counted: bool
) -> None:
    """Retry what should never happen a few times, then bury it by its own name."""
    count = work.session.tries + (0 if counted else 1)
    work.session = dataclasses.replace(work.session, tries=count)
    if count < work.rules.quarantine_attempts:
        work.note(inputs.NoteKind.RETRY)
        _retry(work, flight, work.rules.retry.delay_ms(count))
        return
    _give_up(work, flight, model.DeadLetterReason(failure.reason), failure.reason)


def _later(work: turn.Turn, flight: state.Flight, failure: inputs.Failure) -> None:
    """Retry with back-off; past the horizon only an answered failure ends it."""
    session = work.session
    since = work.now if session.failing_since is None else session.failing_since
    count = session.failures + 1
    work.session = dataclasses.replace(session, failures=count, failing_since=since)
    exhausted = (
        failure.answered
        and count >= work.rules.retry_attempts
        and work.now - since >= work.rules.retry_horizon_ms
    )
    if exhausted:
        reason = model.DeadLetterReason.FETCH_EXHAUSTED
        _give_up(work, flight, reason, failure.reason)
        return
    work.note(inputs.NoteKind.RETRY)
    wait = failure.retry_after_ms
    _retry(work, flight, work.rules.retry.delay_ms(count) if wait is None else wait)


def _unavailable(work: turn.Turn) -> model.Verdict:
    """Return pending ``provider_unavailable``, keeping the provider's last word."""
    standing = work.session.standing
    return policy.pending(
        model.Reason.PROVIDER_UNAVAILABLE,
        status=None if standing is None else standing.provider_status,
    )


def _give_up(
    work: turn.Turn,
    flight: state.Flight,
    reason: model.DeadLetterReason,
    last_error: str,
) -> None:
    """Dead-letter the session: pending, nothing due, open again on any wake-up."""
    session = work.session
    attempts = max(session.failures, session.tries, session.denials)
    work.bury(
        reason,
        event_id=flight.cause.event_id,
        attempts=attempts,
        last_error=last_error,
    )
    work.session = settled(session)
    if not session.final:
        exhausted = reason is model.DeadLetterReason.FETCH_EXHAUSTED
        verdict = _unavailable(work) if exhausted else policy.unrecognised(None)
        work.decide(
            verdict, flight.cause, session.observed_at if exhausted else work.now
        )
    if session.trailing is not None:
        _follow(work, session.trailing)
