"""
id beyond: exactly what the documents call a success is approved.

What a success looks like is said again here, from the documents and not from our
tables: the integration guide (``reviewStatus``), and the vendor's operator starter
(docs/API.md and src/routes/webhooks-kyc.ts: ``decision`` of two words or null, the body
of a completion, ids that may be left out); both seen 2026-11-20. Where the starter lets
``decision`` win over a ``reviewStatus`` that contradicts it, we do not.
"""

from typing import Any

import pytest
from hypothesis import given, settings

from tests.support import adapters, documents
from worker import clock as clocks
from worker import errors, model
from worker.providers import idbeyond

_SESSION, _OTHER = adapters.UUID, adapters.OTHER_UUID


def _adapter(**more: object) -> idbeyond.Adapter:
    given_settings = {"environment": "test", "api_key": "sk_test_synthetic"} | more
    return idbeyond.Adapter(
        "a", idbeyond.Settings.model_validate(given_settings), clocks.SystemClock()
    )


_BY_CALLBACK, _BY_FETCH = _adapter(), _adapter(result="fetch")
_ON_REVIEW = _adapter(result="fetch", approve_on_review_status=True)

_COMPLETED: dict[str, Any] = {
    "event": "verification.completed",
    "verificationSessionId": _SESSION,
    "externalUserId": "f9f0-b3a1",
    "decision": "approved",
    "reviewStatus": "approved",
    "rationale": "",
    "metadata": {},
    "timestamp": "2026-04-23T18:55:15.817Z",
}
_SHORT: dict[str, Any] = {
    "event": "verification.completed",
    "verificationSessionId": _SESSION,
    "decision": "approved",
}
_TWICE = _SHORT | {"session_id": _SESSION, "sessionId": _SESSION}
_REVIEW: dict[str, Any] = _SHORT | {"decision": None, "reviewStatus": "approved"}
_RESULT: dict[str, Any] = {"ok": True, "sessionId": _SESSION, "decision": "approved"}
_WORDS = (
    *("event", "verificationSessionId", "sessionId", "session_id", "id", "ok"),
    *("decision", "reviewStatus", "metadata", "approved", "rejected", "none"),
    *("pending_review", "pending", "verification.completed", _SESSION, _OTHER),
    *("verification.extraction", "externalUserId", _SESSION.upper()),
)
_NAMES = ("verificationSessionId", "sessionId", "session_id")


def _is_ours(document: dict[str, Any], names: tuple[str, ...]) -> bool:
    """Return whether everything that names a session names this one."""
    named = [document[name] for name in names if name in document]
    return bool(named) and all(
        isinstance(each, str) and each.lower() == _SESSION for each in named
    )


def _is_approved(document: dict[str, Any]) -> bool:
    decision = document.get("decision")
    return decision == "approved" and document.get("reviewStatus", "approved") == (
        "approved"
    )


@settings(max_examples=400, deadline=None)
@given(documents.near([_COMPLETED, _SHORT, _TWICE, _REVIEW], _WORDS))
def test_a_callback_is_approved_if_it_is_documented_so(document: Any) -> None:  # noqa: ANN401 -- any JSON
    """A signed completion of one session whose two words agree, and nothing else."""
    if not isinstance(document, dict):
        return  # the ingress takes objects only
    documented = (
        document.get("event") == "verification.completed"
        and "verificationSessionId" in document
        and _is_ours(document, _NAMES)
        and _is_approved(document)
    )
    try:
        normalised = _BY_CALLBACK.normalise(adapters.callback(document))
    except errors.UnmappableCallback:
        assert not documented
        return
    approved = False
    if isinstance(normalised, model.WakeUp) and normalised.session_id == _SESSION:
        event = adapters.event(normalised.provider_event, {**normalised.claim})
        claim = _BY_CALLBACK.claim(event)
        assert claim is not None
        approved = claim.verdict.outcome is model.Outcome.APPROVED
    assert documented == approved


@settings(max_examples=300, deadline=None)
@given(documents.near([_RESULT, _COMPLETED, _SHORT, _TWICE, _REVIEW], _WORDS))
@pytest.mark.parametrize("on_review", [False, True])
def test_a_result_is_approved_if_it_is_documented_so(
    on_review: bool,  # noqa: FBT001 -- a parameter
    document: Any,  # noqa: ANN401 -- any JSON
) -> None:
    """Our table and the documents agree on every document, and raise one family."""
    documented = (
        isinstance(document, dict)
        and _is_ours(document, (*_NAMES, "id"))
        and document.get("ok", True) is True
        and (
            _is_approved(document)
            or (
                on_review
                and document.get("decision") is None
                and document.get("reviewStatus") == "approved"
            )
        )
    )
    adapter = _ON_REVIEW if on_review else _BY_FETCH
    try:
        verdict = adapter.interpret(
            adapters.key(), _SESSION, adapters.answer(document)
        ).verdict
    except errors.FetchError:
        assert not documented
    else:
        assert documented == (verdict.outcome is model.Outcome.APPROVED)
