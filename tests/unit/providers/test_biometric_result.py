"""Biometric.kz: every row of the result table, and every failure reason."""

from typing import Any

import pytest

from worker import errors
from worker.providers import biometric_facts, biometric_tables

_GOOD: dict[str, Any] = {"result": True, "prediction": "0.99"}
_BAD: dict[str, Any] = {"result": False}
_LDHP: dict[str, Any] = {"code": "LDHP", "name": "Liveness Head Position"}
_F2F: dict[str, Any] = {"code": "F2F"}
_UNNAMED: dict[str, Any] = {"name": "Document Recognition"}

_UNRECOGNISED = ("pending", "unrecognised_result", ["unrecognised_result"])
_CONTRADICTION = ("pending", "unrecognised_result", ["contradictory_result"])
_PROGRESS: tuple[Any, ...] = ("pending", "in_progress", [])
_APPROVED: tuple[Any, ...] = ("approved", "verified", [])


def _map(document: dict[str, Any], *, approve: bool = False) -> biometric_tables.Mapped:
    return biometric_tables.map_result(
        {"id": "not looked at"} | document,
        approve_without_status=approve,
        consent_field="status",
    )


def _told(document: dict[str, Any], *, approve: bool = False) -> tuple[Any, ...]:
    verdict, alarms = _map(document, approve=approve)
    return (verdict.outcome, verdict.reason, list(alarms))


def _ended(status: str, *, passed: object, **rest: object) -> dict[str, Any]:
    return {"status": status, "flow_session_result": passed} | rest


def _failed_with(*reasons: object) -> dict[str, Any]:
    parts = [
        {"result": False, "failure_reason": reason} if reason is not None else _BAD
        for reason in reasons
    ]
    names = ("liveness_result", "face2face_result")
    return _ended("FAILED", passed=False) | dict(zip(names, parts, strict=False))


def _pair(kind: object, detail: object = None) -> dict[str, Any]:
    return {"type": kind} | ({} if detail is None else {"detail": detail})


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        (_ended("FINISHED", passed=True), _APPROVED),
        (_ended("FINISHED", passed=True, liveness_result=_GOOD), _APPROVED),
        (
            _ended("FINISHED", passed=True, document_recognition_result={"a": "b"}),
            _APPROVED,
        ),
        (_ended("FINISHED", passed=True, technologies=[_F2F]), _APPROVED),
        (
            _ended("FINISHED", passed=True, technologies=[_F2F], liveness_result={}),
            _APPROVED,
        ),
        (_ended("FINISHED", passed=True, flow_session_failure_reasons=[]), _APPROVED),
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
        (_ended("PROGRESS", passed=None), _PROGRESS),
        (_ended("PROGRESS", passed=True, liveness_result=_GOOD), _PROGRESS),
        (_ended("PROGRESS", passed=False, liveness_result={}), _PROGRESS),
    ],
)
def test_each_row_with_a_status(
    document: dict[str, Any], expected: tuple[Any, ...]
) -> None:
    """A result with a status becomes what the first matching row says."""
    assert expected == _told(document)


@pytest.mark.parametrize("passed", [1, 0, "true", "True", [True], {}, 1.0])
@pytest.mark.parametrize("status", ["FINISHED", "FAILED"])
def test_a_verdict_of_another_type_is_not_recognised(
    status: str, passed: object
) -> None:
    """Only the boolean itself is a verdict."""
    assert _told(_ended(status, passed=passed)) == _UNRECOGNISED


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
    assert _told(document, approve=True) == _UNRECOGNISED
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
        {"technologies": "LDHP"},
        {"technologies": {}},
        {"technologies": None},
        {"technologies": ["LDHP"]},
        {"technologies": [None]},
    ],
)
def test_a_broken_shape_is_not_approved(broken: dict[str, Any]) -> None:
    """A part or a list of another type than documented is no approval."""
    assert _told(_ended("FINISHED", passed=True, **broken)) == _UNRECOGNISED


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


_SUBSCRIPTIONS = [
    _pair("CLIENT", "No active or future subscription for technology"),
    _pair("CLIENT", "Subscription does not have access to technology"),
    _pair("NEW", "SUBSCRIPTION expired"),
]


