"""The course of a simulated session."""

import pytest

from worker import model
from worker.devkit.simulators import _scenario

_CALLBACKS = [
    _scenario.OutgoingCallback(
        delay_s=0, method="POST", path="/", headers={}, body=body
    )
    for body in (b"1", b"2", b"3")
]


def _bodies(scenario: _scenario.Scenario) -> list[bytes]:
    return [callback.body for callback in _scenario.schedule(scenario, _CALLBACKS)]


def test_the_turns_come_in_their_order() -> None:
    """Hanging, errors, not ready, preliminary, and then the outcome for ever."""
    scenario = _scenario.Scenario(hang=1, errors=2, not_ready=1, pending_first=1)
    held = _scenario.SimulatedSession("s", scenario)

    assert not held.ended
    turns = [(str(held.turn()), held.ended) for _ in range(7)]

    assert turns == [
        ("hang", False),
        ("error", False),
        ("error", False),
        ("not_ready", False),
        ("pending", False),
        ("outcome", True),
        ("outcome", True),
    ]


def test_callbacks_are_lost_repeated_and_out_of_order() -> None:
    """Each wish of the scenario shows in what is sent."""
    assert _bodies(_scenario.Scenario()) == [b"1", b"2", b"3"]
    assert _bodies(_scenario.Scenario(missing=True)) == []
    assert _bodies(_scenario.Scenario(reorder=True)) == [b"3", b"1", b"2"]
    assert _bodies(_scenario.Scenario(repeat=1)) == [
        b"1", b"1", b"2", b"2", b"3", b"3",
    ]  # fmt: skip


def test_the_delay_is_the_scenarios() -> None:
    """Every callback waits as long as the scenario says."""
    scenario = _scenario.Scenario(callback_delay_s=1.5)

    sent = _scenario.schedule(scenario, _CALLBACKS)

    assert [callback.delay_s for callback in sent] == [1.5] * 3


def test_nothing_secret_is_printed() -> None:
    """Path, headers and body of a callback may hold secrets."""
    callback = _scenario.OutgoingCallback(
        delay_s=0,
        method="POST",
        path="/planted",
        headers={"planted": "1"},
        body=b"planted",
    )

    assert "planted" not in repr(callback)


@pytest.mark.parametrize("outcome", list(model.Outcome))
def test_the_truth_is_the_outcome(outcome: model.Outcome) -> None:
    """Without faults a session ends in its outcome, and is heard of."""
    scenario = _scenario.Scenario(outcome=outcome, not_ready=3, repeat=2)

    assert _scenario.truth(scenario, "WORD") == _scenario.ExpectedDecision(
        outcome=outcome, provider_status="WORD", heard=True
    )


def test_the_truth_of_faulty_sessions() -> None:
    """An unknown word is pending, a denied session nothing, a forged one unheard."""
    unknown = _scenario.truth(_scenario.Scenario(unknown_word=True), "WORD")
    forged = _scenario.truth(_scenario.Scenario(bad_signature=True), "WORD")
    missing = _scenario.truth(_scenario.Scenario(missing=True), "WORD")

    assert unknown is not None
    assert (unknown.outcome, unknown.provider_status) == ("pending", "unlisted")
    assert forged is not None
    assert not forged.heard
    assert missing is not None
    assert not missing.heard
    assert _scenario.truth(_scenario.Scenario(denied=True), "WORD") is None


def test_a_scenario_comes_from_json() -> None:
    """Fields by name, the outcome by its word."""
    scenario = _scenario.Scenario.of({"outcome": "rejected", "repeat": 2})

    assert scenario == _scenario.Scenario(outcome=model.Outcome.REJECTED, repeat=2)


@pytest.mark.parametrize("values", [{"outcome": "maybe"}, {"hangs": 1}])
def test_a_scenario_that_is_none_is_refused(values: dict[str, object]) -> None:
    """A misspelt wish is not passed over."""
    with pytest.raises(ValueError, match=r"maybe|hangs"):
        _scenario.Scenario.of(values)
