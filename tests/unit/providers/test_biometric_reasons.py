"""Biometric.kz: every failure reason, and what it makes of a rejection."""

from typing import Any

import pytest

from worker.providers.biometric import results, tables

_BAD: dict[str, Any] = {"result": False}


def _map(document: dict[str, Any]) -> tables.Mapped:
    return tables.map_result(
        document,
        approve_without_status=False,
        consent_field="status",
    )


def _verdict(document: dict[str, Any]) -> tuple[Any, ...]:
    verdict, alarms = _map(document)
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
    expected = ("pending", "provider_unavailable", ["provider_subscription"])
    part = {"result": False, "failure_reason": reason}
    assert expected == _verdict(head | {"liveness_result": part})
    flow_wide = {"flow_session_failure_reasons": [reason["detail"]]}
    assert expected == _verdict(head | flow_wide)
    assert expected == _verdict(head | {"flow_session_failure_reasons": [reason]})


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
    assert len(results.REASONS) == 17


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
        {"type": "NO_CAM", "detail": []},
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
    assert _verdict(technical) == ("rejected", "technical_failure", [])
    mixed = _failed_with(_pair("NO_CAM"), _pair("CALC_RESULT", "Low prediction"))
    assert _verdict(mixed) == ("rejected", "biometric_failed", [])
    graver = _failed_with(
        _pair("CALC_RESULT", "Low prediction"), _pair("CALC_RESULT", "Mask Attack")
    )
    assert _verdict(graver) == ("rejected", "fraud", [])
    silent = _failed_with(_pair("NO_CAM"), None)
    assert _verdict(silent) == ("rejected", "biometric_failed", [])


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
    assert ("rejected", reason, []) == _verdict(document | {"liveness_result": _BAD})


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


def test_a_flow_may_have_a_reason_of_its_own() -> None:
    """A pair on the level of the flow counts as one of a part does."""
    document = _ended("FAILED", passed=False, failure_reason=_pair("NO_CAM"))
    assert _verdict(document) == ("rejected", "technical_failure", [])


def test_a_silent_failure_beside_a_technical_one_is_not_technical() -> None:
    """A failed look-up in the state database says nothing of why."""
    document = _failed_with(_pair("NO_CAM")) | {"gbdfl_result": _BAD}
    assert _verdict(document) == ("rejected", "declined", [])


def test_a_finding_outweighs_the_consent() -> None:
    """A failed face stays the reason beside a refused consent."""
    document = _failed_with(_pair("CALC_RESULT", "Low prediction"))
    document["gbdfl_result"] = {"status": "INVALID"}
    assert _verdict(document) == ("rejected", "biometric_failed", [])
