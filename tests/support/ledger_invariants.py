"""Say what every step of every session keeps, whatever was told and when."""

import dataclasses

from tests.support import inputs, registration_invariants
from tests.support import ledger_steps as steps
from worker import errors, ledger, model, policy

Before = ledger.Session | None
Rules = policy.SourcePolicy


def step(before: Before, said: ledger.Input, now: int, rules: Rules) -> steps.Step:
    """Advance *before* by *said*, and hold the step against every law."""
    after, effects = ledger.advance(inputs.KEY, before, said, now, rules)
    taken = steps.Step(before, said, now, rules, after, effects)
    for law in LAWS:
        law(taken)
    return taken


def somebody_looks_after_it(taken: steps.Step) -> None:
    """See that a fetched session has a due time, a flight, a final or a dead letter."""
    after = taken.after
    if after is None or not taken.rules.fetches or after.open or after.final:
        return
    if ledger.SessionDenied() in taken.effects:
        assert after.registered
    elif not taken.before or taken.before.open:
        assert taken.buried
        assert after.current_verdict is not None


def time_is_kept(taken: steps.Step) -> None:
    """See that a session's time never runs backwards."""
    if taken.before is not None and taken.after is not None:
        assert taken.after.updated_at >= taken.before.updated_at
    for decision in taken.emitted:
        assert decision.decided_at == taken.at


def nothing_is_put_off_for_ever(taken: steps.Step) -> None:
    """See that what is due is no further off than the longest of the times."""
    before, after = taken.before, taken.after
    if after is None or after.due_at is None:
        return
    if before is not None and before.due_at == after.due_at:
        return
    rules, asked = taken.rules, 0
    if isinstance(taken.input_, ledger.FetchFailed):
        asked = taken.input_.failure.retry_after_ms or 0
    delays = (asked, rules.retry.max_delay_ms, rules.not_ready.max_delay_ms)
    others = (rules.recheck_min_interval_ms, rules.registration_grace_ms)
    latest = taken.at + max(*delays, *rules.recheck_pending_ms, *others)
    if after.registered_at is not None:
        deadline = rules.deadline_ms(after.registered_at, after.expires_at)
        latest = max(latest, deadline + rules.overdue_retention_ms)
    assert after.due_at <= latest


def revisions_are_contiguous(taken: steps.Step) -> None:
    """See that revisions go on by one, each naming the one before it."""
    first = 1 if taken.before is None else taken.before.revision + 1
    numbers = [decision.revision for decision in taken.emitted]
    assert numbers == list(range(first, first + len(numbers)))
    if taken.after is not None:
        assert taken.after.revision == first + len(numbers) - 1
        if taken.after.unregistered_cause is None:
            known = taken.after.current_verdict is not None
            assert (taken.after.revision > 0) == known
    for decision in taken.emitted:
        assert (decision.supersedes is None) == (decision.revision == 1)


def a_revision_is_news(taken: steps.Step) -> None:
    """See that one step says one thing, and only something new."""
    assert len(taken.emitted) <= 1
    before = taken.before
    if before is None or before.current_verdict is None:
        return
    known = before.current_verdict.comparison_key
    for decision in taken.emitted:
        assert (
            before.unregistered_cause is not None
            or known != decision.verdict.comparison_key
            or before.reference != decision.reference
        )


def a_final_is_not_undone(taken: steps.Step) -> None:
    """See that what was told as final is never followed by a preliminary."""
    before = taken.before
    if before and before.revision and before.final and taken.after is not None:
        assert taken.after.final


def nothing_unknown_is_approved(taken: steps.Step) -> None:
    """See that approved comes only of a verdict of the provider's that says so."""
    for decision in taken.emitted:
        before, verdict = taken.before, decision.verdict
        # The same verdict is emitted again with its reference.
        repeated = before is not None and before.current_verdict == verdict
        if verdict.outcome is not model.Outcome.APPROVED or repeated:
            continue
        said = _verdict(taken.input_)
        # A time that was in the future is not passed on.
        undated = said and dataclasses.replace(said, provider_time=None)
        assert verdict in (said, undated)


def a_clock_alone_ends_nothing(taken: steps.Step) -> None:
    """See that without word from the provider nothing is decided, buried or ended."""
    silent = isinstance(
        taken.input_,
        ledger.FetchStarting
        | ledger.RetentionExpired
        | ledger.TimerFired
        | ledger.HoldEvicted
        | ledger.Dropped
        | ledger.ReturnTaken,
    )
    said = taken.input_
    unanswered = isinstance(said, ledger.FetchFailed) and not said.failure.answered
    if silent or unanswered or isinstance(said, ledger.RecheckTaken):
        assert not taken.emitted
        assert not taken.buried
        assert ledger.SessionDenied() not in taken.effects


def an_end_has_its_reason(taken: steps.Step) -> None:
    """See that a session ends by retention, unregistered, or denied and undecided."""
    before = taken.before
    if before is None or taken.after is not None:
        return
    if ledger.DeleteSession() in taken.effects:
        assert not before.open
        assert taken.at - before.updated_at >= taken.rules.session_retention_ms
        return
    assert before.revision == 0
    if ledger.UnregisteredExpired() in taken.effects:
        assert not before.registered
        if isinstance(taken.input_, ledger.Dropped):
            assert before.current_verdict is None
            assert not _vouched_for(before)
            return
        assert before.unregistered_cause is not None
        waited = before.due_at is not None and taken.at >= before.due_at
        assert waited or isinstance(taken.input_, ledger.HoldEvicted)
        return
    assert ledger.SessionDenied() in taken.effects
    assert not before.registered
    assert before.unconfirmed is None
    assert before.queued_cause is None
    assert before.denials + 1 >= taken.rules.not_found_attempts
    since = before.denied_since if before.denied_since is not None else taken.at
    assert taken.at - since >= taken.rules.not_found_within_ms


