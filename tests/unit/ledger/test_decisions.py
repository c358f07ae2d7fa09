"""Decisions: revisions, what makes a new one, references, hints, late results."""

import dataclasses
import uuid
from typing import Any

import pytest

from tests.support import inputs
from worker import errors, ledger, model

A, R, P = inputs.approved, inputs.rejected, inputs.pending


def test_revisions_are_contiguous_and_chained() -> None:
    """Revisions count from 1; each names the one before; ids follow from the number."""
    history = inputs.decided(P())
    history.fetch(R())
    history.recheck()
    history.fetch(A())
    ids = [
        str(uuid.uuid5(uuid.NAMESPACE_URL, f"kyc:idnow_de:tx-1:{revision}"))
        for revision in (1, 2, 3)
    ]
    assert [decision.revision for decision in history.decisions] == [1, 2, 3]
    assert ids == [decision.decision_id for decision in history.decisions]
    assert [None, *ids[:2]] == [decision.supersedes for decision in history.decisions]


def test_a_decision_says_whose_it_is() -> None:
    """A decision carries the session's identity, the provider and both times."""
    history = inputs.History()
    history.callback()
    history.wait(inputs.SECOND)
    history.start()
    history.wait(inputs.SECOND)
    history.answer(A())
    decision = history.latest
    assert decision.key == inputs.KEY
    assert (decision.provider_session_id, decision.provider) == ("TX-1", "idnow")
    assert model.Environment.TEST is decision.environment
    assert (history.now, history.now) == (decision.observed_at, decision.decided_at)
    assert decision.cause.received_at == inputs.START


def test_a_poll_is_no_callback() -> None:
    """A decision that a scheduled fetch brought has the cause poll and no event."""
    history = inputs.decided(P())
    history.fetch(A())
    assert model.Cause(type=model.CauseType.POLL) == history.latest.cause


@pytest.mark.parametrize(
    ("change", "news"),
    [
        ({"outcome": model.Outcome.REJECTED}, True),
        ({"reason": model.Reason.IN_PROGRESS}, True),
        ({"retryable": True}, True),
        ({"next_step": model.NextStep.CONTINUE_SESSION}, True),
        ({"flags": (model.Flag.LIKELY_APPROVED,)}, True),
        ({"provider_status": "CHECK_PENDING"}, False),
        ({"provider_reason": "X"}, False),
        ({"provider_time": 7}, False),
    ],
)
def test_only_substance_is_news(change: dict[str, Any], *, news: bool) -> None:
    """A revision comes only when what a decision is made of changes."""
    history = inputs.decided(P())
    history.fetch(dataclasses.replace(P(), **change))
    assert (2 if news else 1) == len(history.decisions)


def test_a_preliminary_after_a_final_is_ignored_and_counted() -> None:
    """A fetched preliminary never undoes a final; it is counted and polls nothing."""
    history = inputs.decided(A())
    history.recheck()
    effects = history.fetch(P())
    assert inputs.notes(effects) == [ledger.CounterKind.STALE_PRELIMINARY]
    assert len(history.decisions) == 1
    assert not history.state.open


def test_a_later_fetch_may_bring_another_final() -> None:
    """Fetched finals are ordered by their fetches: the later one wins."""
    history = inputs.decided(A())
    history.recheck()
    history.fetch(R())
    assert model.Outcome.REJECTED is history.latest.verdict.outcome


def test_a_final_ends_the_polls() -> None:
    """After a final nothing is due any more, and nothing of the polls is left."""
    history = inputs.decided(P())
    history.fetch(P())
    history.fetch(A())
    assert not history.state.open
    assert (history.state.rechecks, history.state.pending_cause) == (0, None)


def test_pending_is_polled_ever_more_seldom() -> None:
    """A pending session is polled by the list, whose last interval repeats."""
    history = inputs.decided(P())
    waits = []
    for _ in range(7):
        waits.append((history.state.due_at or 0) - history.now)
        history.fetch(P())
    assert [w / inputs.MINUTE for w in waits] == [5, 15, 60, 360, 1440, 1440, 1440]


def test_a_callback_begins_the_polls_again() -> None:
    """News of a pending session make its polls frequent again."""
    history = inputs.decided(P())
    history.fetch(P())
    history.callback()
    history.fetch(P())
    wait = (history.state.due_at or 0) - history.now
    assert history.rules.recheck_ms(0) == wait


def test_a_late_reference_is_a_new_revision() -> None:
    """The company's own id that comes late is said in a revision of what stands."""
    history = inputs.decided(P())
    history.fetch(P(), reference="order-1")
    assert [d.reference for d in history.decisions] == [None, "order-1"]
    assert history.decisions[0].verdict == history.decisions[1].verdict


def test_a_reference_and_a_verdict_are_one_revision() -> None:
    """A reference that comes with a new verdict makes one revision with both."""
    history = inputs.decided(P())
    history.fetch(A(), reference="order-1")
    assert len(history.decisions) == 2
    assert history.latest.reference == "order-1"
    assert model.Outcome.APPROVED is history.latest.verdict.outcome


