"""Every short history of a session, explored one by one."""

import dataclasses
import hashlib
import itertools
from collections.abc import Iterator

import pytest

from tests.support import ledger as told
from tests.support import ledger_laws as laws
from worker import errors, ledger, model

A, R, P = told.approved, told.rejected, told.pending

_CALLBACK = ledger.CallbackTaken(told.event())
_NAMED = ledger.CallbackTaken(told.event(provider_event_id="e"))
_CLAIM = ledger.CallbackTaken(told.event(), told.unconfirmed())
_HINT = ledger.CallbackTaken(told.event(), told.hint(A()))
_RECHECK = ledger.RecheckTaken(told.event(model.EventType.RECHECK_REQUESTED))

Answer = model.Result | ledger.Failure | None

_FAULT = told.failure(errors.ProviderFault)
_SILENCE = told.failure(errors.ProviderTimeout)
_NOT_READY = told.failure(errors.NotReady)
_DENIED = told.failure(errors.NoSuchSession)
_MISMATCH = told.failure(errors.ResultMismatch)
_ACCOUNT = told.failure(errors.AccountRefused)
#: The mapping begins, and what comes after that may be the end of the process.
_MAPPING = None


@dataclasses.dataclass(frozen=True, kw_only=True)
class Theme:
    """What may come, how much of it in a row, and what that must have led to."""

    events: tuple[ledger.CallbackTaken | ledger.RecheckTaken, ...]
    answers: tuple[Answer, ...]
    #: how many inputs deep; None for all there is to reach
    depth: int | None
    reaches: frozenset[str]


_APPROVED, _REJECTED, _PENDING = map(told.result, (A(), R(), P()))
_REFERRED = told.result(P(), reference="order-1")

_THEMES = {
    "everything": Theme(
        events=(_CALLBACK, _NAMED, _CLAIM, _HINT, _RECHECK),
        answers=(
            *(_APPROVED, _REJECTED, _PENDING, _REFERRED),
            *(_FAULT, _SILENCE, _NOT_READY, _DENIED, _MISMATCH, _ACCOUNT, _MAPPING),
        ),
        depth=6,
        reaches=frozenset({"approved", "rejected", "pending"}),
    ),
    "wake-ups": Theme(
        events=(_CALLBACK, _NAMED, _RECHECK),
        answers=(_APPROVED, _PENDING, _FAULT),
        depth=None,
        reaches=frozenset({"approved", "pending", "forgotten", "fetch_exhausted"}),
    ),
    "denials": Theme(
        events=(_CALLBACK, _CLAIM),
        answers=(_DENIED, _PENDING, _APPROVED),
        depth=None,
        reaches=frozenset(
            {"denied", "rejected", "fetch_exhausted", "conflicting_final"}
        ),
    ),
    "outages": Theme(
        events=(_CALLBACK,),
        answers=(_FAULT, _SILENCE, _ACCOUNT, _NOT_READY, _PENDING, _APPROVED),
        depth=None,
        reaches=frozenset({"approved", "pending", "fetch_exhausted"}),
    ),
    "trouble": Theme(
        events=(_CALLBACK,),
        answers=(_MISMATCH, _MAPPING, _FAULT, _PENDING, _APPROVED),
        depth=None,
        reaches=frozenset({"pending", "result_mismatch", "quarantined"}),
    ),
}


@dataclasses.dataclass(frozen=True, slots=True)
class _Node:
    """A session at a time, and whether an event still waits for its fetch."""

    session: ledger.Session | None
    now: int
    owed: bool


def _inputs(session: ledger.Session | None, theme: Theme) -> Iterator[ledger.Input]:
    """Yield every input of *theme* that can come now."""
    yield from theme.events
    if session is None:
        return
    if session.flight is None:
        yield ledger.FetchStarting()
        yield ledger.RetentionOver()
        return
    seq = session.flight.seq
    for answer in theme.answers:
        match answer:
            case None:
                yield ledger.MappingStarting(seq)
            case model.Result():
                yield ledger.Answered(seq, answer)
            case ledger.Failure():
                yield ledger.Failed(seq, answer)


def _told(node: _Node, said: ledger.Input, ends: set[str]) -> _Node:
    """Return what follows *said*, held against every law."""
    taken = laws.step(node.session, said, node.now, laws.QUICK)
    ends.update(_ends(taken))
    repeated = ledger.Note(ledger.NoteKind.REPEATED) in taken.effects
    woken = isinstance(said, ledger.CallbackTaken | ledger.RecheckTaken)
    owed = (node.owed or (woken and not repeated)) and not told.fetches(taken.effects)
    assert not owed or laws.is_wanted(taken.after)
    return _Node(taken.after, node.now, owed)


