"""The checker of chaos finds every kind of broken promise, and nothing else."""

import dataclasses
import uuid
from collections.abc import Callable
from typing import Any

import pytest

from tests.chaos import checker, reading

_KEY = ("idnow", "s1")
_Topics = tuple[reading.Read, checker.Expected]
_Plant = Callable[[reading.Read, checker.Expected], object]


def _seen(topic: str, offset: int, ce_id: str = "", **body: object) -> reading.Seen:
    place = reading.Place(topic=topic, partition=3, offset=offset, at_ms=1000 + offset)
    return reading.Seen(place=place, body=body, ce_id=ce_id)


def _id(revision: int) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"kyc:idnow:s1:{revision}"))


def _decision(revision: int, outcome: str, **changed: object) -> dict[str, Any]:
    result: dict[str, Any] = {
        "decision_id": _id(revision),
        "revision": revision,
        "outcome": outcome,
        "final": outcome != "pending",
        "reason": "verified",
        "cause": {"type": "callback", "event_id": "e1"},
        "supersedes": _id(revision - 1) if revision > 1 else None,
    }
    return result | changed


def _decided(found: reading.Read, decision: dict[str, Any]) -> None:
    """Put *decision* where the worker puts it."""
    offset = 10 * decision["revision"]
    topic = f"decisions.{decision['outcome']}"
    found.decisions[_KEY].append(_seen(topic, offset, **decision))
    found.latest[_KEY].append(_seen("decisions", offset, **decision))


def _good() -> _Topics:
    """Return a session that was pending and then approved."""
    found = reading.Read()
    found.events[_KEY] += [_seen("events", 1, "e1"), _seen("events", 2, "e2")]
    found.ledger.add(_KEY)
    _decided(found, _decision(1, "pending"))
    _decided(found, _decision(2, "approved"))
    return found, checker.Expected(outcome="approved", acknowledged=["e1", "e2"])


def _again(revision: int, **changed: object) -> _Plant:
    """Return a plant that replaces what stands of *revision* everywhere."""

    def plant(found: reading.Read, _: checker.Expected) -> None:
        for held in (found.decisions, found.latest):
            held[_KEY] = [
                dataclasses.replace(each, body=each.body | changed)
                if each.body["revision"] == revision
                else each
                for each in held[_KEY]
            ]

    return plant


def _moved(seen: reading.Seen, **changed: object) -> reading.Seen:
    place = dataclasses.replace(seen.place, **changed)  # type: ignore[arg-type] # -- its fields
    return dataclasses.replace(seen, place=place)


def _swapped(found: reading.Read, _: checker.Expected) -> None:
    """Put the second revision before the first, in one topic."""
    first, second = found.decisions[_KEY]
    found.decisions[_KEY] = [
        _moved(first, topic="decisions.pending", offset=90),
        _moved(second, topic="decisions.pending", offset=80),
    ]


def _undone(found: reading.Read, _: checker.Expected) -> None:
    _decided(found, _decision(3, "pending"))


def _lost(found: reading.Read, _: checker.Expected) -> None:
    found.decisions.clear()
    found.latest.clear()
    found.ledger.clear()


def _undecided(found: reading.Read, _: checker.Expected) -> None:
    found.decisions.clear()
    found.latest.clear()


def _words(**changed: object) -> _Plant:
    def plant(_: reading.Read, expected: checker.Expected) -> None:
        for name, value in changed.items():
            setattr(expected, name, value)

    return plant


