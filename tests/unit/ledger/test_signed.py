"""Signed verdicts: they settle by their order, not by their arrival."""

import itertools

import pytest

from tests.support import inputs
from worker import ledger, model

A, R, P = inputs.approved, inputs.rejected, inputs.pending
_OTHER = model.Reason.DOCUMENT_INVALID


def _standing(*verdicts: model.Verdict) -> tuple[object, ...]:
    standing = inputs.after_callbacks(inputs.SIGNED, *verdicts).state.current_verdict
    assert standing is not None
    return (*standing.comparison_key, standing.provider_time)


def test_a_signed_verdict_stands_at_once() -> None:
    """A signed callback is the verdict: no fetch is wanted."""
    history = inputs.after_callbacks(inputs.SIGNED, A(at=1))
    assert model.Outcome.APPROVED is history.latest.verdict.outcome
    assert history.latest.observed_at == inputs.START
    assert not history.state.open


@pytest.mark.parametrize(
    "verdicts",
    [
        (P(at=1), A(at=2)),
        (P(at=3), A(at=2)),
        (P(at=1), A(at=2), R(at=3)),
        (P(at=1), R(at=2), A(at=3)),
        (A(at=1), R(at=1)),
        (A(at=1), R(at=1), P(at=1)),
        (A(at=1), R(at=1), R(_OTHER, at=1)),
        (A(at=1), A(at=3), R(at=2)),
        (A(at=1), A(at=3), R(at=3)),
        (A(at=1), R(at=1), A(at=2), P(at=9)),
        (P(at=1), P(_OTHER, at=1), P(at=2), P(_OTHER, at=2)),
        (A(at=2), A(at=2, flags=[model.Flag.DATA_CHANGED]), P(at=5), R(at=1)),
        (P(), A()),
        (A(), R(at=5), A(at=3)),
        (A(), R(at=5), A(at=7)),
        (R(), A(at=7), R(at=9)),
        (A(), A(at=3, flags=[model.Flag.DATA_CHANGED]), R(at=1)),
        (P(), P(_OTHER), P(at=1)),
        (A(at=inputs.HOUR), R(at=1), A(at=2)),
    ],
)
def test_every_order_of_arrival_ends_the_same(
    verdicts: tuple[model.Verdict, ...],
) -> None:
    """Every permutation of a set of signed verdicts ends with the same one standing."""
    ends = {_standing(*order) for order in itertools.permutations(verdicts)}
    assert len(ends) == 1


@pytest.mark.parametrize(
    ("first", "then", "stands"),
    [
        (A(at=1), R(at=2), model.Outcome.REJECTED),
        (R(at=1), A(at=2), model.Outcome.APPROVED),
        (A(at=2), R(at=1), model.Outcome.APPROVED),
        (P(at=9), A(at=1), model.Outcome.APPROVED),
        (A(at=1), P(at=9), model.Outcome.APPROVED),
        (P(), A(), model.Outcome.APPROVED),
        (A(), R(), model.Outcome.REJECTED),
        (A(), R(at=9), model.Outcome.REJECTED),
        (R(), A(at=9), model.Outcome.REJECTED),
        (A(at=1), R(), model.Outcome.REJECTED),
        (A(at=1), R(at=1), model.Outcome.REJECTED),
        (R(at=1), A(at=1), model.Outcome.REJECTED),
    ],
)
def test_the_greatest_stands(
    first: model.Verdict, then: model.Verdict, stands: model.Outcome
) -> None:
    """Final, then the time, then rejected; without a time rejected stands."""
    assert (
        stands
        is inputs.after_callbacks(inputs.SIGNED, first, then).latest.verdict.outcome
    )


@pytest.mark.parametrize(
    ("first", "then"),
    [
        (A(), R()),
        (A(at=1), R()),
        (A(), R(at=1)),
        (A(at=1), R(at=1)),
        (R(at=1), A(at=1)),
    ],
)
def test_finals_that_cannot_be_ordered_conflict(
    first: model.Verdict, then: model.Verdict
) -> None:
    """A contradicting final with a missing or equal time is buried and alarmed."""
    history = inputs.after_callbacks(inputs.SIGNED, first)
    effects = history.callback(inputs.signed(then))
    assert inputs.alarms(effects) == [model.AlarmKind.CONFLICTING_FINAL]
    letter = history.letters[0]
    assert model.DeadLetterReason.CONFLICTING_FINAL is letter.reason
    assert letter.event_id is not None
    assert letter.redrive is None


@pytest.mark.parametrize(
    ("standing", "late"), [(R(at=2), A(at=1)), (R(at=2), R(_OTHER, at=1))]
)
def test_an_older_final_changes_nothing_and_is_counted(
    standing: model.Verdict, late: model.Verdict
) -> None:
    """A final that comes late over a rejection neither decides nor is buried."""
    history = inputs.after_callbacks(inputs.SIGNED, standing)
    effects = history.callback(inputs.signed(late))
    assert inputs.notes(effects) == [ledger.CounterKind.LATE_FINAL]
    assert (len(history.decisions), history.letters) == (1, [])


def test_a_rejection_that_loses_to_an_approval_is_a_letter_and_an_alarm() -> None:
    """An approval stays over an older rejection, and a person hears of it."""
    history = inputs.after_callbacks(inputs.SIGNED, A(at=2))
    late = history.callback(inputs.signed(R(at=1)))
    assert inputs.alarms(late) == [model.AlarmKind.CONFLICTING_FINAL]
    assert [letter.reason for letter in history.letters] == [
        model.DeadLetterReason.CONFLICTING_FINAL
    ]
    assert model.Outcome.APPROVED is history.latest.verdict.outcome


