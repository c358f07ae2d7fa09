"""Verdicts, their order, and schedules."""

import dataclasses
import itertools

import hypothesis
import pytest
from hypothesis import strategies as st

from tests.support import inputs, models
from worker import model, policy

_RULES = inputs.FETCHED


def test_an_approval_is_final_and_offers_nothing() -> None:
    """An approval is final, verified, and needs no next step."""
    verdict = policy.approved(status="SUCCESS")
    assert (verdict.final, verdict.reason) == (True, model.Reason.VERIFIED)
    assert (verdict.retryable, verdict.next_step) == (False, model.NextStep.NONE)


@pytest.mark.parametrize(
    ("reason", "retryable"),
    [
        (model.Reason.DOCUMENT_INVALID, True),
        (model.Reason.DOCUMENT_EXPIRED, True),
        (model.Reason.DATA_MISMATCH, True),
        (model.Reason.BIOMETRIC_FAILED, True),
        (model.Reason.CONSENT_REFUSED, True),
        (model.Reason.TECHNICAL_FAILURE, True),
        (model.Reason.NOT_COMPLETED, True),
        (model.Reason.APPROVAL_EXPIRED, True),
        (model.Reason.FRAUD, False),
        (model.Reason.SCREENING_HIT, False),
        (model.Reason.NOT_ELIGIBLE, False),
        (model.Reason.DECLINED, False),
    ],
)
def test_a_reason_says_whether_a_new_session_is_offered(
    reason: model.Reason, *, retryable: bool
) -> None:
    """A rejection is final; its reason says whether a new session may be offered."""
    verdict = policy.rejected(reason, status=None)
    step = model.NextStep.NEW_SESSION if retryable else model.NextStep.NONE
    assert (True, retryable, step) == (
        verdict.final,
        verdict.retryable,
        verdict.next_step,
    )


@pytest.mark.parametrize("retryable", [True, False])
def test_a_provider_may_overrule_the_reason(*, retryable: bool) -> None:
    """An explicit word of the provider wins over the reason's default."""
    verdict = policy.rejected(model.Reason.FRAUD, status=None, retryable=retryable)
    assert retryable == verdict.retryable


def test_flags_are_sorted_and_unique() -> None:
    """Flags come out sorted and once each, so that equal verdicts are equal."""
    flags = [model.Flag.UNCONFIRMED, model.Flag.DATA_CHANGED, model.Flag.UNCONFIRMED]
    verdict = policy.approved(status=None, flags=flags)
    assert verdict.flags == (model.Flag.DATA_CHANGED, model.Flag.UNCONFIRMED)


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("SUCCESS", "SUCCESS"),
        ("success", "unlisted"),
        ("Jane Doe", "unlisted"),
        (None, None),
        (7, "unlisted"),
        (["SUCCESS"], "unlisted"),
        ({"SUCCESS": 1}, "unlisted"),
        (True, "unlisted"),
    ],
)
def test_only_listed_words_pass(word: object, expected: str | None) -> None:
    """A provider's word reaches a record only if the table has it, whatever it is."""
    assert expected == policy.known_word(word, {"SUCCESS": 1})


@pytest.mark.parametrize("status", ["APPROVED!", None, 3, {"a": 1}])
def test_what_is_not_in_the_table_is_pending(status: object) -> None:
    """Whatever is not in the table is pending and never approved."""
    verdict = policy.pending_unrecognised(status, ["SUCCESS"])
    assert model.Outcome.PENDING is verdict.outcome
    assert model.Reason.UNRECOGNISED_RESULT is verdict.reason


A, R, P = inputs.approved, inputs.rejected, inputs.pending
_OTHER = model.Reason.DOCUMENT_INVALID