def _ends(taken: laws.Step) -> Iterator[str]:
    """Yield the words of what *taken* ended in."""
    for effect in taken.effects:
        match effect:
            case ledger.Emit(decision):
                yield decision.verdict.outcome
            case ledger.Bury(letter):
                yield letter.reason
            case ledger.DeniedEnd():
                yield "denied"
            case ledger.Forget():
                yield "forgotten"
            case _:
                pass


def _next(node: _Node, theme: Theme, ends: set[str]) -> Iterator[_Node]:
    """Yield what may follow: an input, a crash, a second, a due fetch, an hour back."""
    for said in _inputs(node.session, theme):
        yield _told(node, said, ends)
    session = node.session
    if session is None:
        return
    found = ledger.recovered(session)
    assert not (node.owed or session.flight) or laws.is_wanted(found)
    yield dataclasses.replace(node, session=found)
    yield dataclasses.replace(node, now=node.now + told.SECOND)
    if session.due_at is not None:
        due = dataclasses.replace(node, now=max(node.now, session.due_at))
        yield _told(due, ledger.FetchStarting(), ends)
    yield dataclasses.replace(node, now=session.updated_at - told.HOUR)
    if not session.open:
        late = session.updated_at + laws.QUICK.identity_retention_ms
        yield dataclasses.replace(node, now=late)


def _likeness(node: _Node) -> object:
    """Return what two nodes share that have the same future."""
    session = node.session
    if session is None:
        return None
    at = max(node.now, session.updated_at)

    def since(moment: int | None, most: int = 3_000) -> int | None:
        return None if moment is None else max(-most, min(moment - at, most))

    flight, claim = session.flight, session.unconfirmed
    standing = session.standing
    return (
        node.owed,
        None if standing is None else standing.substance,
        session.reference,
        since(session.due_at),
        None if session.wanted is None else session.wanted.type,
        None if flight is None else (since(flight.started_at), flight.cause.type),
        None if session.trailing is None else session.trailing.type,
        since(session.last_fetch_at),
        session.seq > 0,
        session.tries,
        min(session.failures, 3),
        since(session.failing_since),
        session.not_ready,
        min(session.denials, 3),
        since(session.denied_since),
        session.rechecks > 0,
        session.seen,
        None if claim is None else since(claim.since),
        session.hint,
        session.open or since(session.updated_at) == -3_000,
        at - session.updated_at >= laws.QUICK.identity_retention_ms,
    )


@pytest.mark.timeout(60)
@pytest.mark.parametrize("name", _THEMES)
def test_every_short_history_keeps_the_laws(name: str) -> None:
    """Whatever comes in whatever order, each step and each state keeps every law."""
    theme, ends = _THEMES[name], set[str]()
    first = _Node(None, told.START, owed=False)
    known, edge, depth = {_likeness(first)}, [first], 0
    while edge and depth != theme.depth:
        reached = []
        for node in edge:
            for after in _next(node, theme, ends):
                likeness = _likeness(after)
                if likeness not in known:
                    known.add(likeness)
                    reached.append(after)
        edge, depth = reached, depth + 1
    assert theme.reaches <= ends


#: The whole of signed verdicts: times known, equal and missing; each may come again.
_TIMED = (
    *(A(at=1), A(at=2), R(at=1), R(at=2), R(model.Reason.DOCUMENT_INVALID, at=2)),
    *(P(at=1), P(at=3), P(model.Reason.IN_PROGRESS, at=3)),
)
_UNTIMED = (A(), R(), P(), A(at=1), R(at=2), P(at=3))


def _settled(verdicts: tuple[model.Verdict, ...]) -> ledger.Session:
    """Return the session that was told signed *verdicts* in this order."""
    session: ledger.Session | None = None
    for verdict in verdicts:
        digest = hashlib.sha256(repr(verdict).encode()).hexdigest()
        said = ledger.CallbackTaken(told.event(digest=digest), told.signed(verdict))
        session = laws.step(session, said, told.START, told.SIGNED).after
    assert session is not None
    return session


@pytest.mark.parametrize("length", [1, 2, 3, 4])
def test_signed_verdicts_settle_by_their_order_alone(length: int) -> None:
    """However signed verdicts with times come and come again, the greatest stands."""
    for verdicts in itertools.product(_TIMED, repeat=length):
        standing = _settled(verdicts).standing
        assert standing is not None
        greatest = max(verdicts, key=told.rank)
        assert standing.substance == greatest.substance


@pytest.mark.parametrize("length", [2, 3, 4])
def test_nothing_replaces_a_final_where_a_time_is_missing(length: int) -> None:
    """Without a time the first final stands, and a final beats a preliminary."""
    for verdicts in itertools.product(_UNTIMED, repeat=length):
        standing = _settled(verdicts).standing
        assert standing is not None
        finals = [verdict for verdict in verdicts if verdict.final]
        assert standing.final == bool(finals)
        if finals and all(verdict.provider_time is None for verdict in finals):
            assert standing.outcome is finals[0].outcome
