"""Start fetches, and let the results they bring stand."""

import dataclasses

from worker import model
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
    go_on(work)


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


def go_on(work: turn.Turn) -> None:
    """Want what comes next: the trailing wake-up, a recheck of a pending, nothing."""
    session = work.session
    if session.trailing is not None:
        follow(work, session.trailing)
    elif not session.final:
        wait = work.rules.recheck_ms(session.rechecks)
        work.session = dataclasses.replace(
            session, wanted=_POLL, due_at=work.now + wait, rechecks=session.rechecks + 1
        )
    elif session.rechecks:
        work.session = dataclasses.replace(session, rechecks=0)


def follow(work: turn.Turn, trailing: model.Cause) -> None:
    """Want the fetch that a wake-up during the last one asked for."""
    due = callbacks.earliest_fetch(work, trailing)
    work.session = dataclasses.replace(
        work.session, trailing=None, wanted=trailing, due_at=due
    )