_SKEW = inputs.SIGNED.max_clock_skew_ms


@pytest.mark.parametrize(
    ("at", "kept"), [(_SKEW, True), (_SKEW + 1, False), (10**13, False)]
)
def test_a_time_in_the_future_is_no_time(at: int, kept: bool) -> None:  # noqa: FBT001
    """A signed time counts up to the tolerance after its receipt, and no later."""
    history = inputs.History(inputs.SIGNED)
    effects = history.callback(inputs.signed(A(at=at)))
    said_at = inputs.START + at if kept else None
    assert said_at == history.latest.verdict.provider_time
    assert (ledger.CounterKind.FUTURE_TIME in inputs.notes(effects)) is not kept


def test_an_approval_from_the_future_is_revoked() -> None:
    """The provider's rejection of now wins, and a person hears of the conflict."""
    history = inputs.after_callbacks(inputs.SIGNED, A(at=10**13))
    effects = history.callback(inputs.signed(R(at=1_000)))
    assert inputs.alarms(effects) == [model.AlarmKind.CONFLICTING_FINAL]
    assert model.Outcome.REJECTED is history.latest.verdict.outcome


@pytest.mark.parametrize("ahead", [inputs.HOUR, 10**13])
def test_an_approval_from_the_future_that_was_kept_is_revoked(ahead: int) -> None:
    """A time in the future that an earlier release has kept orders nothing either."""
    history = inputs.after_callbacks(inputs.SIGNED, A())
    standing = A(at=ahead)
    history.session = history.state._replace(current_verdict=standing)
    history.callback(inputs.signed(R(at=2_000)))
    assert model.Outcome.REJECTED is history.latest.verdict.outcome


def test_a_preliminary_after_a_final_changes_nothing_and_is_counted() -> None:
    """A late pending never undoes a final."""
    history = inputs.after_callbacks(inputs.SIGNED, A(at=1))
    late = history.callback(inputs.signed(P(at=9)))
    assert inputs.notes(late) == [ledger.CounterKind.STALE_PRELIMINARY]
    assert len(history.decisions) == 1


def test_one_digest_acts_once() -> None:
    """The same signed body again changes nothing, though it conflicted at first."""
    history = inputs.after_callbacks(inputs.SIGNED, A())
    history.callback(inputs.signed(R()), digest="b" * 64)
    again = history.callback(inputs.signed(R()), digest="b" * 64)
    assert [ledger.Count(ledger.CounterKind.REPEATED)] == again
    assert len(history.letters) == 1


def test_the_same_verdict_in_another_body_is_no_news() -> None:
    """The same substance under another digest is counted; its later time counts."""
    history = inputs.after_callbacks(inputs.SIGNED, A(at=1))
    again = history.callback(inputs.signed(A(at=5)))
    assert inputs.notes(again) == [ledger.CounterKind.REPEATED]
    late = history.callback(inputs.signed(R(at=3)))
    assert inputs.notes(late) == [ledger.CounterKind.LATE_FINAL]
    assert model.Outcome.APPROVED is history.latest.verdict.outcome


def test_a_time_that_was_known_is_not_lost() -> None:
    """The same verdict without a time does not take the time from what stands."""
    history = inputs.after_callbacks(inputs.SIGNED, A(at=5), A())
    history.callback(inputs.signed(R(at=6)))
    assert model.Outcome.REJECTED is history.latest.verdict.outcome


def test_a_revocation_names_what_it_supersedes() -> None:
    """A different final that wins is a new revision that supersedes the old one."""
    history = inputs.after_callbacks(inputs.SIGNED, A(at=1), R(at=2))
    first, then = history.decisions
    assert first.decision_id == then.supersedes


def test_the_claims_own_alarms_are_raised() -> None:
    """What the adapter finds alarming in a signed callback reaches a person."""
    history = inputs.History(inputs.SIGNED)
    claim = inputs.signed(P(), model.AlarmKind.UNRECOGNISED_RESULT)
    alarms = inputs.alarms(history.callback(claim))
    assert alarms == [model.AlarmKind.UNRECOGNISED_RESULT]


_AGE = inputs.SIGNED.max_callback_age_ms


def test_a_stale_first_verdict_is_buried() -> None:
    """A verdict too old when it was received makes no session known."""
    history = inputs.after_callbacks(inputs.SIGNED, A(at=-_AGE - 1))
    assert [letter.reason for letter in history.letters] == [
        model.DeadLetterReason.STALE
    ]
    assert (history.session, history.decisions) == (None, [])


@pytest.mark.parametrize("verdict", [A(), A(at=-_AGE)])
def test_a_first_verdict_of_any_other_age_stands(verdict: model.Verdict) -> None:
    """A verdict just young enough, or without a time, is no stale one."""
    assert len(inputs.after_callbacks(inputs.SIGNED, verdict).decisions) == 1


def test_a_known_session_takes_old_verdicts() -> None:
    """Of a known session the order decides, whatever the age."""
    history = inputs.after_callbacks(inputs.SIGNED, P(), A(at=-_AGE - 1))
    assert model.Outcome.APPROVED is history.latest.verdict.outcome


def test_staleness_is_of_the_receipt() -> None:
    """A young verdict that waited in the topic for weeks is not stale."""
    history = inputs.History(inputs.SIGNED, now=inputs.START + 30 * inputs.DAY)
    event = inputs.event(received_at=inputs.START, provider_time=inputs.START)
    history.apply(ledger.CallbackTaken(event, inputs.signed(A(at=0))))
    assert len(history.decisions) == 1