_PLANTS: list[tuple[_Plant, int, str]] = [
    (lambda found, _: found.events[_KEY].pop(), 1, "event e2 was acknowledged"),
    (_words(wrong_answers=["404"]), 1, "answered 404"),
    (_words(wrong_answers=["never"]), 1, "answered never"),
    (_lost, 2, "is nowhere"),
    (lambda found, _: found.decisions[_KEY].pop(0), 3, "a gap or a repeat"),
    (
        lambda found, _: found.decisions[_KEY].append(
            _moved(found.decisions[_KEY][1], offset=99)
        ),
        3,
        "a gap or a repeat",
    ),
    (_swapped, 3, "out of order in decisions.pending"),
    (
        lambda found, _: found.decisions[_KEY].append(
            _moved(found.decisions[_KEY].pop(), topic="decisions.rejected")
        ),
        3,
        "r2 stands in decisions.rejected",
    ),
    (_again(2, decision_id=str(uuid.uuid4())), 3, "r2 has an id of its own"),
    (
        lambda found, _: found.events[_KEY].append(
            _moved(_seen("events", 3, "e3"), partition=4)
        ),
        3,
        "in the partitions [3, 4]",
    ),
    (lambda found, _: found.latest[_KEY].pop(), 3, "does not end with the last"),
    (lambda found, _: found.latest[_KEY].reverse(), 3, "kyc.decisions goes [2, 1]"),
    (
        lambda found, _: found.latest[_KEY].append(found.latest[_KEY][-1]),
        3,
        "kyc.decisions goes [1, 2, 2]",
    ),
    (
        lambda found, _: found.latest[_KEY].append(_seen("decisions", 99)),
        3,
        "has forgotten it",
    ),
    (
        _again(1, cause={"type": "callback", "event_id": "e9"}),
        3,
        "r1 comes of an event that is not there",
    ),
    (_again(2, supersedes=None), 3, "r2 does not name what it supersedes"),
    (_words(forged=True), 4, "everything about it was forged"),
    (_words(unknown_word=True), 5, "an unknown word was approved"),
    (_words(outcome="rejected"), 5, "never by its provider"),
    (_words(outcome=None), 5, "never by its provider"),
    (_undone, 6, "r3 undoes a final by a preliminary"),
    (lambda found, _: _decided(found, _decision(3, "approved")), 6, "2 finals"),
    (_again(1, final=True), 6, "r1 is final and pending"),
    (_words(outcome="rejected"), 6, "it is approved and must end rejected"),
    (_undecided, 6, "it is undecided and must end approved"),
]


@pytest.mark.parametrize(
    ("plant", "promise", "words"), _PLANTS, ids=[words for _, _, words in _PLANTS]
)
def test_every_planted_violation_is_reported(
    plant: _Plant, promise: int, words: str
) -> None:
    """Each is named by its promise and its session, with the session's history."""
    found, expected = _good()
    plant(found, expected)

    reported = checker.violations(found, {_KEY: expected})

    (one,) = [v for v in reported if v.promise == promise and words in v.sentence]
    assert one.session == "idnow:s1"
    assert str(one).startswith(f"promise {promise}: idnow:s1: ")
    assert any(line.startswith("in the ledger") for line in one.history)


def test_the_history_tells_all_that_is_known() -> None:
    """Events, decisions with their causes, and dead letters, in order of time."""
    found, expected = _good()
    found.letters.append(
        _seen("dlq", 50, source="idnow", session_id="s1", reason="stale")
    )
    expected.outcome = "rejected"

    result = str(checker.violations(found, {_KEY: expected})[0])

    order = ["acknowledged ['e1', 'e2']", "event e1", "event e2", "r1 pending/verified"]
    order += ["r2 approved/verified by callback e1", "dead letter stale"]
    assert sorted(order, key=result.index) == order


def test_a_decision_about_nobody_is_reported() -> None:
    """A session without a callback must have no decision."""
    found, _ = _good()

    (one,) = checker.violations(found, {})

    assert one.promise == 4
    assert one.session == "idnow:s1"


@pytest.mark.parametrize("kept", ["ledger", "dlq"])
def test_what_is_not_decided_may_wait_or_be_buried(kept: str) -> None:
    """A session that its provider denies is in order as long as it is somewhere."""
    found = reading.Read()
    found.events[_KEY].append(_seen("events", 1, "e1"))
    if kept == "ledger":
        found.ledger.add(_KEY)
    else:
        found.letters.append(
            _seen("dlq", 5, source="idnow", session_id="s1", reason="stale")
        )
    expected = checker.Expected(outcome=None, acknowledged=["e1"])

    assert checker.violations(found, {_KEY: expected}) == []


def test_what_is_forged_may_not_be_known() -> None:
    """A forged callback that nobody took is no violation."""
    expected = checker.Expected(outcome="approved", forged=True)

    assert checker.violations(reading.Read(), {_KEY: expected}) == []


def test_a_good_session_is_no_violation() -> None:
    """What the plants start from is in order."""
    found, expected = _good()

    assert checker.violations(found, {_KEY: expected}) == []
