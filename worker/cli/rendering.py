"""Write decisions and sessions for people."""

from collections.abc import Iterator, Sequence

import click

from worker import clock, ledger, model

_MARKS = {
    model.Outcome.APPROVED: ("approved", "green"),
    model.Outcome.REJECTED: ("rejected", "red"),
    model.Outcome.PENDING: ("pending", "yellow"),
}
_ID_SHOWN = 12


def decision_line(decision: model.Decision, *, colour: bool) -> str:
    """Return one decision as one line, readable at a glance."""
    verdict = decision.verdict
    word, hue = _MARKS[verdict.outcome]
    outcome = click.style(f"{word:8}", fg=hue, bold=True) if colour else f"{word:8}"
    short = decision.session_id[:_ID_SHOWN]
    parts = [
        clock.format_rfc3339(decision.decided_at)[11:23],
        outcome,
        f"{decision.source:16}",
        f"{short:12}",
        f"r{decision.revision}",
        f"{verdict.reason:22}",
        f"next: {verdict.next_step}",
    ]
    if decision.reference is not None:
        parts.append(decision.reference)
    if verdict.flags:
        parts.append(",".join(verdict.flags))
    received_at = decision.cause.received_at
    if received_at is not None:
        parts.append(f"{decision.decided_at - received_at} ms")
    return "  ".join(parts)


def session_lines(
    key: model.SessionKey,
    state: ledger.Session | None,
    decisions: Sequence[model.Decision],
) -> Iterator[str]:
    """Return what is known of one session, a line at a time."""
    yield str(key)
    for decision in decisions:
        yield "  " + decision_line(decision, colour=True)
    if state is None:
        yield "  its state is forgotten; a callback would begin it again"
        return
    yield f"  first seen   {clock.format_rfc3339(state.first_seen_at)}"
    yield f"  last change  {clock.format_rfc3339(state.updated_at)}"
    yield f"  reference    {state.reference or '-'}"
    yield from _timeline(state)
    yield f"  fetches      {state.fetch_seq}, failures in a row: {state.failures}"
    if state.flight is not None:
        yield f"  fetch in flight since {clock.format_rfc3339(state.flight.started_at)}"
    elif state.due_at is not None:
        yield f"  next fetch   {clock.format_rfc3339(state.due_at)}"
    else:
        yield "  nothing is due"


def _timeline(state: ledger.Session) -> Iterator[str]:
    """Return what the company has reported of the session."""
    if state.unregistered_cause is not None:
        yield "  not registered: its callback is held"
    if state.registered_at is None:
        return
    parts = [clock.format_rfc3339(state.registered_at)]
    if state.begin_id is not None:
        parts.append(f"begun as {state.begin_id}")
    if state.expires_at is not None:
        parts.append(f"expires {clock.format_rfc3339(state.expires_at)}")
    yield f"  registered   {', '.join(parts)}"
    if state.returned_at is not None:
        yield f"  returned     {clock.format_rfc3339(state.returned_at)}"
    if state.awaiting_callback:
        yield "  called back  never"
    if state.overdue:
        yield f"  overdue      past its deadline, looked at {state.overdue} times since"