@pytest.mark.parametrize("reason", _SUBSCRIPTIONS)
@pytest.mark.parametrize(
    "head",
    [
        _ended("FAILED", passed=False),
        _ended("FINISHED", passed=True),
        _ended("FINISHED", passed=False, face2face_result={}),
        _ended("PROGRESS", passed=None),
        _ended("SOMETHING_NEW", passed=None),
        {},
    ],
)
def test_the_subscription_comes_before_everything(
    head: dict[str, Any], reason: dict[str, Any]
) -> None:
    """Our bill is not their face: pending and an alarm, whatever else is said."""
    expected = ("pending", "provider_unavailable", ["subscription"])
    part = {"result": False, "failure_reason": reason}
    assert expected == _told(head | {"liveness_result": part})
    flow_wide = {"flow_session_failure_reasons": [reason["detail"]]}
    assert expected == _told(head | flow_wide)
    assert expected == _told(head | {"flow_session_failure_reasons": [reason]})


@pytest.mark.parametrize(
    ("kind", "detail", "reason"),
    [
        ("CALC_RESULT", "Mask Attack", "fraud"),
        ("OTHER", "Incorrect image hash", "fraud"),
        ("CALC_RESULT", "Closed eyes", "biometric_failed"),
        ("CALC_RESULT", "Low prediction", "biometric_failed"),
        ("CALC_RESULT", "Low overall prediction", "biometric_failed"),
        ("CLIENT", "Could not find face distance", "biometric_failed"),
        ("CLIENT", "Medical mask check failed", "biometric_failed"),
        ("CLIENT", "Illumination check failed", "biometric_failed"),
        (
            "CLIENT",
            "Liveness result for this session already exists",
            "not_completed",
        ),
        ("CLIENT", "Could not send image to liveness service", "not_completed"),
        ("SERVICE_ERROR", "Could not send image to liveness service", None),
        ("CLIENT", "Operation aborted by user", None),
        ("OTHER", "Operation aborted by user", None),
        ("SERVICE_ERROR", None, None),
        ("REQUEST_ERROR", None, None),
        ("NO_CAM", None, None),
        ("TIMEOUT", None, None),
    ],
)
@pytest.mark.parametrize("status", ["FAILED", "FINISHED", None])
def test_each_published_pair(
    status: str | None, kind: str, detail: str | None, reason: str | None
) -> None:
    """Each published pair gives its reason; the technical ones a new session."""
    document = _failed_with(_pair(kind, detail)) | {"status": status}
    if status is None:
        del document["status"], document["flow_session_result"]
    verdict, alarms = _map(document)
    retryable = reason != "fraud"
    assert (
        "rejected",
        reason or "technical_failure",
        retryable,
        "new_session" if retryable else "none",
        status,
        detail or kind,
        (),
    ) == (
        verdict.outcome,
        verdict.reason,
        verdict.retryable,
        verdict.next_step,
        verdict.provider_status,
        verdict.provider_reason,
        alarms,
    )


def test_every_pair_of_the_table_is_tested_above() -> None:
    """The published list holds 17 pairs beside the two about the subscription."""
    assert len(biometric_facts.REASONS) == 17


@pytest.mark.parametrize(
    "unknown",
    [
        _pair("SERVICE_ERROR", "Mask Attack"),
        _pair("NO_CAM", "something"),
        _pair("TIMEOUT", ""),
        _pair("timeout"),
        _pair("SOMETHING_NEW"),
        _pair("CALC_RESULT"),
        _pair(None),
        _pair(["NO_CAM"]),
        {"type": "NO_CAM", "detail": 0},
        {"detail": "Mask Attack"},
        {},
        [],
        5,
        True,
        "timeout",
    ],
)
def test_an_unknown_pair_is_not_technical(unknown: object) -> None:
    """A reason outside the table is a plain refusal, also beside a technical one."""
    for document in (
        _failed_with(unknown),
        _failed_with(_pair("NO_CAM"), unknown),
        _ended(
            "FAILED", passed=False, flow_session_failure_reasons=["NO_CAM", unknown]
        ),
    ):
        verdict, _ = _map(document)
        assert (
            verdict.outcome,
            verdict.reason,
            verdict.retryable,
            verdict.provider_reason,
        ) == ("rejected", "declined", False, "unlisted")


