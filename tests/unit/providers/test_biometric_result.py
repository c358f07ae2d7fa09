"""Biometric.kz: every row of the result table."""

from typing import Any

import pytest

from worker import errors
from worker.providers.biometric import tables

_GOOD: dict[str, Any] = {"result": True, "prediction": "0.99"}
_BAD: dict[str, Any] = {"result": False}
_LDHP: dict[str, Any] = {"code": "LDHP", "name": "Liveness Head Position"}
_F2F: dict[str, Any] = {"code": "F2F"}
_UNNAMED: dict[str, Any] = {"name": "Document Recognition"}

_UNRECOGNISED = ("pending", "unrecognised_result", ["unrecognised_result"])
_CONTRADICTION = ("pending", "unrecognised_result", ["contradictory_result"])
_PROGRESS: tuple[Any, ...] = ("pending", "in_progress", [])
_APPROVED: tuple[Any, ...] = ("approved", "verified", [])


def _map(document: dict[str, Any], *, approve: bool = False) -> tables.Mapped:
    return tables.map_result(
        {"id": "not looked at"} | document,
        approve_without_status=approve,
        consent_field="status",
    )


def _verdict(document: dict[str, Any], *, approve: bool = False) -> tuple[Any, ...]:
    verdict, alarms = _map(document, approve=approve)
    return (verdict.outcome, verdict.reason, list(alarms))


def _ended(status: str, *, passed: object, **rest: object) -> dict[str, Any]:
    return {"status": status, "flow_session_result": passed} | rest


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        (_ended("FINISHED", passed=True, liveness_result=_GOOD), _APPROVED),
        (
            _ended(
                "FINISHED",
                passed=True,
                technologies=[_LDHP, {"code": "NEW"}],
                liveness_result=_GOOD,
                new_result=_GOOD,
            ),
            _APPROVED,
        ),
        (
            _ended("FINISHED", passed=True, document_recognition_result={"a": "b"}),
            _APPROVED,
        ),
        (
            _ended(
                "FINISHED",
                passed=True,
                technologies=[_F2F],
                face2face_result=_GOOD,
                liveness_result={},
            ),
            _APPROVED,
        ),
        (
            _ended(
                "FINISHED",
                passed=True,
                flow_session_failure_reasons=[],
                liveness_result=_GOOD,
            ),
            _APPROVED,
        ),
        (
            _ended(
                "FINISHED",
                passed=True,
                flow_session_failure_reasons=[None],
                liveness_result=_GOOD,
            ),
            _CONTRADICTION,
        ),
        (
            _ended("FINISHED", passed=True, gbdfl_result={"status": "INVALID"}),
            _APPROVED,
        ),
        (_ended("FINISHED", passed=True, liveness_result=_BAD), _CONTRADICTION),
        (_ended("FINISHED", passed=True, something_new_result=_BAD), _CONTRADICTION),
        (
            _ended(
                "FINISHED", passed=True, liveness_result=_GOOD, face2face_result=_BAD
            ),
            _CONTRADICTION,
        ),
        (
            _ended(
                "FINISHED", passed=True, flow_session_failure_reasons=["Mask Attack"]
            ),
            _CONTRADICTION,
        ),
        (
            _ended(
                "FINISHED", passed=True, liveness_result=_GOOD | {"failure_reason": {}}
            ),
            _CONTRADICTION,
        ),
        (_ended("FAILED", passed=True), _CONTRADICTION),
        (_ended("FAILED", passed=True, liveness_result=_GOOD), _CONTRADICTION),
        (_ended("FAILED", passed=False), ("rejected", "declined", [])),
        (_ended("FINISHED", passed=False), ("rejected", "declined", [])),
        (_ended("FAILED", passed=None), _UNRECOGNISED),
        (_ended("FINISHED", passed=None), _UNRECOGNISED),
        ({"status": "FINISHED"}, _UNRECOGNISED),
        ({"status": "FAILED", "liveness_result": _BAD}, _UNRECOGNISED),
        (
            _ended("FINISHED", passed=None, gbdfl_result={"status": "PENDING"}),
            _PROGRESS,
        ),
        (
            _ended("FINISHED", passed=0, gbdfl_result={"status": "PENDING"}),
            _UNRECOGNISED,
        ),
        (_ended("PROGRESS", passed=None), _PROGRESS),
        (_ended("PROGRESS", passed=True, liveness_result=_GOOD), _PROGRESS),
        (_ended("PROGRESS", passed=False, liveness_result={}), _PROGRESS),
    ],
)
def test_each_row_with_a_status(
    document: dict[str, Any], expected: tuple[Any, ...]
) -> None:
    """A result with a status becomes what the first matching row says."""
    assert expected == _verdict(document)


@pytest.mark.parametrize(
    "status",
    [
        "finished",
        "Finished",
        "FINISHED ",
        "EXPIRED",
        "",
        None,
        True,
        1,
        ["FINISHED"],
        {},
    ],
)
def test_any_other_status_is_not_recognised(status: object) -> None:
    """A word, case or type outside the table is pending and raises an alarm."""
    document = {"status": status, "flow_session_result": True, "liveness_result": _GOOD}
    assert _verdict(document, approve=True) == _UNRECOGNISED
    listed = "unlisted" if status is not None else None
    assert listed == _map(document)[0].provider_status


