"""References that differ: a mismatch blocks approvals, never rejections."""

import dataclasses

import pytest

from tests.support import inputs
from worker import model

A, R, P = inputs.approved, inputs.rejected, inputs.pending


@pytest.mark.parametrize("approved", [True, False])
def test_a_rejection_with_another_reference_rejects(*, approved: bool) -> None:
    """A mismatch is an alarm, and blocks approvals alone."""
    history = inputs.History()
    history.register("order-1")
    history.callback()
    history.fetch(A() if approved else P(), reference="order-1")
    effects = history.recheck() + history.fetch(R(), reference="order-2")
    assert inputs.alarms(effects) == [model.AlarmKind.REFERENCE_MISMATCH]
    assert model.Outcome.REJECTED is history.latest.verdict.outcome
    assert history.latest.reference == "order-1"


def test_a_rejection_does_not_end_the_doubt() -> None:
    """After a rejection, too, only the right reference leads to an approval."""
    history = inputs.History()
    history.register("order-1")
    history.callback()
    history.fetch(A(), reference="order-2")
    history.recheck()
    history.fetch(R())
    effects = history.recheck() + history.fetch(A())
    assert inputs.alarms(effects) == [model.AlarmKind.REFERENCE_MISMATCH]
    assert model.Outcome.REJECTED is history.latest.verdict.outcome
    history.recheck()
    history.fetch(A(), reference="order-1")
    assert history.latest.verdict.reason is model.Reason.VERIFIED


def test_a_signed_rejection_with_another_reference_revokes() -> None:
    """A signed verdict is no exception: the approval under our reference is over."""
    history = inputs.History(inputs.SIGNED)
    history.callback(inputs.signed(A(at=1)), reference="order-1")
    effects = history.callback(inputs.signed(R(at=2)), reference="order-2")
    assert inputs.alarms(effects) == [model.AlarmKind.REFERENCE_MISMATCH]
    assert model.Outcome.REJECTED is history.latest.verdict.outcome


def test_a_held_rejection_survives_a_registration_that_contradicts_it() -> None:
    """The company says another reference: what was held is told as the rejection."""
    rules = dataclasses.replace(inputs.SIGNED, registered_sessions_only=True)
    history = inputs.History(rules)
    history.callback(inputs.signed(R(at=1)), reference="order-2")
    effects = history.register("order-1")
    assert inputs.alarms(effects) == [model.AlarmKind.REFERENCE_MISMATCH]
    assert model.Outcome.REJECTED is history.latest.verdict.outcome