def test_a_late_reference_with_a_late_preliminary_is_said_of_the_final() -> None:
    """A late result that changes nothing else may still bring the reference."""
    history = inputs.decided(A())
    history.recheck()
    history.fetch(P(), reference="order-1")
    assert [decision.verdict.outcome for decision in history.decisions] == [
        model.Outcome.APPROVED
    ] * 2
    assert history.latest.reference == "order-1"


def test_a_differing_reference_is_an_alarm() -> None:
    """The first reference stays; another one makes it pending, and tells a person."""
    history = inputs.History()
    history.callback()
    history.fetch(P(), reference="order-1")
    effects = history.fetch(P(), reference="order-2")
    assert inputs.alarms(effects) == [model.AlarmKind.REFERENCE_MISMATCH]
    assert history.state.reference == "order-1"
    assert [d.verdict.reason for d in history.decisions] == [
        model.Reason.UNDER_REVIEW,
        model.Reason.REFERENCE_MISMATCH,
    ]
    assert {decision.reference for decision in history.decisions} == {"order-1"}


def test_the_same_reference_again_is_nothing() -> None:
    """The reference that is known already is no news and no alarm."""
    history = inputs.History()
    history.callback()
    history.fetch(P(), reference="order-1")
    effects = history.fetch(P(), reference="order-1")
    assert (inputs.alarms(effects), inputs.emitted(effects)) == ([], [])


def test_a_signed_callback_brings_its_reference() -> None:
    """The provider's signed word may name the company's own id, late too."""
    history = inputs.History(inputs.SIGNED)
    history.callback(inputs.signed(A(at=1)))
    history.callback(inputs.signed(A(at=1)), reference="order-1")
    assert [d.reference for d in history.decisions] == [None, "order-1"]


@pytest.mark.parametrize(
    "claim",
    [None, inputs.unconfirmed(), inputs.hint(A())],
    ids=["none", "claim", "hint"],
)
def test_an_unsigned_callback_names_no_customer(claim: model.Claim | None) -> None:
    """Who knows the URL cannot say whose approval a session's result is."""
    history = inputs.History()
    history.callback(claim, reference="somebody-else")
    effects = history.fetch(A(), reference="order-1")
    assert model.AlarmKind.REFERENCE_MISMATCH not in inputs.alarms(effects)
    assert history.latest.reference == "order-1"


def test_a_hint_that_differs_is_an_alarm() -> None:
    """A callback that says otherwise than the fetched final reaches a person."""
    history = inputs.History()
    history.callback(inputs.hint(A()))
    effects = history.fetch(R())
    assert inputs.alarms(effects) == [model.AlarmKind.HINT_DIFFERS]
    assert model.Outcome.REJECTED is history.latest.verdict.outcome
    assert history.state.hint is None


def test_a_hint_that_agrees_is_nothing() -> None:
    """A callback that says the same as the fetched final is forgotten."""
    history = inputs.History()
    history.callback(inputs.hint(A()))
    assert inputs.alarms(history.fetch(A())) == []
    assert history.state.hint is None


def test_a_hint_waits_for_the_final() -> None:
    """A pending result is not held against a hint; the final after it is."""
    history = inputs.History()
    history.callback(inputs.hint(A()))
    assert inputs.alarms(history.fetch(P())) == []
    assert inputs.alarms(history.fetch(R())) == [model.AlarmKind.HINT_DIFFERS]


def test_a_preliminary_hint_is_no_promise() -> None:
    """A callback that said pending is not contradicted by a later final."""
    history = inputs.History()
    history.callback(inputs.hint(P()))
    assert inputs.alarms(history.fetch(A())) == []


def test_a_hint_is_not_held_against_an_older_fetch() -> None:
    """Only a fetch that started after the callback can contradict its hint."""
    history = inputs.decided(R())
    history.recheck()
    history.start()
    history.callback(inputs.hint(A()))
    assert inputs.alarms(history.answer(R())) == []
    assert inputs.alarms(history.fetch(A())) == []
    assert model.Outcome.APPROVED is history.latest.verdict.outcome


def test_a_results_own_alarms_are_raised() -> None:
    """What the adapter finds alarming in a result reaches a person."""
    history = inputs.History()
    history.callback()
    history.start()
    alarming = dataclasses.replace(
        inputs.result(P()), alarms=(model.AlarmKind.PROVIDER_SUBSCRIPTION,)
    )
    effects = history.apply(ledger.FetchSucceeded(1, alarming))
    assert inputs.alarms(effects) == [model.AlarmKind.PROVIDER_SUBSCRIPTION]


def test_before_the_first_answer_there_is_no_decision() -> None:
    """Callbacks, retries and results that are not ready emit nothing."""
    history = inputs.History()
    history.callback()
    history.fetch_failing(errors.NotReady)
    history.fetch_failing(errors.ProviderTimeout)
    history.callback()
    assert history.decisions == []
