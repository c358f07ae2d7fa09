"""Say what every step of a registered session keeps, and of one that is held."""

from tests.support import ledger_steps as steps
from worker import errors, ledger, model


def a_registration_alone_decides_nothing(taken: steps.Step) -> None:
    """See that it says again what stands, or doubts it, and starts nothing by that."""
    if not isinstance(taken.told, ledger.RegistrationTaken):
        return
    assert not taken.buried
    for decision in taken.emitted:
        assert taken.before is not None
        standing = taken.before.standing
        doubted = decision.verdict.reason is model.Reason.REFERENCE_MISMATCH
        assert doubted or standing == decision.verdict


def what_is_held_is_not_told(taken: steps.Step) -> None:
    """See that nothing is told of a session that has to be registered first."""
    after = taken.after
    if after is not None and after.held is not None:
        assert not taken.emitted
        assert after.revision == 0
        assert not after.registered
        assert after.due_at is not None
        assert after.flight is None


def nobody_lapses_by_the_clock(taken: steps.Step) -> None:
    """See that "not completed" takes a time, attempts, and an answer after that."""
    before, after, rules = taken.before, taken.after, taken.rules
    if after is None or not after.lapsed or (before is not None and before.lapsed):
        return
    assert before is not None
    assert before.registered_at is not None
    assert before.flight is not None
    assert not before.final
    deadline = rules.deadline_ms(before.registered_at, before.expires_at)
    assert before.flight.started_at >= deadline
    assert before.overdue + 1 >= rules.overdue_attempts
    assert rules.overdue_rejects
    match taken.told:
        case ledger.Answered(_, result):
            assert result.verdict.reason is model.Reason.IN_PROGRESS
        case ledger.Failed(_, failure):
            assert failure.answered
            assert failure.disposition is errors.Disposition.NOT_READY
        case _:
            raise AssertionError(taken.told)
    assert after.standing is not None
    assert after.standing.reason is model.Reason.NOT_COMPLETED
    assert after.standing.retryable


def nobody_elses_verdict_is_final(taken: steps.Step) -> None:
    """See that a result with another's reference ends nothing."""
    before = taken.before
    if before is None or not isinstance(taken.told, ledger.Answered):
        return
    told_of = taken.told.result.reference
    if told_of is None or before.reference in (None, told_of):
        return
    assert not any(decision.verdict.final for decision in taken.emitted)


def what_is_not_written_is_done_again(taken: steps.Step) -> None:
    """See that a step which is not written loses nothing, if it is lost."""
    before, after = taken.before, taken.after
    if ledger.Unwritten() not in taken.effects:
        return
    assert taken.effects[-1] == ledger.Unwritten()
    assert before is not None
    assert after is not None
    assert steps.is_due(ledger.recovered(before), taken.at)
    assert before.trailing is None
    assert after.open
    assert after.revision == before.revision
    assert after.reference == before.reference
    assert after.final == before.final
    assert after.tries == before.tries
    kinds = ledger.Note | ledger.Fetch | ledger.Unwritten
    assert all(isinstance(effect, kinds) for effect in taken.effects)


LAWS = (
    a_registration_alone_decides_nothing,
    what_is_held_is_not_told,
    nobody_lapses_by_the_clock,
    nobody_elses_verdict_is_final,
    what_is_not_written_is_done_again,
)
