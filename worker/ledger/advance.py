"""Advance a session by one input: the product's core, pure and total."""

import dataclasses

from worker import model, policy
from worker.ledger import callbacks, failures, fetches, inputs, state, turn

Outcome = tuple[state.Session | None, list[inputs.Effect]]


def advance(
    key: model.SessionKey,
    session: state.Session | None,
    told: inputs.Input,
    now: int,
    rules: policy.Rules,
) -> Outcome:
    """
    Return the session's next state and what follows from *told*.

    *session* is None where nothing is known of it, and so is the next state where
    it is to be forgotten. *now* is the clock's, in milliseconds; time never runs
    backwards for a session, whatever the clock says. Raises nothing; the same
    arguments give the same answer.
    """
    if session is None:
        return _first(key, told, now, rules)
    at = max(now, session.updated_at)
    work = turn.Turn(key=key, rules=rules, now=at, session=session)
    _apply(work, told)
    if any(isinstance(e, inputs.DeniedEnd | inputs.Forget) for e in work.effects):
        return None, work.effects
    if work.session is session or work.session.updated_at == at:
        return work.session, work.effects
    return dataclasses.replace(work.session, updated_at=at), work.effects


def _first(
    key: model.SessionKey, told: inputs.Input, now: int, rules: policy.Rules
) -> Outcome:
    """Take the first that is heard of a session: an event, or nothing at all."""
    if not isinstance(told, inputs.CallbackTaken | inputs.RecheckTaken):
        return None, []
    fresh = callbacks.new_session(told.event, now)
    work = turn.Turn(key=key, rules=rules, now=now, session=fresh)
    if isinstance(told, inputs.CallbackTaken) and callbacks.is_stale(told, rules):
        work.bury(
            model.DeadLetterReason.STALE,
            event_id=told.event.event_id,
            attempts=1,
            last_error=None,
        )
        return None, work.effects
    _apply(work, told)
    return None if work.session is fresh else work.session, work.effects


def _apply(work: turn.Turn, told: inputs.Input) -> None:
    match told:
        case inputs.CallbackTaken(event, claim):
            callbacks.take_callback(work, event, claim)
        case inputs.RecheckTaken(event):
            callbacks.take_recheck(work, event)
        case inputs.EventsLost():
            fetches.look_again(work)
        case inputs.FetchStarting():
            fetches.start(work)
        case inputs.RetentionOver():
            age = work.now - work.session.updated_at
            if not work.session.open and age >= work.rules.identity_retention_ms:
                work.effects.append(inputs.Forget())
        case inputs.MappingStarting() | inputs.Answered() | inputs.Failed():
            _apply_to_flight(work, told)
    work.finish()


def _apply_to_flight(
    work: turn.Turn,
    told: inputs.MappingStarting | inputs.Answered | inputs.Failed,
) -> None:
    """Take what concerns the fetch in flight; of any other fetch it is too late."""
    flight = work.session.flight
    if flight is None or flight.seq != told.seq:
        return
    match told:
        case inputs.MappingStarting():
            failures.start_mapping(work, flight)
        case inputs.Answered(_, result):
            fetches.take_result(work, flight, result)
        case inputs.Failed(_, failure, counted):
            failures.take_failure(work, flight, failure, counted=counted)
