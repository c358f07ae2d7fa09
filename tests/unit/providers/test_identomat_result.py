"""Identomat: what its results mean, and whose they are."""

from typing import Any

import pytest

from worker import clock as clocks
from worker import errors, model
from worker.providers import identomat

_SESSION = "wwb83rh1se22wd81z0tx8bqlerljq5kgf6rxem1q"
_OTHER = "ku2a5ldv4i13go76ftkych1je055nvyjtvjuurkp"
_KEY = model.SessionKey("identomat", _SESSION)
_COMPANY = "synthetic-company-key"


def _adapter(**settings: object) -> identomat.Adapter:
    given = {"environment": "test", "company_key": _COMPANY} | settings
    return identomat.Adapter(
        "identomat", identomat.Settings.model_validate(given), clocks.SystemClock()
    )


def _interpret(document: object, **settings: object) -> model.Result:
    answer = model.ProviderResponse(document=document, observed_at=7)
    return _adapter(**settings).interpret(_KEY, _SESSION, answer)


@pytest.mark.parametrize(
    ("document", "outcome", "reason", "word"),
    [
        ({"result": "approved"}, "approved", "verified", None),
        (
            {"result": "approved", "live": False, "similarity": 0},
            "approved",
            "verified",
            None,
        ),
        (
            {"result": "approved", "reject_reason": {"value": "", "description": ""}},
            "approved",
            "verified",
            None,
        ),
        ({"result": "approved", "reject_reason": None}, "approved", "verified", None),
        ({"result": "rejected"}, "rejected", "declined", None),
        (
            {"result": "rejected", "reject_reason": {"value": "face_mismatch"}},
            "rejected",
            "biometric_failed",
            "face_mismatch",
        ),
        (
            {"result": "rejected", "reject_reason": {"value": "Mr Specimen"}},
            "rejected",
            "declined",
            "unlisted",
        ),
        (
            {"result": "rejected", "reject_reason": {"value": ["face_mismatch"]}},
            "rejected",
            "declined",
            "unlisted",
        ),
        (
            {"result": "rejected", "reject_reason": {"value": ""}, "live": True},
            "rejected",
            "declined",
            None,
        ),
        ({"result": "manual_check"}, "pending", "under_review", None),
        ({"result": "in_progress"}, "pending", "in_progress", None),
        ({"result": "disagreed_with_terms"}, "rejected", "consent_refused", None),
    ],
)
def test_every_listed_word_has_its_verdict(
    document: dict[str, Any], outcome: str, reason: str, word: str | None
) -> None:
    """The rows of the table, of which live, similarity and empty reasons are none."""
    result = _interpret(document)

    assert (result.verdict.outcome, result.verdict.reason) == (outcome, reason)
    assert result.verdict.provider_status == document["result"]
    assert result.verdict.provider_reason == word
    assert (result.alarms, result.observed_at) == ((), 7)


def test_refused_terms_may_be_tried_again() -> None:
    """Who disagreed may be offered a new session."""
    verdict = _interpret({"result": "disagreed_with_terms"}).verdict

    assert verdict.retryable
    assert verdict.next_step is model.NextStep.NEW_SESSION


@pytest.mark.parametrize(
    ("status", "found"),
    [
        ("Approved", "unlisted"),
        ("APPROVED", "unlisted"),
        ("approved ", "unlisted"),
        ("approved\n", "unlisted"),
        ("ok", "unlisted"),
        ("", "unlisted"),
        (0, "unlisted"),
        (True, "unlisted"),
        (["approved"], "unlisted"),
        ({"approved": True}, "unlisted"),
        (None, None),
    ],
)
def test_an_unknown_word_is_pending(status: object, found: str | None) -> None:
    """Anything outside of the table is pending and told, and its text is not."""
    result = _interpret({"result": status, "live": True, "similarity": 1})

    assert result.verdict.outcome is model.Outcome.PENDING
    assert result.verdict.reason is model.Reason.UNRECOGNISED_RESULT
    assert result.verdict.provider_status == found
    assert result.alarms == (model.AlarmKind.UNRECOGNISED_RESULT,)


def test_a_result_without_its_word_is_pending() -> None:
    """A full result without ``result`` is not approved by the rest of it."""
    result = _interpret({"live": True, "similarity": 1})

    assert result.verdict.reason is model.Reason.UNRECOGNISED_RESULT


@pytest.mark.parametrize(
    "objection",
    [
        {"value": "face_mismatch", "description": ""},
        {"value": "", "description": "blurred"},
        "face_mismatch",
        ["face_mismatch"],
        True,
        {"reason": "fraud"},
        {"code": "face_mismatch"},
        {"value": [], "description": 0},
        {"value": None, "description": None},
        {"value": "", "description": "", "code": "face_mismatch"},
        {"value": ""},
        {"description": ""},
        {},
        [],
        [None],
        "",
        0,
        False,
    ],
)
def test_an_approval_with_an_objection_is_a_contradiction(objection: object) -> None:
    """Approved with a reason to reject is pending and an alarm."""
    result = _interpret({"result": "approved", "reject_reason": objection})

    assert result.verdict.reason is model.Reason.UNRECOGNISED_RESULT
    assert result.verdict.provider_status == "approved"
    assert result.alarms == (model.AlarmKind.CONTRADICTORY_RESULT,)


@pytest.mark.parametrize(
    "field", ["session_token", "sessionToken", "session_id", "sessionId"]
)
@pytest.mark.parametrize(
    "named", [_OTHER, _SESSION.upper(), "", 5, [_SESSION], "\ud800"]
)
def test_another_sessions_result_is_refused(field: str, named: object) -> None:
    """A session that does appear must be the one asked for."""
    with pytest.raises(errors.ResultMismatch):
        _interpret({"result": "approved", field: named})


@pytest.mark.parametrize("field", ["company_key", "companyKey"])
def test_another_companys_result_is_refused(field: str) -> None:
    """A company that does appear must be ours, and the key is not told."""
    with pytest.raises(errors.ResultMismatch) as caught:
        _interpret({"result": "approved", field: "another"})

    assert "another" not in str(caught.value)


def test_the_right_session_and_company_are_fine() -> None:
    """A result that names both rightly is mapped; a null names nothing."""
    named = {"session_token": _SESSION, "company_key": _COMPANY, "sessionId": None}
    result = _interpret({"result": "approved", **named})

    assert result.verdict.outcome is model.Outcome.APPROVED


def test_an_empty_object_is_not_ready() -> None:
    """A result that is still being made is asked for again."""
    with pytest.raises(errors.NotReady):
        _interpret({})


@pytest.mark.parametrize("document", [None, [], "approved", 1])
def test_what_is_no_object_is_a_bad_answer(document: object) -> None:
    """Another JSON value is no result."""
    with pytest.raises(errors.InvalidResponse):
        _interpret(document)


def test_guessed_words_are_settings() -> None:
    """Other spellings and reasons can be configured, the guesses then fall away."""
    words = {"MANUAL": "manual_check"}
    reasons = {"expired": "document_expired"}

    review = _interpret({"result": "MANUAL"}, status_words=words)
    unknown = _interpret({"result": "in_progress"}, status_words=words)
    expired = _interpret(
        {"result": "rejected", "reject_reason": {"value": "expired"}},
        reject_reasons=reasons,
    )

    assert review.verdict.reason is model.Reason.UNDER_REVIEW
    assert review.verdict.provider_status == "MANUAL"
    assert unknown.verdict.reason is model.Reason.UNRECOGNISED_RESULT
    assert expired.verdict.reason is model.Reason.DOCUMENT_EXPIRED
    assert expired.verdict.provider_reason == "expired"