@pytest.mark.parametrize(
    "broken",
    [
        {"liveness_result": "true"},
        {"liveness_result": []},
        {"liveness_result": 1},
        {"liveness_result": {"result": "true"}},
        {"liveness_result": {"result": 1}},
        {"liveness_result": {"result": None}},
        {"liveness_result": None, "technologies": [_LDHP]},
        {"liveness_result": None},
        {
            "technologies": [_LDHP, _F2F, {"code": "NEW"}],
            "face2face_result": None,
            "liveness_result": _GOOD,
            "new_result": _GOOD,
        },
        {
            "technologies": [{"code": "NEW"}],
            "face2face_result": None,
            "new_result": _GOOD,
        },
        {"technologies": [{"code": None}], "liveness_result": _GOOD},
        {"technologies": [{"code": ["LDHP"]}], "liveness_result": _GOOD},
        {"technologies": "LDHP"},
        {"technologies": {}},
        {"technologies": None},
        {"technologies": ["LDHP"]},
        {"technologies": [None]},
    ],
)
def test_a_broken_shape_is_not_approved(broken: dict[str, Any]) -> None:
    """A part or a list of another type than documented is no approval."""
    assert _verdict(_ended("FINISHED", passed=True, **broken)) == _UNRECOGNISED


@pytest.mark.parametrize("passed", [True, False, None])
@pytest.mark.parametrize("status", ["FINISHED", "FAILED"])
@pytest.mark.parametrize(
    ("code", "part"),
    [
        ("LD", "liveness_result"),
        ("LDHP", "liveness_result"),
        ("LDD", "liveness_result"),
        ("F2F", "face2face_result"),
        ("ED", "edocument_result"),
        ("DR", "document_recognition_result"),
        ("GBDFL", "gbdfl_result"),
    ],
)
def test_an_empty_expected_part_is_not_ready(
    code: str, part: str, status: str, passed: object
) -> None:
    """After the end an empty part of a listed technology means: ask again."""
    technologies = [{"code": code}]
    with pytest.raises(errors.NotReady):
        _map(_ended(status, passed=passed, technologies=technologies, **{part: {}}))


@pytest.mark.parametrize(
    "technologies", [[], [_UNNAMED], [{"code": "NEW"}], [{"code": 1}], "x", None]
)
def test_an_empty_part_is_not_ready_where_technologies_are_unclear(
    technologies: object,
) -> None:
    """Where the expected parts are not known, any empty one may be expected."""
    with pytest.raises(errors.NotReady):
        _map(
            _ended(
                "FINISHED", passed=True, technologies=technologies, liveness_result={}
            )
        )


_BOTH = [_LDHP, _F2F]


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ({"technologies": _BOTH, "liveness_result": _GOOD}, _PROGRESS),
        (
            {"technologies": _BOTH, "liveness_result": _GOOD, "face2face_result": {}},
            _PROGRESS,
        ),
        ({"technologies": _BOTH, "liveness_result": _BAD}, _PROGRESS),
        ({"technologies": [_LDHP], "liveness_result": None}, _PROGRESS),
        ({"technologies": [_UNNAMED]}, _PROGRESS),
        ({"technologies": [_UNNAMED, _LDHP], "liveness_result": _GOOD}, _PROGRESS),
        ({"liveness_result": {}}, _PROGRESS),
        (
            {"technologies": [_LDHP], "liveness_result": _BAD},
            ("rejected", "biometric_failed", []),
        ),
        ({"liveness_result": _BAD, "flow_session_result": True}, _CONTRADICTION),
        ({"liveness_result": _GOOD}, _UNRECOGNISED),
        ({"technologies": [_UNNAMED], "liveness_result": _GOOD}, _UNRECOGNISED),
        ({}, _UNRECOGNISED),
        ({"technologies": []}, _UNRECOGNISED),
        ({"flow_session_result": True}, _UNRECOGNISED),
    ],
)
def test_each_row_without_a_status(
    document: dict[str, Any], expected: tuple[Any, ...]
) -> None:
    """The seed guide's shape is pending or rejected, never approved by default."""
    assert expected == _verdict(document)


@pytest.mark.parametrize(
    ("document", "approved"),
    [
        ({"liveness_result": _GOOD}, True),
        ({"technologies": [_LDHP], "liveness_result": _GOOD}, True),
        ({"technologies": [_UNNAMED], "document_recognition_result": {"a": 1}}, True),
        ({"liveness_result": _GOOD, "flow_session_result": True}, True),
        ({"liveness_result": _GOOD, "flow_session_result": False}, False),
        ({"liveness_result": _GOOD, "flow_session_result": 1}, False),
        ({"liveness_result": {"result": "true"}}, False),
        ({"liveness_result": _GOOD, "face2face_result": _BAD}, False),
        ({"liveness_result": _GOOD, "face2face_result": {}}, False),
        ({"liveness_result": _GOOD, "face2face_result": []}, False),
        ({"liveness_result": _GOOD | {"failure_reason": {"type": "NO_CAM"}}}, False),
        ({"liveness_result": _GOOD, "flow_session_failure_reasons": ["x"]}, False),
        ({"technologies": _BOTH, "liveness_result": _GOOD}, False),
        ({"technologies": [_UNNAMED, _LDHP], "liveness_result": _GOOD}, False),
        ({"technologies": ["LDHP"], "liveness_result": _GOOD}, False),
        ({"technologies": []}, False),
        ({}, False),
    ],
)
def test_without_a_status_only_good_parts_approve_and_only_if_asked(
    document: dict[str, Any],
    approved: bool,  # noqa: FBT001 -- a parameter of the table above
) -> None:
    """With the setting, all parts good and there approve; anything else does not."""
    assert approved == (_verdict(document, approve=True) == _APPROVED)