def test_technical_only_if_nothing_else_is_said() -> None:
    """Two technical reasons stay technical; one finding beside them decides."""
    technical = _failed_with(_pair("NO_CAM"), _pair("TIMEOUT"))
    assert _told(technical) == ("rejected", "technical_failure", [])
    mixed = _failed_with(_pair("NO_CAM"), _pair("CALC_RESULT", "Low prediction"))
    assert _told(mixed) == ("rejected", "biometric_failed", [])
    graver = _failed_with(
        _pair("CALC_RESULT", "Low prediction"), _pair("CALC_RESULT", "Mask Attack")
    )
    assert _told(graver) == ("rejected", "fraud", [])
    silent = _failed_with(_pair("NO_CAM"), None)
    assert _told(silent) == ("rejected", "biometric_failed", [])


@pytest.mark.parametrize(
    ("reasons", "reason"),
    [
        (["NO_CAM"], "technical_failure"),
        (["Operation aborted by user", "TIMEOUT"], "technical_failure"),
        (["Could not send image to liveness service"], "not_completed"),
        (["Mask Attack", "TIMEOUT"], "fraud"),
        ([_pair("CALC_RESULT", "Closed eyes")], "biometric_failed"),
        (["Ivanov was not found"], "declined"),
        ("NO_CAM", "technical_failure"),
        ({"a": 1}, "declined"),
    ],
)
def test_reasons_of_the_whole_flow(reasons: object, reason: str) -> None:
    """A word alone stands for every pair that has it; the gravest counts."""
    document = _ended("FINISHED", passed=False, flow_session_failure_reasons=reasons)
    assert ("rejected", reason, []) == _told(document | {"liveness_result": _BAD})


def test_free_text_never_leaves() -> None:
    """What a reason says beyond the table is told as unlisted."""
    document = _ended(
        "FAILED", passed=False, flow_session_failure_reasons=["Ivanov, 1990"]
    )
    assert _map(document)[0].provider_reason == "unlisted"


@pytest.mark.parametrize(
    ("part", "reason"),
    [
        ("liveness_result", "biometric_failed"),
        ("face2face_result", "biometric_failed"),
        ("edocument_result", "declined"),
        ("document_recognition_result", "declined"),
        ("gbdfl_result", "declined"),
        ("something_new_result", "declined"),
    ],
)
def test_a_failed_part_without_a_reason(part: str, reason: str) -> None:
    """A failed comparison of faces is a finding; any other silent part is refused."""
    verdict, _ = _map(_ended("FAILED", passed=False, **{part: _BAD}))
    assert (reason, None) == (verdict.reason, verdict.provider_reason)


@pytest.mark.parametrize(
    ("consent", "reason"),
    [
        ("INVALID", "consent_refused"),
        ("TIMEOUT", "not_completed"),
        ("PENDING", "declined"),
        ("VALID", "declined"),
        ("SOMETHING_NEW", "declined"),
        (["INVALID"], "declined"),
        (None, "declined"),
    ],
)
@pytest.mark.parametrize("part", [{}, _BAD])
def test_the_consent_explains_a_rejection(
    part: dict[str, Any], consent: object, reason: str
) -> None:
    """A refused or unanswered consent is no finding about the person."""
    document = _ended("FAILED", passed=False, gbdfl_result=part | {"status": consent})
    verdict, _ = _map(document)
    assert (reason, reason != "declined") == (verdict.reason, verdict.retryable)


def test_a_finding_outweighs_the_consent() -> None:
    """A failed face stays the reason beside a refused consent."""
    document = _failed_with(_pair("CALC_RESULT", "Low prediction"))
    document["gbdfl_result"] = {"status": "INVALID"}
    assert _told(document) == ("rejected", "biometric_failed", [])


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
    assert expected == _told(document)


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
        ({"liveness_result": _GOOD | {"failure_reason": _pair("NO_CAM")}}, False),
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
    assert approved == (_told(document, approve=True) == _APPROVED)
