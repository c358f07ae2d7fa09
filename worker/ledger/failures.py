"""Take what fetches that bring no result bring: failures, denials, not ready yet."""

from worker import errors, model, policy
from worker.ledger import callbacks, fetches, inputs, state, timers, transition


def start_mapping(work: transition.Transition, flight: state.Flight) -> None:
    """Count an attempt before it is made; give up after too many."""
    if work.session.mapping_attempts >= work.rules.quarantine_attempts:
        _give_up(work, flight, model.DeadLetterReason.QUARANTINED, "quarantined")
        return
    work.change(mapping_attempts=work.session.mapping_attempts + 1)


def take_failure(
    work: transition.Transition,
    flight: state.Flight,
    failure: inputs.Failure,
    *,
    counted: bool,
) -> None:
    """Do what the failure's disposition says."""
    if failure.answered or work.session.queued_cause is not None:
        # The next fetch asks anew, and so needs an answer from after its start.
        work.change(fresh_since=None)
    match failure.disposition:
        case errors.Disposition.NOT_READY:
            _not_ready(work, flight, failure)
        case errors.Disposition.DENIED:
            _denied(work, flight)
        case errors.Disposition.DEAD_LETTER:
            _limited(work, flight, failure, counted=counted)
        case errors.Disposition.ACCOUNT:
            work.alarm(model.AlarmKind.PROVIDER_AUTH_FAILED)
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


def bury_too_large(work: transition.Transition) -> None:
    """
    Dead-letter what made the record too large; only the deadline stays to be due.

    The same fetch would bring the same: the session is opened again by a wake-up.
    """
    session = work.session
    cause = session.pending_cause if session.flight is None else session.flight.cause
    work.dead_letter(
        model.DeadLetterReason.QUARANTINED,
        event_id=None if cause is None else cause.event_id,
        attempts=1,
        last_error=errors.RecordTooLarge.reason,
    )
    if not session.open:
        return
    fetches.reset_counters(
        work, polls_left=0, overdue=0, queued_cause=None, pending_cause=None
    )
    deadline = None if session.final else work.deadline
    work.change(due_at=None if deadline is None else max(deadline, work.now))


def _retry(work: transition.Transition, flight: state.Flight, wait_ms: int) -> None:
    """Want the same again after *wait_ms*, or as soon as a trailing wake-up may."""
    session, due = work.session, work.now + wait_ms
    if session.queued_cause is not None:
        due = min(due, callbacks.earliest_fetch(work, session.queued_cause))
    work.change(
        flight=None,
        queued_cause=None,
        pending_cause=state.merge_causes(flight.cause, session.queued_cause),
        due_at=due,
    )


def _not_ready(
    work: transition.Transition, flight: state.Flight, failure: inputs.Failure
) -> None:
    """Poll again, fast after a wake-up and then slower; count it past the deadline."""
    work.note(inputs.CounterKind.NOT_READY)
    session, rules = work.session, work.rules
    if failure.answered and timers.is_polling_overdue(work, flight):
        _still_unfinished(work, flight)
        return
    count = session.not_ready + 1
    if count < rules.not_ready_attempts or session.polls_left or not failure.answered:
        work.change(not_ready=count, mapping_attempts=0)
        _poll(work, flight, count)
        return
    fetches.reset_counters(work)
    if session.current_verdict is None:
        verdict = policy.pending(model.Reason.IN_PROGRESS, status=None)
        work.decide(verdict, flight.cause, work.now)
    fetches.schedule_next(work)


def _poll(work: transition.Transition, flight: state.Flight, count: int) -> None:
    session = work.session
    if session.queued_cause is None and session.polls_left:
        fetches.poll_fast(work, flight.cause)
    else:
        wait = work.rules.not_ready.delay_ms(count)
        work.write_optional = wait < fetches.COARSE_MS and session.queued_cause is None
        _retry(work, flight, wait)


def _still_unfinished(work: transition.Transition, flight: state.Flight) -> None:
    """Go on at leisure, or end a session that has not ended long after its time."""
    before = work.session
    fetches.reset_counters(work, overdue=before.overdue + 1)
    status = (
        None
        if before.current_verdict is None
        else before.current_verdict.provider_status
    )
    if timers.is_over(work):
        timers.end(work, flight, status, work.now)
    elif (
        before.current_verdict is None
        and work.session.overdue >= work.rules.overdue_attempts
    ):
        verdict = policy.pending(model.Reason.IN_PROGRESS, status=None)
        work.decide(verdict, flight.cause, work.now)
    fetches.schedule_next(work)


