"""Signed verdicts, in every order in which they can come."""

import dataclasses
import functools
import hashlib
import itertools

import pytest

from tests.support import inputs
from tests.support import ledger_invariants as laws
from worker import ledger, model

A, R, P = inputs.approved, inputs.rejected, inputs.pending

#: The whole of signed verdicts: times known, equal and missing; each may come again.
_TIMED = (
    *(A(at=1), A(at=2), R(at=1), R(at=2), R(model.Reason.DOCUMENT_INVALID, at=2)),
    *(P(at=1), P(at=3), P(model.Reason.IN_PROGRESS, at=3)),
)
#: The receipt is at START: past, about equal, newer, and in the future.
_TIMES = (None, -inputs.HOUR, 0, inputs.SECOND, inputs.HOUR)
_ANY = tuple(said(at=at) for said in (A, R, P) for at in _TIMES)


@functools.cache
def _callback(verdict: model.Verdict) -> ledger.CallbackTaken:
    """Return the callback of a signed *verdict*; the same again is a repeat."""
    digest = hashlib.sha256(repr(verdict).encode()).hexdigest()
    return ledger.CallbackTaken(inputs.event(digest=digest), inputs.signed(verdict))


def _taken(
    session: ledger.Session | None, verdict: model.Verdict
) -> ledger.Session | None:
    """Return the session after a signed *verdict*, held against every law."""
    return laws.step(session, _callback(verdict), inputs.START, inputs.SIGNED).after


def _settled(verdicts: tuple[model.Verdict, ...]) -> model.Verdict:
    """Return what stands after signed *verdicts* in this order."""
    session: ledger.Session | None = None
    for verdict in verdicts:
        session = _taken(session, verdict)
    assert session is not None
    assert session.current_verdict is not None
    return session.current_verdict


def _credible(verdict: model.Verdict) -> model.Verdict:
    """Return *verdict* without a time that was in the future at its receipt."""
    said_at = verdict.provider_time
    if said_at is None or said_at - inputs.START <= inputs.SIGNED.max_clock_skew_ms:
        return verdict
    return dataclasses.replace(verdict, provider_time=None)


def _safe_end(verdicts: tuple[model.Verdict, ...]) -> model.Outcome:
    """Return the worst outcome of all verdicts that may have been the last final."""
    finals = [verdict for verdict in map(_credible, verdicts) if verdict.final]
    if not finals:
        return model.Outcome.PENDING
    times = [at for verdict in finals if (at := verdict.provider_time) is not None]
    latest = max(times, default=None)
    last = {v.outcome for v in finals if v.provider_time in (None, latest)}
    rejected = model.Outcome.REJECTED
    return rejected if rejected in last else model.Outcome.APPROVED


@pytest.mark.parametrize("length", [1, 2, 3, 4])
def test_signed_verdicts_settle_by_their_order_alone(length: int) -> None:
    """However signed verdicts with times come and come again, the greatest stands."""
    for verdicts in itertools.product(_TIMED, repeat=length):
        greatest = max(verdicts, key=inputs.rank)
        assert greatest.comparison_key == _settled(verdicts).comparison_key


@pytest.mark.timeout(180)
def test_five_verdicts_end_the_same_and_safely_in_every_order() -> None:
    """
    Whatever times are missing or in the future: one end of each set, and a safe one.

    All orders of a set end in those of the sets that are smaller by one verdict: what
    stands is all that what comes next is ordered by.
    """
    ends: dict[tuple[int, ...], list[ledger.Session | None]] = {(): [None]}
    for length in range(1, 6):
        for places in itertools.combinations_with_replacement(range(len(_ANY)), length):
            reached: dict[object, ledger.Session] = {}
            for last in set(places):
                before = list(places)
                before.remove(last)
                for session in ends[tuple(before)]:
                    after = _taken(session, _ANY[last])
                    assert after is not None
                    reached[
                        after.current_verdict, after.expired_by_us, after.doubted
                    ] = after
            (standing,) = {after.current_verdict for after in reached.values()}
            verdicts = tuple(_ANY[place] for place in places)
            greatest = max(map(_credible, verdicts), key=inputs.rank)
            assert greatest == standing
            assert _safe_end(verdicts) is greatest.outcome
            ends[places] = list(reached.values())


@pytest.mark.parametrize("length", [1, 2, 3])
def test_every_order_ends_the_same_from_the_start(length: int) -> None:
    """The same, told from the start in each order of its own."""
    for verdicts in itertools.product(_ANY, repeat=length):
        greatest = max(map(_credible, verdicts), key=inputs.rank)
        assert greatest == _settled(verdicts)
