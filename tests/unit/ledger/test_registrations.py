"""Registrations: references, what they change and what they do not, held callbacks."""

import dataclasses

import pytest

from tests.support import inputs
from worker import ledger, model

A, R, P = inputs.approved, inputs.rejected, inputs.pending
_MISMATCH = model.Reason.REFERENCE_MISMATCH
_KNOWN = dataclasses.replace(inputs.FETCHED, registered_sessions_only=True)
_STRICT = dataclasses.replace(inputs.SIGNED, registered_sessions_only=True)
_GRACE = _KNOWN.registration_grace_ms


def _steps(effects: list[ledger.Effect]) -> list[ledger.Milestone]:
    return [
        effect.step for effect in effects if isinstance(effect, ledger.MilestoneReached)
    ]


def _reasons(history: inputs.History) -> list[model.Reason]:
    return [decision.verdict.reason for decision in history.decisions]


def test_a_registration_is_kept_and_says_nothing() -> None:
    """What the company says of a session is kept; its deadline is all that is due."""
    history = inputs.History()
    effects = history.register("order-1", expires_at=history.now + inputs.MINUTE)
    state = history.state
    assert _steps(effects) == [ledger.Milestone.REGISTERED]
    assert (state.reference, state.begin_id) == ("order-1", "begin-1")
    assert (state.registered_at, state.expires_at) == (
        history.now,
        history.now + inputs.MINUTE,
    )
    assert state.due_at == history.now + history.rules.session_deadline_ms
    assert not history.decisions
    assert not history.start()


def test_the_same_registration_again_is_nothing() -> None:
    """A repeat leaves the very same state, counts nothing and needs no record."""
    history = inputs.History()
    history.register()
    before = history.state
    history.wait(inputs.MINUTE)
    assert history.register() == []
    assert history.state is before


def test_a_later_expiry_puts_the_deadline_off() -> None:
    """What is learnt later of a session's end moves what is due for it."""
    history = inputs.History()
    history.register()
    begun = history.now
    effects = history.register(expires_at=begun + 2 * inputs.DAY)
    assert _steps(effects) == []
    assert history.state.due_at == begun + 2 * inputs.DAY


def test_a_registration_after_its_callback_is_a_new_revision() -> None:
    """A late reference is told, with the registration as its cause."""
    history = inputs.decided(A())
    effects = history.register("order-1")
    assert _steps(effects) == [
        ledger.Milestone.REGISTERED,
        ledger.Milestone.CALLED_BACK,
    ]
    assert [d.reference for d in history.decisions] == [None, "order-1"]
    assert history.latest.cause.type is model.CauseType.REGISTRATION
    assert history.latest.cause.received_at is None
    assert history.latest.verdict == A()
    assert history.state.due_at is None


def test_the_first_callback_is_counted_once() -> None:
    """A registered session is called back once, however often it is."""
    history = inputs.History()
    history.register()
    assert _steps(history.callback()) == [ledger.Milestone.CALLED_BACK]
    assert _steps(history.callback()) == []


def test_a_registered_session_s_decision_carries_its_reference() -> None:
    """Where the provider echoes nothing, the company's reference is there."""
    history = inputs.History()
    history.register("order-1")
    history.callback()
    history.fetch(A())
    assert [(d.reference, d.verdict) for d in history.decisions] == [("order-1", A())]


def test_another_reference_at_the_provider_is_pending() -> None:
    """A final with another's reference is not believed, and a person is inputs."""
    history = inputs.History()
    history.register("order-1")
    history.callback()
    effects = history.fetch(A(), reference="order-2")
    assert inputs.alarms(effects) == [model.AlarmKind.REFERENCE_MISMATCH]
    assert _reasons(history) == [_MISMATCH]
    assert history.latest.reference == "order-1"
    assert history.state.due_at is not None


def test_only_the_right_reference_ends_a_mismatch() -> None:
    """A result that says no reference leaves it in doubt; the right one ends it."""
    history = inputs.History()
    history.register("order-1")
    history.callback()
    history.fetch(A(), reference="order-2")
    history.fetch(A())
    assert _reasons(history) == [_MISMATCH]
    history.fetch(A(), reference="order-1")
    assert _reasons(history) == [_MISMATCH, model.Reason.VERIFIED]


def test_over_a_final_another_reference_is_an_alarm_alone() -> None:
    """What was told as final stays, whatever comes with another's reference."""
    history = inputs.History()
    history.register("order-1")
    history.callback()
    history.fetch(A(), reference="order-1")
    history.callback()
    for verdict in (P(), A()):
        effects = history.recheck() + history.fetch(verdict, reference="order-2")
        assert inputs.alarms(effects) == [model.AlarmKind.REFERENCE_MISMATCH]
    assert len(history.decisions) == 1


def test_a_registration_that_contradicts_what_is_pending_doubts_it() -> None:
    """The company's word takes the reference's place; what stands becomes pending."""
    history = inputs.History()
    history.callback()
    history.fetch(P(), reference="order-2")
    effects = history.register("order-1")
    assert inputs.alarms(effects) == [model.AlarmKind.REFERENCE_MISMATCH]
    assert _reasons(history) == [model.Reason.UNDER_REVIEW, _MISMATCH]
    assert history.latest.reference == "order-1"
    assert history.latest.cause.type is model.CauseType.REGISTRATION
    history.fetch(A(), reference="order-2")
    assert _reasons(history)[-1] is _MISMATCH


