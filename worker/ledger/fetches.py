"""Start fetches, and let the results they bring stand."""

from typing import Any

from worker import model
from worker.ledger import callbacks, inputs, state, timers, transition

#: the cause of a fetch that nothing but the schedule asks for
POLL = model.Cause(type=model.CauseType.POLL)
_RETURN = model.CauseType.RETURN
#: A shorter wait is not worth a record: a restart polls again from the one before.
COARSE_MS = 30_000


def start(work: transition.Transition) -> None:
    """
    Start the fetch that is due; changes nothing where none is.

    A poll's start is not written: without it the poll is due just the same.
    """
    session = work.session
    due = session.due_at
    if session.flight is not None or due is None or due > work.now:
        return
    if session.unregistered_cause is not None:
        return
    polled = (
        session.pending_cause is None
        or session.pending_cause.type is model.CauseType.POLL
    )
    work.write_optional = (polled or session.not_ready > 0) and not session.final
    seq = session.fetch_seq + 1
    flight = state.Flight(
        seq=seq, started_at=work.now, cause=session.pending_cause or POLL
    )
    work.change(
        fetch_seq=seq,
        flight=flight,
        pending_cause=None,
        due_at=None,
        last_fetch_at=work.now,
        fresh_since=work.now if session.fresh_since is None else session.fresh_since,
    )
    work.effects.append(inputs.Fetch(seq))


def restart_after_crash(work: transition.Transition) -> None:
    """
    Bring the next fetch of an open session forward to now.

    Over a final it keeps the interval, unless it is due before that.
    """
    session = work.session
    if (
        session.due_at is not None
        and session.unregistered_cause is None
        and work.rules.fetches
    ):
        due_at = work.now
        if session.final and session.last_fetch_at is not None:
            kept = session.last_fetch_at + work.rules.recheck_min_interval_ms
            due_at = max(due_at, min(session.due_at, kept))
        work.change(
            pending_cause=session.pending_cause or POLL,
            due_at=due_at,
            fresh_since=None,
        )


def take_result(
    work: transition.Transition, flight: state.Flight, result: model.Result
) -> None:
    """Let a fetched verdict stand, unless it is preliminary after a final."""
    session = work.session
    for kind in result.alarms:
        work.alarm(kind)
    unfinished = result.verdict.reason is model.Reason.IN_PROGRESS
    late = unfinished and timers.is_polling_overdue(work, flight)
    reset_counters(
        work,
        hint=_compared(work, result.verdict),
        unconfirmed=_min_delay(session, flight),
        polls_left=session.polls_left if unfinished else 0,
        overdue=session.overdue + 1 if late else 0,
    )
    verdict = work.check_reference(result.verdict, result.reference, flight.cause)
    if session.final and not verdict.final:
        work.note(inputs.CounterKind.STALE_PRELIMINARY)
    elif late and verdict is result.verdict and timers.is_over(work):
        timers.end(work, flight, verdict.provider_status, result.observed_at)
    else:
        work.decide(verdict, flight.cause, result.observed_at)
        if session.awaiting_callback:
            timers.miss_callback(work, session, flight)
    # A session that we gave up, and that goes on: its end is to be found.
    goes_on = not result.verdict.final and not unfinished
    schedule_next(work, lapsed=session.expired_by_us and goes_on)


def _compared(
    work: transition.Transition, verdict: model.Verdict
) -> model.Outcome | None:
    """Hold the callback's hint against *verdict*; return what is still to be held."""
    session = work.session
    if session.queued_cause is not None or not verdict.final:
        return session.hint  # the hint may be younger than this fetch
    if session.hint is not None and session.hint is not verdict.outcome:
        work.alarm(model.AlarmKind.HINT_DIFFERS)
    return None


def _min_delay(
    session: state.Session, flight: state.Flight
) -> state.Unconfirmed | None:
    """Return the callback's claim unless the result is younger, and so refutes it."""
    claim = session.unconfirmed
    if claim is None or session.queued_cause is None or claim.since < flight.started_at:
        return None
    return claim


def reset_counters(work: transition.Transition, **changes: Any) -> None:  # noqa: ANN401 -- fields
    """
    Put every count of trouble back at zero, and make *changes*.

    A callback's claim outlasts trouble: only the provider's answer settles it, and
    only denials in a row confirm it.
    """
    work.change(
        flight=None,
        fresh_since=None,
        mapping_attempts=0,
        failures=0,
        failing_since=None,
        not_ready=0,
        denials=0,
        denied_since=None,
        confirmations=0,
        **changes,
    )


def schedule_next(work: transition.Transition, *, lapsed: bool = False) -> None:
    """
    Want what comes next: the trailing wake-up, a poll of a pending one, nothing.

    *lapsed* where a final is to be polled on, since it was not the provider's.
    """
    session = work.session
    if session.queued_cause is not None:
        schedule_queued(work, session.queued_cause)
    elif session.polls_left and not session.final:
        poll_fast(work, POLL)
    elif lapsed or not session.final:
        wait = work.rules.recheck_ms(session.rechecks)
        if lapsed:
            wait = max(wait, work.rules.recheck_min_interval_ms)
        work.change(
            pending_cause=POLL,
            due_at=_at_the_deadline(work, work.now + wait),
            rechecks=session.rechecks + 1,
            polls_left=0,
        )
    elif session.rechecks or session.polls_left:
        work.change(rechecks=0, polls_left=0)


def poll_fast(work: transition.Transition, cause: model.Cause) -> None:
    """Want the next one of the fast polls."""
    session = work.session
    wait = work.rules.polling.delay_ms(session.polls_left)
    work.write_optional = wait < COARSE_MS
    work.change(
        flight=None,
        pending_cause=cause,
        due_at=work.now + wait,
        polls_left=session.polls_left - 1,
    )


def _at_the_deadline(work: transition.Transition, due: int) -> int:
    """Return *due*, or the deadline where that comes first."""
    deadline = work.deadline
    return due if deadline is None or not work.now < deadline < due else deadline


def wait_for_deadline(work: transition.Transition) -> None:
    """
    Ask again at the deadline of a registered session, where that is to come.

    What has been delivered so far was answered by nothing: it may act again.
    """
    session, deadline = work.session, work.deadline
    if deadline is not None and work.now < deadline and not session.final:
        work.change(pending_cause=POLL, due_at=deadline, seen_delivery_ids=())


def schedule_queued(work: transition.Transition, trailing: model.Cause) -> None:
    """Want the fetch that a wake-up during the last one asked for."""
    session = work.session
    if session.final and not session.expired_by_us and trailing.type is _RETURN:
        work.change(queued_cause=None, polls_left=0)
        return
    due = callbacks.earliest_fetch(work, trailing)
    if session.polls_left and not session.final:
        wait = work.rules.polling.delay_ms(session.polls_left)
        due = min(due, work.now + wait)
    work.change(queued_cause=None, pending_cause=trailing, due_at=due)