def _vouched_for(session: ledger.Session) -> bool:
    """Return whether the company asked for *session* by ``recheck``."""
    flying = None if session.flight is None else session.flight.cause
    causes = (session.pending_cause, session.queued_cause, flying)
    kinds = {cause.type for cause in causes if cause is not None}
    return session.awaiting_callback or model.CauseType.RECHECK in kinds


def giving_up_has_its_reason(taken: steps.Step) -> None:
    """See that exhausted means n answered failures and the horizon, not one of them."""
    before = taken.before
    failed = isinstance(taken.input_, ledger.FetchFailed)
    if not taken.buried or not failed or before is None:
        return
    assert isinstance(taken.input_, ledger.FetchFailed)
    failure = taken.input_.failure
    assert failure.answered
    if failure.disposition is errors.Disposition.RETRY_LATER:
        assert before.failures + 1 >= taken.rules.retry_attempts
        assert before.failing_since is not None
        assert taken.at - before.failing_since >= taken.rules.retry_give_up_after_ms


def a_wake_up_is_wanted(taken: steps.Step) -> None:
    """See that after an event there is a fetch to come that has not started yet."""
    if steps.asks(taken):
        assert steps.is_wanted(taken.after)


def a_callback_alone_decides_nothing(taken: steps.Step) -> None:
    """See that where results are fetched, an event is a wake-up and no more."""
    if isinstance(taken.input_, steps.EVENTS) and taken.rules.fetches:
        assert not taken.emitted
        assert not taken.buried


def finals_are_not_fetched_too_often(taken: steps.Step) -> None:
    """See that fetches over a final, but retries and commands, keep the interval."""
    before, after = taken.before, taken.after
    if before is None or after is None or not inputs.fetches(taken.effects):
        return
    if not before.final or before.last_fetch_at is None:
        return
    troubled = (
        before.failures or before.not_ready or before.denials or before.mapping_attempts
    ) > 0
    recovered = before.due_at == before.last_fetch_at
    command = (
        before.pending_cause is not None
        and before.pending_cause.type is model.CauseType.RECHECK
    )
    if not troubled and not recovered and not command:
        waited = taken.at - before.last_fetch_at
        assert waited >= taken.rules.recheck_min_interval_ms


def a_rejection_is_never_only_counted(taken: steps.Step) -> None:
    """See that a signed rejection over which an approval stays reaches a person."""
    before, after = taken.before, taken.after
    if not isinstance(taken.input_, ledger.CallbackTaken) or taken.input_.claim is None:
        return
    claim = taken.input_.claim
    rejects = claim.verdict.outcome is model.Outcome.REJECTED
    if claim.kind is not model.ClaimKind.SIGNED or not rejects:
        return
    if before is None or before.current_verdict is None or after is None:
        return
    again = ledger.Count(ledger.CounterKind.REPEATED) in taken.effects
    standing = {
        before.current_verdict.outcome,
        after.current_verdict and after.current_verdict.outcome,
    }
    if standing == {model.Outcome.APPROVED} and not again:
        assert taken.buried
        alarm = ledger.Alarm(model.AlarmKind.CONFLICTING_FINAL)
        assert alarm in taken.effects


def no_time_is_from_the_future(taken: steps.Step) -> None:
    """See that no signed time later than its receipt orders anything."""
    after = taken.after
    if not isinstance(taken.input_, ledger.CallbackTaken) or after is None:
        return
    claim = taken.input_.claim
    if claim is None or claim.kind is not model.ClaimKind.SIGNED:
        return
    if (
        after.current_verdict is not None
        and after.current_verdict.provider_time is not None
    ):
        received = max(after.updated_at, after.observed_at or 0)
        latest = received + taken.rules.max_clock_skew_ms
        assert after.current_verdict.provider_time <= latest


def ended_is_a_stub(taken: steps.Step) -> None:
    """See that an ended session keeps nothing about fetching."""
    after = taken.after
    if after is None or after.open:
        return
    assert after.pending_cause is None
    assert after.queued_cause is None
    assert (after.mapping_attempts, after.failures, after.not_ready, after.denials) == (
        0,
    ) * 4
    assert (after.polls_left, after.overdue, after.unregistered_cause) == (0, 0, None)
    assert (after.failing_since, after.denied_since) == (None, None)
    assert (after.fresh_since, after.confirmations) == (None, 0)


LAWS = (
    *registration_invariants.LAWS,
    somebody_looks_after_it,
    time_is_kept,
    nothing_is_put_off_for_ever,
    revisions_are_contiguous,
    a_revision_is_news,
    a_final_is_not_undone,
    nothing_unknown_is_approved,
    a_clock_alone_ends_nothing,
    an_end_has_its_reason,
    giving_up_has_its_reason,
    a_wake_up_is_wanted,
    a_callback_alone_decides_nothing,
    finals_are_not_fetched_too_often,
    a_rejection_is_never_only_counted,
    no_time_is_from_the_future,
    ended_is_a_stub,
)


def _verdict(said: ledger.Input) -> model.Verdict | None:
    match said:
        case ledger.FetchSucceeded(_, result):
            return result.verdict
        case ledger.CallbackTaken(_, model.Claim(model.ClaimKind.SIGNED, verdict)):
            return verdict
        case _:
            return None