def test_a_registration_that_contradicts_a_final_is_an_alarm_alone() -> None:
    """A decision that was told as final keeps its reference."""
    history = inputs.History()
    history.callback()
    history.fetch(A(), reference="order-2")
    effects = history.register("order-1")
    assert inputs.alarms(effects) == [model.AlarmKind.REFERENCE_MISMATCH]
    assert len(history.decisions) == 1
    assert history.state.reference == "order-2"
    assert history.state.registered


def test_of_two_registrations_the_first_stands() -> None:
    """Another reference for a registered session is an alarm and no change."""
    history = inputs.History()
    history.register("order-1")
    before = history.state
    effects = history.register("order-2")
    assert inputs.alarms(effects) == [model.AlarmKind.REFERENCE_MISMATCH]
    assert history.state is before


def test_a_signed_final_with_another_reference_is_pending() -> None:
    """Where the callback is the verdict, one for another order decides nothing."""
    history = inputs.History(inputs.SIGNED)
    history.register("order-1")
    effects = history.callback(inputs.signed(A(at=1)), reference="order-2")
    assert inputs.alarms(effects) == [model.AlarmKind.REFERENCE_MISMATCH]
    assert _reasons(history) == [_MISMATCH]
    history.callback(inputs.signed(A(at=2)), reference="order-1")
    assert _reasons(history) == [_MISMATCH, model.Reason.VERIFIED]
    assert history.state.due_at is None


# -- sessions that nobody registered, where only known ones count


def test_a_stranger_s_callback_is_held() -> None:
    """It starts no fetch; what waits is its registration."""
    history = inputs.History(_KNOWN)
    effects = history.callback()
    assert inputs.notes(effects) == [ledger.CounterKind.AWAITING_REGISTRATION]
    assert history.state.due_at == history.now + _GRACE
    history.wait(_GRACE)
    assert not inputs.fetches(history.start())


def test_a_registration_lets_a_held_wake_up_through() -> None:
    """Within the grace time the callback is answered by a fetch, with its own cause."""
    history = inputs.History(_KNOWN)
    history.callback()
    history.wait(_GRACE - 1)
    effects = history.register()
    assert _steps(effects) == [
        ledger.Milestone.REGISTERED,
        ledger.Milestone.CALLED_BACK,
    ]
    assert inputs.fetches(history.start())
    history.answer(A())
    assert history.latest.cause.type is model.CauseType.CALLBACK
    assert history.latest.reference == "order-1"


def test_a_registration_lets_a_held_verdict_through() -> None:
    """A signed verdict is told once its session is known, and not before."""
    history = inputs.History(_STRICT)
    history.callback(inputs.signed(P(at=1)))
    history.wait(1)
    history.callback(inputs.signed(A(at=2)))
    received = history.now
    assert not history.decisions
    history.wait(1)
    history.register()
    assert [d.revision for d in history.decisions] == [1]
    assert history.latest.verdict == A(at=2)
    assert history.latest.cause.received_at == received
    assert history.state.due_at is None


def test_a_held_verdict_with_another_reference_is_pending() -> None:
    """Nothing final was told yet: the mismatch is."""
    history = inputs.History(_STRICT)
    history.callback(inputs.signed(A(at=1)), reference="order-2")
    effects = history.register("order-1")
    assert inputs.alarms(effects) == [model.AlarmKind.REFERENCE_MISMATCH]
    assert _reasons(history) == [_MISMATCH]
    assert history.latest.reference == "order-1"


@pytest.mark.parametrize("rules", [_KNOWN, _STRICT], ids=["fetched", "signed"])
def test_a_stranger_ends_after_the_grace_time(rules: object) -> None:
    """It is counted into the hour's summary, and forgotten."""
    assert isinstance(rules, type(_KNOWN))
    history = inputs.History(rules)
    history.callback(None if rules.fetches else inputs.signed(A(at=1)))
    history.wait(_GRACE - 1)
    assert history.apply(ledger.TimerFired()) == []
    history.wait(1)
    effects = history.apply(ledger.TimerFired())
    assert effects == [
        ledger.Count(ledger.CounterKind.UNKNOWN),
        ledger.UnregisteredExpired(),
    ]
    assert history.session is None
    assert not history.decisions


def test_a_stranger_waits_on_while_events_are_behind() -> None:
    """Its registration may be among them: the grace time begins again."""
    history = inputs.History(_KNOWN)
    history.callback()
    history.wait(_GRACE)
    assert history.apply(ledger.TimerFired(behind=True)) == []
    assert history.state.due_at == history.now + _GRACE


def test_a_stranger_ends_early_where_there_is_no_room() -> None:
    """It is counted as it is at its time; one that is not held is left alone."""
    history = inputs.History(_KNOWN)
    history.callback()
    assert ledger.UnregisteredExpired() in history.apply(ledger.HoldEvicted())
    history = inputs.decided(P())
    before = history.state
    assert history.apply(ledger.HoldEvicted()) == []
    assert history.state is before


def test_an_operator_vouches_for_a_stranger() -> None:
    """The recheck command fetches what is held."""
    history = inputs.History(_KNOWN)
    history.callback()
    history.recheck()
    assert inputs.fetches(history.start())


def test_what_was_known_before_is_not_held() -> None:
    """A session that there is already goes on, registered or not."""
    history = inputs.decided(P())
    history.rules = _KNOWN
    history.callback()
    assert inputs.fetches(history.start())


def test_lost_events_end_no_hold() -> None:
    """After a gap in the topic the registration may still come."""
    history = inputs.History(_KNOWN)
    history.callback()
    before = history.state
    history.apply(ledger.EventsLost())
    assert history.state is before