@pytest.mark.parametrize(
    ("standing", "new", "expected"),
    [
        # final beats preliminary, whatever the times
        (P(at=9), A(at=1), policy.SignedOrder.NEWER),
        (P(), A(), policy.SignedOrder.NEWER),
        (A(at=1), P(at=9), policy.SignedOrder.OLDER),
        (A(), P(), policy.SignedOrder.OLDER),
        # the same again
        (A(at=1), A(at=2), policy.SignedOrder.SAME),
        (A(), A(at=2), policy.SignedOrder.SAME),
        (P(at=2), P(at=1), policy.SignedOrder.SAME),
        # finals by their time
        (A(at=1), R(at=2), policy.SignedOrder.NEWER),
        (R(at=1), A(at=2), policy.SignedOrder.NEWER),
        (A(at=2), R(at=1), policy.SignedOrder.OLDER_REJECTION),
        # equal times: rejected stands, and it is a conflict
        (A(at=1), R(at=1), policy.SignedOrder.CONFLICT_WINS),
        (R(at=1), A(at=1), policy.SignedOrder.CONFLICT),
        # no time: it is a conflict, and rejected stands
        (A(), R(), policy.SignedOrder.CONFLICT_WINS),
        (A(at=1), R(), policy.SignedOrder.CONFLICT_WINS),
        (A(), R(at=1), policy.SignedOrder.CONFLICT_WINS),
        (R(), A(at=1), policy.SignedOrder.CONFLICT),
        # preliminary ones by their time; where one has none it is the older one
        (P(at=1), P(_OTHER, at=2), policy.SignedOrder.NEWER),
        (P(at=2), P(_OTHER, at=1), policy.SignedOrder.OLDER),
        (P(at=2), P(_OTHER), policy.SignedOrder.OLDER),
        (P(), P(_OTHER, at=2), policy.SignedOrder.NEWER),
    ],
)
def test_signed_verdicts_are_ordered(
    standing: model.Verdict, new: model.Verdict, expected: policy.SignedOrder
) -> None:
    """Signed verdicts are ordered by (final, timestamp, rank); else they conflict."""
    assert expected is policy.order_signed(standing, new)


def test_two_rejections_of_one_time_end_the_same() -> None:
    """Of two rejections with the same time the same one stands in either order."""
    first, second = R(at=1), R(_OTHER, at=1)
    orders = {policy.order_signed(first, second), policy.order_signed(second, first)}
    assert {policy.SignedOrder.CONFLICT, policy.SignedOrder.CONFLICT_WINS} == orders


_TIMED = models.verdicts().map(
    lambda verdict: dataclasses.replace(
        verdict, provider_time=(verdict.provider_time or 0) % 3
    )
)


@hypothesis.given(_TIMED, _TIMED)
def test_no_two_timed_verdicts_depend_on_their_order(
    one: model.Verdict, other: model.Verdict
) -> None:
    """Of any two verdicts with times, the same substance stands in either order."""

    def standing(first: model.Verdict, then: model.Verdict) -> tuple[object, ...]:
        wins = {policy.SignedOrder.NEWER, policy.SignedOrder.CONFLICT_WINS}
        verdict = then if policy.order_signed(first, then) in wins else first
        return verdict.comparison_key

    assert standing(one, other) == standing(other, one)


def test_backoff_grows_to_its_bound() -> None:
    """Delays double from the first to the longest and stay there."""
    backoff = policy.Backoff(initial_delay_ms=2_000, factor=2.0, max_delay_ms=10_000)
    delays = [backoff.delay_ms(n) for n in (1, 2, 3, 4, 5, 10**6)]
    assert delays == [2_000, 4_000, 8_000, 10_000, 10_000, 10_000]


@hypothesis.given(
    st.integers(1, 10**6),
    st.floats(1, 10),
    st.integers(1, 10**8),
    st.integers(-5, 10**9),
)
def test_backoff_is_bounded_for_any_count(
    initial_ms: int, factor: float, max_ms: int, failures: int
) -> None:
    """No count of failures makes a delay shorter than none or longer than the bound."""
    backoff = policy.Backoff(
        initial_delay_ms=initial_ms, factor=factor, max_delay_ms=max_ms
    )
    delays = [backoff.delay_ms(failures), backoff.delay_ms(failures + 1)]
    assert all(0 < delay <= max_ms for delay in delays)
    assert all(a <= b for a, b in itertools.pairwise(delays))


def test_rechecks_follow_their_list() -> None:
    """Rechecks of a pending session follow the list, whose last interval repeats."""
    hours = [_RULES.recheck_ms(n) / inputs.HOUR for n in range(7)]
    assert hours == [1 / 12, 1 / 4, 1, 6, 24, 24, 24]
