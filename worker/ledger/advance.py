"""Advance a session by one input: the product's core, pure and total."""

from worker import model, policy
from worker.ledger import (
    callbacks,
    failures,
    fetches,
    inputs,
    registrations,
    state,
    timers,
    transition,
)

Outcome = tuple[state.Session | None, list[inputs.Effect]]

_QUIET = (inputs.Count, inputs.Fetch)
#: What a step that is not written may change: when the next fetch starts and what it
#: asks for. Whatever else differs (a claim, a hint, a count) is written.
_FOUND_AGAIN = frozenset(
    {
        "updated_at",
        "observed_at",
        "current_verdict",
        "due_at",
        "pending_cause",
        "flight",
        "fetch_seq",
        "last_fetch_at",
        "fresh_since",
        "not_ready",
        "rechecks",
        "polls_left",
    }
)
_WRITTEN = tuple(
    place
    for place, name in enumerate(state.Session._fields)
    if name not in _FOUND_AGAIN
)


def advance(
    key: model.SessionKey,
    session: state.Session | None,
    input_: inputs.Input,
    now: int,
    rules: policy.SourcePolicy,
) -> Outcome:
    """
    Return the session's next state and what follows from *input_*.

    *session* is None where nothing is known of it, and so is the next state where
    it is to be forgotten. *now* is the clock's, in milliseconds; time never runs
    backwards for a session, whatever the clock says. Raises nothing; the same
    arguments give the same answer.
    """
    if session is None:
        return _first(key, input_, now, rules)
    at = max(now, session.updated_at)
    work = transition.Transition(key=key, rules=rules, now=at, session=session)
    _apply(work, input_)
    if work.ended:
        return None, work.effects
    if work.write_optional and _is_found_again(session, work):
        work.effects.append(inputs.SkipPersist())
    return work.session, work.effects


def _is_found_again(before: state.Session, work: transition.Transition) -> bool:
    """Return whether a restart from *before* would do the same again."""
    after = work.session
    return all(isinstance(effect, _QUIET) for effect in work.effects) and all(
        before[place] == after[place] for place in _WRITTEN
    )


def _first(
    key: model.SessionKey, input_: inputs.Input, now: int, rules: policy.SourcePolicy
) -> Outcome:
    """Take the first that is heard of a session: an event, or nothing at all."""
    match input_:
        case inputs.CallbackTaken(event):
            fresh = callbacks.new_session(event, now)
        case inputs.RecheckTaken(event) | inputs.RegistrationTaken(event):
            fresh = callbacks.new_session(event, now, unheard=True)
        case inputs.ReturnTaken():
            return None, [inputs.Count(inputs.CounterKind.RETURN_IGNORED)]
        case inputs.RecordTooLarge():
            # Nothing was known of it before, and nothing is afterwards.
            fresh = state.Session(key.session_id, now, now)
        case _:
            return None, []
    work = transition.Transition(key=key, rules=rules, now=now, session=fresh)
    if isinstance(input_, inputs.CallbackTaken):
        if callbacks.is_stale(input_, rules):
            work.dead_letter(
                model.DeadLetterReason.STALE,
                event_id=input_.event.event_id,
                attempts=1,
                last_error=None,
            )
            return None, work.effects
        if rules.registered_sessions_only:
            registrations.hold(work, input_)
    _apply(work, input_)
    return None if work.session is fresh else work.session, work.effects


def _apply(work: transition.Transition, input_: inputs.Input) -> None:
    match input_:
        case (
            inputs.CallbackTaken()
            | inputs.RecheckTaken()
            | inputs.RegistrationTaken()
            | inputs.ReturnTaken()
        ):
            _apply_event(work, input_)
        case inputs.FetchStarting():
            fetches.start(work)
        case (
            inputs.InterpretStarting() | inputs.FetchSucceeded() | inputs.FetchFailed()
        ):
            _apply_to_flight(work, input_)
        case inputs.EventsLost():
            fetches.restart_after_crash(work)
        case inputs.TimerFired(behind):
            timers.timer_fired(work, behind=behind)
        case inputs.HoldEvicted():
            timers.evict_hold(work)
        case inputs.RecordTooLarge():
            failures.bury_too_large(work)
        case inputs.Dropped(purged):
            timers.discard(work, purged=purged)
        case inputs.RetentionExpired():
            timers.expire_retention(work)
    work.finish()


def _apply_event(
    work: transition.Transition,
    input_: (
        inputs.CallbackTaken
        | inputs.RecheckTaken
        | inputs.RegistrationTaken
        | inputs.ReturnTaken
    ),
) -> None:
    match input_:
        case inputs.CallbackTaken(event, claim):
            callbacks.take_callback(work, event, claim)
        case inputs.RecheckTaken(event):
            callbacks.take_recheck(work, event)
        case inputs.RegistrationTaken(event):
            registrations.take_registration(work, event)
        case inputs.ReturnTaken(event):
            registrations.take_return(work, event)


def _apply_to_flight(
    work: transition.Transition,
    input_: inputs.InterpretStarting | inputs.FetchSucceeded | inputs.FetchFailed,
) -> None:
    """Take what concerns the fetch in flight; of any other fetch it is too late."""
    flight = work.session.flight
    if flight is None or flight.seq != input_.seq:
        return
    match input_:
        case inputs.InterpretStarting():
            failures.start_mapping(work, flight)
        case inputs.FetchSucceeded(_, result):
            fetches.take_result(work, flight, result)
        case inputs.FetchFailed(_, failure, counted):
            failures.take_failure(work, flight, failure, counted=counted)
