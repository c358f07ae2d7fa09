"""
Biometric.kz: exactly what the documents call a success is approved.

What a success looks like is said again here, from the documents and not from our
tables: the Flow Widget guide, 4.5 (the fields of the result; "displayed only if the
client passed these technologies"), the webhook pages (``status``,
``flow_session_result``, a ``*_result`` for each technology, ``failure_reason`` an
object or null), and a public integration (the same two in the result call, a list of
reasons); all seen 2026-11-20.
"""

from typing import Any

import pytest
from hypothesis import given, settings

from tests.support import adapters, documents
from worker import clock as clocks
from worker import errors, model
from worker.providers import biometric

_SESSION, _OTHER = adapters.UUID, adapters.OTHER_UUID
_PARTS = {
    "LD": "liveness_result",
    "LDHP": "liveness_result",
    "LDD": "liveness_result",
    "F2F": "face2face_result",
    "ED": "edocument_result",
    "DR": "document_recognition_result",
    "GBDFL": "gbdfl_result",
}


def _adapter(*, without_status: bool) -> biometric.Adapter:
    given_settings = {
        "environment": "test",
        "flow_api_key": "synthetic",
        "approve_without_status": without_status,
    }
    return biometric.Adapter(
        "a", biometric.Settings.model_validate(given_settings), clocks.SystemClock()
    )


_ADAPTERS = {each: _adapter(without_status=each) for each in (False, True)}
_LIVE: dict[str, Any] = {
    "result": True,
    "eye_closed": False,
    "prediction": "0.9980",
    "face_center": True,
    "face_direction": "forward",
}
_FLOW_END: dict[str, Any] = {
    "id": _SESSION,
    "status": "FINISHED",
    "technologies": [{"code": "LDHP", "name": "Liveness Head Position"}],
    "liveness_result": _LIVE,
    "flow_session_result": True,
}
_SEEN: dict[str, Any] = {
    "id": _SESSION,
    "status": "FINISHED",
    "flow_session_result": True,
    "flow_session_failure_reasons": [],
    "technologies": [{"code": "LDHP"}, {"code": "F2F"}, {"code": "ED"}],
    "liveness_result": {"result": True, "prediction": "0.9", "failure_reason": None},
    "face2face_result": {"result": True, "prediction_percent": "99"},
    "edocument_result": {"phone": "1", "result_json": {"common": {}}},
}
_GUIDE: dict[str, Any] = {
    "id": _SESSION,
    "technologies": [{"name": "Document Recognition", "description": "Parse"}],
    "document_recognition_result": {"first_name": "First", "authority": "authority"},
}
_WITH_VERDICT = _GUIDE | {"status": "FINISHED", "flow_session_result": True}
_FAILED: dict[str, Any] = _FLOW_END | {
    "status": "FAILED",
    "liveness_result": {
        "result": False,
        "failure_reason": {"type": "CALC_RESULT", "detail": "Mask Attack"},
    },
    "flow_session_result": False,
}
_WORDS = (
    *("id", "session_id", "status", "flow_session_result", "technologies", "code"),
    *("flow_session_failure_reasons", "failure_reason", "result", "new_result"),
    *(*_PARTS, *_PARTS.values(), "NEW", "FINISHED", "FAILED", "PROGRESS", "INVALID"),
    *(_SESSION, _SESSION.upper(), _OTHER, "Mask Attack", {"code": "NEW"}, {"code": 1}),
    *({"code": "F2F"}, {"code": "LD"}, {"result": True}, {"result": 1}),
)


def _is_success(document: object, *, without_status: bool) -> bool:
    """Return whether *document*, perhaps with more in it, is a documented success."""
    if not isinstance(document, dict) or not _is_ours(document):
        return False
    verdict = document.get("flow_session_result")
    if "status" in document:
        said = document["status"] == "FINISHED" and verdict is True
    else:
        said = without_status and (verdict is None or verdict is True)
    return said and _objects_to_nothing(document) and _is_complete(document)


def _is_ours(document: dict[str, Any]) -> bool:
    ids = [document.get("id"), document.get("session_id", _SESSION)]
    return all(isinstance(each, str) and each.lower() == _SESSION for each in ids)


def _named(document: dict[str, Any]) -> dict[str, Any]:
    return {
        name: part
        for name, part in document.items()
        if name.endswith("_result") and name != "flow_session_result"
    }


def _objects_to_nothing(document: dict[str, Any]) -> bool:
    """Return whether nowhere a failure is told."""
    parts = [part for part in _named(document).values() if part is not None]
    return (
        document.get("failure_reason") is None
        and document.get("flow_session_failure_reasons") in (None, [])
        and all(
            isinstance(part, dict)
            and part.get("result", True) is True
            and part.get("failure_reason") is None
            for part in parts
        )
    )


def _is_complete(document: dict[str, Any]) -> bool:
    """Return whether each technology that is listed has its part, a filled one."""
    named = _named(document)
    technologies = document.get("technologies", [])
    if not isinstance(technologies, list) or not any(
        part is not None for part in named.values()
    ):
        return False
    if not all(
        isinstance(each, dict) and isinstance(each.get("code", ""), str)
        for each in technologies
    ):
        return False
    codes = [each.get("code") for each in technologies]
    known = {_PARTS[code] for code in codes if code in _PARTS}
    new = [code for code in codes if code not in _PARTS]
    if not technologies or new:
        # Whose part is whose is not known: then all of them must be filled.
        others = named.keys() - known
        return all(named.values()) and known <= named.keys() and len(others) >= len(new)
    return all(named.get(name) for name in known)


@settings(max_examples=400, deadline=None)
@given(documents.near([_FLOW_END, _SEEN, _GUIDE, _WITH_VERDICT, _FAILED], _WORDS))
@pytest.mark.parametrize("without_status", [False, True])
def test_a_result_is_approved_if_it_is_documented_so(
    without_status: bool,  # noqa: FBT001 -- a parameter
    document: object,
) -> None:
    """Our table and the documents agree on every document, and raise one family."""
    documented = _is_success(document, without_status=without_status)
    try:
        verdict = (
            _ADAPTERS[without_status]
            .interpret(adapters.key(), _SESSION, adapters.answer(document))
            .verdict
        )
    except errors.FetchError:
        assert not documented
    else:
        assert documented == (verdict.outcome is model.Outcome.APPROVED)
