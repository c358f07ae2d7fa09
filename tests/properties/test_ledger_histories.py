"""Every short history of a session, explored one by one."""

import dataclasses
from collections.abc import Iterator

import pytest

from tests.support import inputs
from tests.support import ledger_invariants as laws
from tests.support import ledger_scenarios as themes
from tests.support import ledger_steps as steps
from worker import ledger, model, policy


@dataclasses.dataclass(frozen=True, slots=True)
class _Node:
    """A session at a time; whether a wake-up, or a return, waits for its fetch."""

    session: ledger.Session | None
    now: int
    owed: bool
    asked: bool = False


def _inputs(
    session: ledger.Session | None, theme: themes.Theme
) -> Iterator[ledger.Input]:
    """Yield every input of *theme* that can come now."""
    yield from theme.events
    if session is None:
        return
    yield from (ledger.Dropped(), ledger.Dropped(purged=True))
    if session.unregistered_cause is not None or not theme.rules.fetches:
        yield from (ledger.TimerFired(), ledger.TimerFired(behind=True))
        yield from (ledger.HoldEvicted(), ledger.RetentionExpired())
        return
    if session.flight is None:
        yield ledger.FetchStarting()
        yield ledger.RetentionExpired()
        return
    seq = session.flight.seq
    for answer in theme.answers:
        match answer:
            case None:
                yield ledger.InterpretStarting(seq)
            case model.Result():
                yield ledger.FetchSucceeded(seq, answer)
            case ledger.Failure():
                yield ledger.FetchFailed(seq, answer)


def _next_node(
    node: _Node, said: ledger.Input, theme: themes.Theme, ends: set[str]
) -> _Node:
    """Return what follows *said*, held against every law."""
    taken = laws.step(node.session, said, node.now, theme.rules)
    ends.update(_ends(taken))
    over = (
        inputs.fetches(taken.effects) or ledger.UnregisteredExpired() in taken.effects
    )
    returned = isinstance(said, ledger.ReturnTaken)
    owed = not over and (node.owed or (steps.asks(taken) and not returned))
    assert not owed or steps.is_wanted(taken.after)
    asked = not over and (node.asked or (steps.asks(taken) and returned))
    asked = asked and not steps.is_answered(taken.after)
    assert not asked or steps.is_wanted(taken.after)
    return _Node(taken.after, node.now, owed, asked)


def _ends(taken: steps.Step) -> Iterator[str]:
    """Yield the words of what *taken* ended in."""
    for effect in taken.effects:
        match effect:
            case ledger.EmitDecision(decision):
                yield from (decision.verdict.outcome, decision.verdict.reason)
            case ledger.EmitDeadLetter(letter):
                yield letter.reason
            case ledger.SessionDenied():
                yield "denied"
            case ledger.UnregisteredExpired():
                yield "unknown"
            case ledger.DeleteSession():
                yield "forgotten"
            case _:
                pass


def _next(node: _Node, theme: themes.Theme, ends: set[str]) -> Iterator[_Node]:
    """Yield what may follow: an input, a crash, a second, a due fetch, an hour back."""
    for said in _inputs(node.session, theme):
        yield _next_node(node, said, theme, ends)
    session = node.session
    if session is None:
        return
    found = ledger.after_restart(session)
    owed = node.owed or node.asked or session.flight is not None
    assert not owed or steps.is_wanted(found)
    yield dataclasses.replace(node, session=found)
    yield dataclasses.replace(node, now=node.now + inputs.SECOND)
    if session.due_at is not None:
        due = dataclasses.replace(node, now=max(node.now, session.due_at))
        fetched = session.unregistered_cause is None and theme.rules.fetches
        over = ledger.FetchStarting() if fetched else ledger.TimerFired()
        yield _next_node(due, over, theme, ends)
    yield dataclasses.replace(node, now=session.updated_at - inputs.HOUR)
    if not session.open:
        late = session.updated_at + steps.QUICK.session_retention_ms
        yield dataclasses.replace(node, now=late)


def _likeness(node: _Node, rules: policy.SourcePolicy) -> object:
    """Return what two nodes share that have the same future."""
    session = node.session
    if session is None:
        return None
    at = max(node.now, session.updated_at)

    def since(moment: int | None, most: int = 3_000) -> int | None:
        return None if moment is None else max(-most, min(moment - at, most))

    flight, claim = session.flight, session.unconfirmed
    standing = session.current_verdict
    return (
        node.owed,
        node.asked,
        None if standing is None else standing.comparison_key,
        session.reference,
        since(session.due_at),
        None if session.pending_cause is None else session.pending_cause.type,
        None if flight is None else (since(flight.started_at), flight.cause.type),
        None if session.queued_cause is None else session.queued_cause.type,
        since(session.last_fetch_at),
        session.fetch_seq > 0,
        session.mapping_attempts,
        min(session.failures, 3),
        since(session.failing_since),
        min(session.not_ready, rules.not_ready_attempts),
        min(session.denials, 3),
        since(session.denied_since),
        session.rechecks > 0,
        session.seen_delivery_ids,
        None if claim is None else since(claim.since),
        session.hint,
        session.doubted,
        min(session.confirmations, rules.not_found_attempts),
        since(session.fresh_since),
        session.open or since(session.updated_at) == -3_000,
        at - session.updated_at >= rules.session_retention_ms,
        _registered(session, at, rules),
    )


def _registered(session: ledger.Session, at: int, rules: policy.SourcePolicy) -> object:
    """Return what matters of a registration: what is open, and how far it is off."""
    if session.registered_at is None:
        return session.awaiting_callback, session.unregistered_cause is None
    deadline = rules.deadline_ms(session.registered_at, session.expires_at)
    flight = session.flight
    return (
        max(-rules.overdue_retention_ms, min(deadline - at, 3_000)),
        flight is not None and flight.started_at >= deadline,
        session.returned_at is None,
        session.awaiting_callback,
        session.polls_left,
        min(session.overdue, rules.overdue_attempts),
        session.expired_by_us,
    )


@pytest.mark.timeout(60)
@pytest.mark.parametrize("name", themes.THEMES)
def test_every_short_history_keeps_the_laws(name: str) -> None:
    """Whatever comes in whatever order, each step and each state keeps every law."""
    theme, ends = themes.THEMES[name], set[str]()
    first = _Node(None, inputs.START, owed=False)
    known, edge, depth = {_likeness(first, theme.rules)}, [first], 0
    while edge and depth != theme.depth:
        reached = []
        for node in edge:
            for after in _next(node, theme, ends):
                likeness = _likeness(after, theme.rules)
                if likeness not in known:
                    known.add(likeness)
                    reached.append(after)
        edge, depth = reached, depth + 1
    assert theme.reaches <= ends
