"""A case is as expected only if everything about it is."""

import dataclasses

import pytest

from worker import model, policy
from worker.devkit import simulators
from worker.devkit.dev import cases, scenario_run, table
from worker.devkit.simulators import Scenario

_SESSION = "5b1c2a7e-0d3f-4c6b-9a8e-1f2d3c4b5a69"
_PENDING = policy.pending(model.Reason.UNDER_REVIEW, status="pending_review")
_APPROVED = policy.approved(status="approved")


def _decision(revision: int, verdict: model.Verdict) -> model.Decision:
    return model.Decision(
        decision_id=f"d{revision}",
        environment=model.Environment.TEST,
        source="idbeyond",
        provider="idbeyond",
        session_id=_SESSION,
        provider_session_id=_SESSION,
        reference=None,
        revision=revision,
        verdict=verdict,
        supersedes=None,
        cause=model.Cause(type=model.CauseType.POLL),
        observed_at=1_000,
        decided_at=1_000 + revision,
    )


def _played(
    *verdicts: model.Verdict, answers: tuple[int, ...] = (200,)
) -> scenario_run.ScenarioResult:
    return scenario_run.ScenarioResult(
        case=cases.Case(
            source="idbeyond",
            name=cases.Name.PENDING_THEN_APPROVED,
            acts=(Scenario(),),
            expected=(
                cases.Step(model.Outcome.PENDING, model.Reason.UNDER_REVIEW),
                cases.Step(model.Outcome.APPROVED, model.Reason.VERIFIED),
            ),
        ),
        key=model.SessionKey("idbeyond", _SESSION),
        truth=simulators.Truth(
            outcome=model.Outcome.APPROVED, provider_status="approved", heard=True
        ),
        began_at=990,
        answers=list(answers),
        decisions=[_decision(n, verdict) for n, verdict in enumerate(verdicts, 1)],
    )


def test_what_is_as_expected_has_no_problem() -> None:
    """Expected revisions, contiguous, answered 200, and the provider's truth."""
    played = _played(_PENDING, _APPROVED)
    assert played.complete
    assert played.problems() == []
    assert played.took_ms == 12
    assert table.row(played, [], " -> ") == [
        "idbeyond",
        "pending then approved",
        "pending(under_review) -> approved",
        "pending(under_review) -> approved",
        "12",
    ]


@pytest.mark.parametrize(
    ("played", "problems"),
    [
        (_played(), ["another history"]),
        (_played(_PENDING), ["another history", "the provider holds approved"]),
        (_played(_PENDING, _APPROVED, _APPROVED), ["another history"]),
        (_played(_PENDING, _APPROVED, answers=(200, 401)), ["answered 401"]),
        (_played(_PENDING, _APPROVED, answers=()), ["answered never"]),
        (
            _played(_PENDING, policy.approved(status="unlisted")),
            ["the provider says approved"],
        ),
    ],
)
def test_what_differs_is_named(
    played: scenario_run.ScenarioResult, problems: list[str]
) -> None:
    """A missing, a surplus and another revision, another answer, another word."""
    found = played.problems()
    assert set(problems) <= set(found)
    assert table.row(played, found, " -> ")[3].endswith(f"({'; '.join(found)})")


def test_a_gap_or_a_repeat_of_revisions_is_named() -> None:
    """Exactly once means one, two, three, and each of them once."""
    played = _played(_PENDING, _APPROVED)
    last = dataclasses.replace(played.decisions[-1], revision=3)
    played.decisions[-1] = last
    assert played.problems() == ["revisions 1, 3"]
    played.decisions[-1] = dataclasses.replace(last, revision=1)
    assert "revisions 1, 1" in played.problems()


def test_a_refused_callback_must_lead_to_nothing() -> None:
    """Where the callbacks are refused no decision is expected, and one is wrong."""
    played = _played(answers=(401,))
    played.case = dataclasses.replace(
        played.case, name=cases.Name.BAD_SIGNATURE, expected=(), answer=401
    )
    played.truth = simulators.Truth(
        outcome=model.Outcome.APPROVED, provider_status="approved", heard=False
    )
    assert played.problems() == []
    assert table.row(played, [], " -> ")[2:4] == ["401, no decision"] * 2
    played.decisions.append(_decision(1, _APPROVED))
    assert played.problems() == ["another history"]
