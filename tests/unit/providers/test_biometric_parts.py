"""Biometric.kz: what a passed flow must hold beside its verdict."""

from typing import Any

import pytest

from worker import errors
from worker.providers.biometric import tables

_GOOD: dict[str, Any] = {"result": True, "prediction": "0.99"}
_BAD: dict[str, Any] = {"result": False}
_LDHP: dict[str, Any] = {"code": "LDHP", "name": "Liveness Head Position"}
_F2F: dict[str, Any] = {"code": "F2F"}
_UNNAMED: dict[str, Any] = {"name": "Document Recognition"}
_BOTH = [_LDHP, _F2F]
_UNRECOGNISED = ("pending", "unrecognised_result", ["unrecognised_result"])
_NEW: dict[str, Any] = {"code": "NEW"}


def _map(document: dict[str, Any]) -> tables.Mapped:
    return tables.map_result(
        {"id": "not looked at"} | document,
        approve_without_status=False,
        consent_field="status",
    )


def _verdict(document: dict[str, Any]) -> tuple[Any, ...]:
    verdict, alarms = _map(document)
    return (verdict.outcome, verdict.reason, list(alarms))


def _ended(status: str, *, passed: object, **rest: object) -> dict[str, Any]:
    return {"status": status, "flow_session_result": passed} | rest


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"technologies": []},
        {"technologies": [_F2F]},
        {"technologies": [_F2F], "liveness_result": _GOOD},
        {"technologies": _BOTH, "liveness_result": _GOOD},
        {"technologies": [_UNNAMED]},
        {"technologies": [_LDHP, _NEW], "liveness_result": _GOOD},
        {"technologies": [_LDHP, _NEW], "new_result": _GOOD},
        {"technologies": [*_BOTH, _NEW], "liveness_result": _GOOD, "new_result": _GOOD},
        {
            "technologies": [_LDHP, {"code": "LD"}, _NEW],
            "liveness_result": _GOOD,
        },
    ],
)
def test_a_technology_without_a_part_is_not_ready(document: dict[str, Any]) -> None:
    """A passed flow has a part for what it lists; a new code excuses no known one."""
    with pytest.raises(errors.NotReady):
        _map(_ended("FINISHED", passed=True) | document)


@pytest.mark.parametrize("technologies", [_BOTH, [_LDHP, _NEW]])
def test_a_failed_flow_ends_before_its_last_technology(technologies: object) -> None:
    """Where it failed, what comes after that is not there, and a rejection stands."""
    document = _ended("FAILED", passed=False, technologies=technologies)
    body = _verdict(document | {"liveness_result": _BAD})
    assert body == ("rejected", "biometric_failed", [])


@pytest.mark.parametrize("reasons", ["", 0, False, {}, "Mask Attack", {"type": "x"}])
def test_reasons_of_another_type_block_an_approval(reasons: object) -> None:
    """Reasons that are no list may be reasons all the same."""
    document = _ended("FINISHED", passed=True, flow_session_failure_reasons=reasons)
    outcome, reason, alarms = _verdict(document | {"liveness_result": _GOOD})
    assert (outcome, reason) == ("pending", "unrecognised_result")
    assert alarms


@pytest.mark.parametrize("passed", [1, 0, "true", "True", [True], {}, 1.0])
@pytest.mark.parametrize("status", ["FINISHED", "FAILED"])
def test_a_verdict_of_another_type_is_not_recognised(
    status: str, passed: object
) -> None:
    """Only the boolean itself is a verdict."""
    assert _verdict(_ended(status, passed=passed)) == _UNRECOGNISED