def _denied(work: transition.Transition, flight: state.Flight) -> None:
    """
    Ask again after a denial; end the session after n of them over the set time.

    A registered session ends only by denials of fetches from after its deadline:
    until then it waits for that.
    """
    work.note(inputs.CounterKind.DENIED)
    session = work.session
    if session.unconfirmed is not None:
        _denied_unconfirmed(work, flight, session.unconfirmed)
        return
    deadline = None if session.final else work.deadline
    early = deadline is not None and flight.started_at < deadline
    since, count = session.denied_since, session.denials + 1
    before_it = deadline is not None and since is not None and since < deadline
    if since is None or (before_it and not early):
        since, count = work.now, 1
    work.change(denials=count, denied_since=since)
    long_enough = work.now - since >= work.rules.not_found_within_ms
    over = long_enough and count >= work.rules.not_found_attempts
    if not over or session.queued_cause is not None:
        _retry(work, flight, work.rules.retry.delay_ms(count))
    elif session.revision:
        # Also over a final: what stands, stands, but a wake-up had no answer.
        exhausted = model.DeadLetterReason.FETCH_EXHAUSTED
        _give_up(work, flight, exhausted, "no_such_session")
    elif early:
        fetches.reset_counters(work, polls_left=0, overdue=0, rechecks=0)
        work.change(pending_cause=fetches.POLL, due_at=deadline, seen_delivery_ids=())
    else:
        work.effects.append(inputs.SessionDenied())
        fetches.reset_counters(work, polls_left=0, overdue=0)
        # The company knows a registered one: it stays known, and asks for nothing.
        work.ended = not session.registered


def _denied_unconfirmed(
    work: transition.Transition, flight: state.Flight, unconfirmed: state.Unconfirmed
) -> None:
    """
    Believe the callback after the grace time and n denials, but never over a final.

    Only denials of fetches that started after the callback count.
    """
    session, rules = work.session, work.rules
    after_it = session.queued_cause is None or unconfirmed.since < flight.started_at
    count = session.confirmations + after_it
    left = unconfirmed.since + rules.unconfirmed_grace_ms - work.now
    if left > 0 or count < rules.not_found_attempts:
        denials = session.denials + 1
        work.change(denials=denials, confirmations=count)
        delay = rules.retry.delay_ms(denials)
        _retry(work, flight, min(delay, left) if left > 0 else delay)
        return
    standing = work.session.current_verdict
    fetches.reset_counters(work, unconfirmed=None)
    if standing is not None and standing.final:
        if standing.outcome is not unconfirmed.verdict.outcome:
            work.dead_letter(
                model.DeadLetterReason.CONFLICTING_FINAL,
                event_id=unconfirmed.cause.event_id,
                attempts=1,
                last_error="no_such_session",
            )
    else:
        work.note(inputs.CounterKind.UNCONFIRMED)
        observed = unconfirmed.cause.received_at
        work.decide(unconfirmed.verdict, unconfirmed.cause, observed)
    fetches.schedule_next(work)


def _limited(
    work: transition.Transition,
    flight: state.Flight,
    failure: inputs.Failure,
    *,
    counted: bool,
) -> None:
    """Retry what should never happen a few times, then bury it by its own name."""
    count = work.session.mapping_attempts + (0 if counted else 1)
    work.change(mapping_attempts=count)
    if count < work.rules.quarantine_attempts:
        work.note(inputs.CounterKind.RETRY)
        _retry(work, flight, work.rules.retry.delay_ms(count))
        return
    _give_up(work, flight, model.DeadLetterReason(failure.reason), failure.reason)


def _later(
    work: transition.Transition, flight: state.Flight, failure: inputs.Failure
) -> None:
    """Retry with back-off; past the horizon only an answered failure ends it."""
    session = work.session
    since = work.now if session.failing_since is None else session.failing_since
    count = session.failures + 1
    work.change(failures=count, failing_since=since)
    exhausted = (
        failure.answered
        and count >= work.rules.retry_attempts
        and work.now - since >= work.rules.retry_give_up_after_ms
    )
    if exhausted:
        reason = model.DeadLetterReason.FETCH_EXHAUSTED
        _give_up(work, flight, reason, failure.reason)
        return
    work.note(inputs.CounterKind.RETRY)
    wait = failure.retry_after_ms
    _retry(work, flight, work.rules.retry.delay_ms(count) if wait is None else wait)


def _unavailable(work: transition.Transition) -> model.Verdict:
    """Return pending ``provider_unavailable``, keeping the provider's last word."""
    standing = work.session.current_verdict
    return policy.pending(
        model.Reason.PROVIDER_UNAVAILABLE,
        status=None if standing is None else standing.provider_status,
    )


def _give_up(
    work: transition.Transition,
    flight: state.Flight,
    reason: model.DeadLetterReason,
    last_error: str,
) -> None:
    """
    Dead-letter the session: pending, nothing due, open again on any wake-up.

    A registered one is polled once more at its deadline, where that is to come.
    """
    session = work.session
    attempts = max(session.failures, session.mapping_attempts, session.denials)
    work.dead_letter(
        reason,
        event_id=flight.cause.event_id,
        attempts=attempts,
        last_error=last_error,
    )
    fetches.reset_counters(work, polls_left=0, overdue=0, rechecks=0)
    if not session.final:
        exhausted = reason is model.DeadLetterReason.FETCH_EXHAUSTED
        verdict = _unavailable(work) if exhausted else policy.pending_unrecognised(None)
        work.decide(
            verdict, flight.cause, session.observed_at if exhausted else work.now
        )
    if session.queued_cause is not None:
        fetches.schedule_queued(work, session.queued_cause)
    else:
        fetches.wait_for_deadline(work)
