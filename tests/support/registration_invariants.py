"""Say what every step of a registered session keeps, and of one that is held."""

from tests.support import ledger_steps as steps
from worker import errors, ledger, model


def a_registration_alone_decides_nothing(taken: steps.Step) -> None:
    """See that it says again what stands, or doubts it, and starts nothing by that."""
    if not isinstance(taken.input_, ledger.RegistrationTaken):
        return
    assert not taken.buried
    for decision in taken.emitted:
        assert taken.before is not None
        standing = taken.before.current_verdict
        doubted = decision.verdict.reason is model.Reason.REFERENCE_MISMATCH
        assert doubted or standing == decision.verdict


def what_is_held_is_not_told(taken: steps.Step) -> None:
    """See that nothing is told of a session that has to be registered first."""
    after = taken.after
    if after is not None and after.unregistered_cause is not None:
        assert not taken.emitted
        assert after.revision == 0
        assert not after.registered
        assert after.due_at is not None
        assert after.flight is None


def nobody_lapses_by_the_clock(taken: steps.Step) -> None:
    """See that "not completed" takes a time, attempts, and an answer after that."""
    before, after, rules = taken.before, taken.after, taken.rules
    if (
        after is None
        or not after.expired_by_us
        or (before is not None and before.expired_by_us)
    ):
        return
    assert before is not None
    assert before.registered_at is not None
    assert before.flight is not None
    assert not before.final
    deadline = rules.deadline_ms(before.registered_at, before.expires_at)
    assert before.flight.started_at >= deadline
    assert before.overdue + 1 >= rules.overdue_attempts
    assert rules.overdue_rejects
    match taken.input_:
        case ledger.FetchSucceeded(_, result):
            assert result.verdict.reason is model.Reason.IN_PROGRESS
        case ledger.FetchFailed(_, failure):
            assert failure.answered
            assert failure.disposition is errors.Disposition.NOT_READY
        case _:
            raise AssertionError(taken.input_)
    assert after.current_verdict is not None
    assert after.current_verdict.reason is model.Reason.NOT_COMPLETED
    assert after.current_verdict.retryable


def nobody_elses_verdict_approves(taken: steps.Step) -> None:
    """See that a result with another's reference approves nobody, and rejects."""
    before, after = taken.before, taken.after
    if before is None or not isinstance(taken.input_, ledger.FetchSucceeded):
        return
    result = taken.input_.result
    if result.reference is None or before.reference in (None, result.reference):
        return
    outcomes = [decision.verdict.outcome for decision in taken.emitted]
    assert model.Outcome.APPROVED not in outcomes
    if result.verdict.outcome is model.Outcome.REJECTED and _is_flown(taken):
        assert ledger.Alarm(model.AlarmKind.REFERENCE_MISMATCH) in taken.effects
        assert after is not None
        assert after.current_verdict == result.verdict


def a_doubt_approves_nobody(taken: steps.Step) -> None:
    """See that after another's reference only the right one leads to an approval."""
    before = taken.before
    if before is None or not before.doubted or not taken.emitted:
        return
    (decision,) = taken.emitted
    if decision.verdict.outcome is model.Outcome.APPROVED and taken.after is not None:
        assert not taken.after.doubted or decision.verdict == before.current_verdict


def a_registered_session_is_open_until_its_deadline(taken: steps.Step) -> None:
    """See that a session which should still end is looked at by its deadline."""
    after, rules = taken.after, taken.rules
    if after is None or after.registered_at is None or after.final:
        return
    if not rules.fetches:
        return
    deadline = rules.deadline_ms(after.registered_at, after.expires_at)
    if taken.at < deadline:
        assert after.open
        trouble = isinstance(taken.input_, ledger.FetchFailed) and (
            taken.input_.failure.disposition is not errors.Disposition.DENIED
        )
        if after.due_at is not None and not trouble:
            longest = max(rules.retry.max_delay_ms, rules.not_ready.max_delay_ms)
            kept = taken.before is not None and taken.before.due_at == after.due_at
            assert kept or after.due_at <= max(deadline, taken.at + longest)


def an_early_denial_ends_no_registered_session(taken: steps.Step) -> None:
    """See that n denials after the deadline end a registered session, not fewer."""
    before, rules = taken.before, taken.rules
    if ledger.SessionDenied() not in taken.effects or before is None:
        return
    if before.registered_at is None:
        return
    deadline = rules.deadline_ms(before.registered_at, before.expires_at)
    assert before.flight is not None
    assert before.flight.started_at >= deadline
    if rules.not_found_attempts > 1:
        assert before.denied_since is not None
        assert before.denied_since >= deadline
        assert before.denials + 1 >= rules.not_found_attempts


def an_unconfirmed_rejection_was_denied(taken: steps.Step) -> None:
    """See that a claim is believed after n denials since it came, and its time."""
    before, rules = taken.before, taken.rules
    if ledger.Count(ledger.CounterKind.UNCONFIRMED) not in taken.effects:
        return
    assert before is not None
    assert before.unconfirmed is not None
    assert before.confirmations + 1 >= rules.not_found_attempts
    assert taken.at - before.unconfirmed.since >= rules.unconfirmed_grace_ms


def what_is_not_written_is_done_again(taken: steps.Step) -> None:
    """See that a step which is not written loses nothing, if it is lost."""
    before, after = taken.before, taken.after
    if ledger.SkipPersist() not in taken.effects:
        return
    assert taken.effects[-1] == ledger.SkipPersist()
    assert before is not None
    assert after is not None
    assert steps.is_due(ledger.after_restart(before), taken.at)
    assert before.queued_cause is None
    assert after.open
    assert after.revision == before.revision
    assert after.reference == before.reference
    assert after.final == before.final
    assert (after.unconfirmed, after.hint) == (before.unconfirmed, before.hint)
    assert (after.mapping_attempts, after.failures) == (
        before.mapping_attempts,
        before.failures,
    )
    assert (after.denials, after.overdue) == (before.denials, before.overdue)
    assert after.confirmations == before.confirmations
    assert (after.seen_delivery_ids, after.doubted) == (
        before.seen_delivery_ids,
        before.doubted,
    )
    kinds = ledger.Count | ledger.Fetch | ledger.SkipPersist
    assert all(isinstance(effect, kinds) for effect in taken.effects)


LAWS = (
    a_registration_alone_decides_nothing,
    what_is_held_is_not_told,
    nobody_lapses_by_the_clock,
    nobody_elses_verdict_approves,
    a_doubt_approves_nobody,
    a_registered_session_is_open_until_its_deadline,
    an_early_denial_ends_no_registered_session,
    an_unconfirmed_rejection_was_denied,
    what_is_not_written_is_done_again,
)


def _is_flown(taken: steps.Step) -> bool:
    """Return whether the answer is that of the fetch in flight."""
    before = taken.before
    return (
        before is not None
        and before.flight is not None
        and isinstance(taken.input_, ledger.FetchSucceeded)
        and before.flight.seq == taken.input_.seq
    )
