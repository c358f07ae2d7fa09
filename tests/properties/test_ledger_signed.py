"""Signed verdicts, in every order in which they can come."""

import hashlib
import itertools

import pytest

from tests.support import ledger as told
from tests.support import ledger_laws as laws
from worker import ledger, model

A, R, P = told.approved, told.rejected, told.pending

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
