"""
Identomat: exactly what the documents call a success is approved.

What a success looks like is said again here, from the documents and not from our
tables: the vendor's API reference (an approved result), and two results in the test
data of a public connector (my-prop-trading/identomat-connector: a rejected one, and an
approved proof of address); all seen 2026-11-20.
"""

from typing import Any

from hypothesis import given, settings

from tests.support import documents
from worker import clock as clocks
from worker import errors, model
from worker.providers import identomat

_SESSION = "wwb83rh1se22wd81z0tx8bqlerljq5kgf6rxem1q"
_OTHER = "ku2a5ldv4i13go76ftkych1je055nvyjtvjuurkp"
_COMPANY = "synthetic-company-key"
_KEY = model.SessionKey("a", _SESSION)
_ADAPTER = identomat.Adapter(
    "a",
    identomat.Settings.model_validate({"environment": "test", "company_key": _COMPANY}),
    clocks.SystemClock(),
)

_APPROVED: dict[str, Any] = {
    "result": "approved",
    "similarity": 0.9027283530404249,
    "live": False,
    "document_type": "id",
    "generalDocuments": [{"pages": [{"typeId": "utility-bill", "final": {}}]}],
}
_ADDRESS: dict[str, Any] = {
    "result": "approved",
    "similarity": 0,
    "live": False,
    "document_type": "",
    "generalDocuments": [],
    "reject_reason": {"value": "", "description": ""},
    "result_comment": "done",
    "face_images": 0,
    "person": {},
}
_REJECTED: dict[str, Any] = {
    "result": "rejected",
    "live": True,
    "reject_reason": {"value": "face_mismatch", "description": ""},
    "result_comment": "3123",
    "person": {"status": "FIELDS_MISMATCH"},
}
_WORDS = (
    *("result", "reject_reason", "value", "description", "code", "live", "similarity"),
    *("session_token", "sessionToken", "session_id", "sessionId"),
    *("company_key", "companyKey", "approved", "rejected", "manual_check"),
    *("face_mismatch", _SESSION, _OTHER, _COMPANY, "person"),
)


def _is_success(document: object) -> bool:
    """Return whether *document*, perhaps with more in it, is a documented success."""
    return (
        isinstance(document, dict)
        and document.get("result") == "approved"
        # An objection is not there at all, or it is the empty one of the sample.
        and document.get("reject_reason") in (None, {"value": "", "description": ""})
        and all(
            document.get(name) in (None, _SESSION)
            for name in ("session_token", "sessionToken", "session_id", "sessionId")
        )
        and all(
            document.get(name) in (None, _COMPANY)
            for name in ("company_key", "companyKey")
        )
    )


@settings(max_examples=400, deadline=None)
@given(documents.near([_APPROVED, _ADDRESS, _REJECTED], _WORDS))
def test_a_result_is_approved_if_it_is_documented_so(document: object) -> None:
    """Our table and the documents agree on every document, and raise one family."""
    try:
        answer = model.ProviderResponse(document=document, observed_at=7)
        verdict = _ADAPTER.interpret(_KEY, _SESSION, answer).verdict
    except errors.FetchError:
        assert not _is_success(document)
    else:
        assert _is_success(document) == (verdict.outcome is model.Outcome.APPROVED)
