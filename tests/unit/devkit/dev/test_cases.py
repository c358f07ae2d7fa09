"""What is expected of each case agrees with what the simulated provider holds."""

from collections.abc import Mapping

import pytest

from worker import model
from worker.devkit import simulators
from worker.devkit.dev import cases, sample_config
from worker.devkit.simulators import Scenario

_EVERY = list(cases.every())


def test_every_provider_plays_every_scenario() -> None:
    """Each provider plays each scenario once; id beyond errs where it is asked."""
    played = {(case.source.partition("_")[0], case.name) for case in _EVERY}
    expected = [
        (source, name)
        for source in sample_config.names()
        for name in cases.scenarios(source)
    ]
    assert set(expected) == played
    assert len(_EVERY) == len(expected)
    assert {name for _, name in expected} == set(cases.Name)
    assert [
        case.source for case in _EVERY if case.source not in sample_config.names()
    ] == [sample_config.FETCHED]


@pytest.mark.parametrize("case", _EVERY, ids=lambda case: f"{case.source}-{case.name}")
def test_the_last_revision_is_the_provider_s_truth(
    case: cases.Case, playing: Mapping[str, simulators.Simulator]
) -> None:
    """What is expected last is the outcome that the provider holds, where it calls."""
    simulator = playing[case.source]
    session_id = simulator.add(case.acts[-1])
    truth = simulator.truth(session_id)
    assert truth is not None
    heard = [truth.outcome] if truth.heard else []
    assert heard == [step.outcome for step in case.expected[-1:]]
    assert truth.heard == (case.answer == 200)


@pytest.mark.parametrize("name", list(cases.Name))
def test_each_name_is_played_as_it_says(name: cases.Name) -> None:
    """No scenario is another one under its name."""
    outcome = {
        cases.Name.REJECTED: model.Outcome.REJECTED,
        cases.Name.PENDING: model.Outcome.PENDING,
    }.get(name, model.Outcome.APPROVED)
    trouble = {
        cases.Name.PENDING_THEN_APPROVED: "pending_first",
        cases.Name.REPEATED: "repeat",
        cases.Name.BAD_SIGNATURE: "bad_signature",
        cases.Name.NOT_READY: "not_ready",
        cases.Name.PROVIDER_ERROR: "errors",
        cases.Name.UNKNOWN_STATUS: "unknown_word",
    }.get(name)
    for case in _EVERY:
        last = case.acts[-1]
        if case.name is not name:
            continue
        assert outcome is last.outcome
        if len(case.acts) > 1:
            # The signed callback says so itself: there is nothing to be asked for.
            assert (name, case.source) == (cases.Name.NOT_READY, sample_config.SIGNED)
            assert case.acts[0].status == "none"
        elif trouble is not None:
            assert getattr(last, trouble)
        else:
            assert Scenario(outcome=outcome) == last
