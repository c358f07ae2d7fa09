"""IDnow: what each reason of an abort or a withdrawal means."""

from typing import Any

import pytest

from worker import clock as clocks
from worker import model
from worker.providers import idnow
from worker.providers.idnow import tables

_KEY = model.SessionKey("idnow", "ah73jk3lm")

_REASONS = {
    "data_mismatch": (
        "DATA_APPLICATION_ADDRESS DATA_APPLICATION_DATA USER_WRONG_PERSON ID_DATA"
        " ID_DATA_OTHER"
    ),
    "document_expired": "DATA_ID_EXPIRED ID_EXPIRED ID_SECOND_DOCUMENT_EXPIRED",
    "document_invalid": (
        "TECH_ID_TYPE ID_OTHER ID_DAMAGED ID_NOT_SUPPORTED ID_BLURRY ID_GLARE"
        " ID_DARKNESS ID_DATA_COVERED ID_PERSPECTIVE ID_WRONG_SIDE ID_OUTWORN"
        " ID_HAS_STICKER ID_WRITTEN_ON ID_BROKEN ID_DAMAGED_OTHER"
        " ID_SECURITY_FEATURE_NOT_VISIBLE_NOT_FRAUD ID_SECURITY_FEATURE_OTHER"
        " ID_SECOND_DOCUMENT ID_SECOND_DOCUMENT_BAD_PHOTO_QUALITY"
        " ID_SECOND_DOCUMENT_DAMAGED ID_SECOND_DOCUMENT_OTHER"
        " ID_NEED_ADDITIONAL_DOCUMENT"
    ),
    "declined": (
        "OTHER_ABUSE OTHER_MISCELLANEOUS_PERMANENT OTHER_MISCELLANEOUS_TEMPORARY"
        " OTHER_TEST IDENT_OTHER"
    ),
    "technical_failure": (
        "TECH_AUDIO TECH_DISCONNECTED_VIDEO TECH_DISCONNECTED_WEBSOCKET TECH_HOLOGRAM"
        " TECH_IDENT_CODE_DELIVERY TECH_INTERNAL_SERVER_ERROR TECH_INTERNET_CONNECTION"
        " TECH_LIGHTING TECH_PHOTO TECH_TIMEOUT TECH_VIDEO"
        " ID_SECURITY_FEATURE_VIDEO_SHORT ID_SECURITY_FEATURE_VIDEO_CANNOT_BE_PLAYED"
        " ID_SECURITY_FEATURE_VIDEO_FILE_MISSING IDENT_DISPLAY_ERROR TSP_SIGNING_FAILED"
        " TSP_CERTIFICATE_EXPIRED"
    ),
    "not_completed": (
        "USER_ABORT_WHILE_WAITING USER_CANCELLATION USER_ID_NUMBER USER_IDENT_CODE"
        " USER_NO_ID USER_INVOICE_MISSING IDENT_CANNOT_BE_COMPLETED"
        " TSP_WRONG_CONFIRMATION_TOKEN"
    ),
    "not_eligible": "USER_LANGUAGE",
    "biometric_failed": (
        "USER_OBSCURED SELFIE_BLURRY SELFIE_GLARE SELFIE_DARKNESS SELFIE_PERSPECTIVE"
        " SELFIE_OTHER"
    ),
}
_ROWS = [(word, reason) for reason, words in _REASONS.items() for word in words.split()]
_PERMANENT = {
    "DATA_APPLICATION_ADDRESS",
    "DATA_APPLICATION_DATA",
    "OTHER_MISCELLANEOUS_PERMANENT",
    "USER_LANGUAGE",
}


def _identification(**process: object) -> dict[str, Any]:
    return {
        "identificationprocess": {
            "transactionnumber": "AH73JK3LM",
            "companyid": "ihrebank",
            "identificationtime": "2014-06-02T05:03:54Z",
            "result": "SUCCESS",
        }
        | process
    }


def _interpret(
    document: object, *, origin: str = "result", **settings: object
) -> model.Result:
    given = {"environment": "test", "company_id": "ihrebank", "api_key": "synthetic"}
    adapter = idnow.Adapter(
        "idnow", idnow.Settings.model_validate(given | settings), clocks.SystemClock()
    )
    answer = model.ProviderResponse(document=document, observed_at=7, origin=origin)
    return adapter.interpret(_KEY, "AH73JK3LM", answer)


def test_no_row_is_forgotten() -> None:
    """The reasons here are those of the table, all of them."""
    assert {word for word, _ in _ROWS} == set(tables.REASONS)
    assert len(_ROWS) == 26 + 41


@pytest.mark.parametrize(("word", "reason"), _ROWS)
def test_every_reason_of_a_withdrawal_has_its_verdict(word: str, reason: str) -> None:
    """Rejected for our reason, retryable unless the vendor calls it permanent."""
    verdict = _interpret(_identification(result="CANCELED", reason=word)).verdict

    retryable = word not in _PERMANENT
    step = model.NextStep.NEW_SESSION if retryable else model.NextStep.NONE
    assert (verdict.outcome, verdict.reason) == (model.Outcome.REJECTED, reason)
    assert verdict.provider_reason == word
    assert (verdict.retryable, verdict.next_step) == (retryable, step)


@pytest.mark.parametrize(("word", "_reason"), _ROWS)
def test_a_broken_off_attempt_never_ends_it(word: str, _reason: str) -> None:
    """Pending whatever the reason; only a permanent one leaves nothing to do."""
    verdict = _interpret(_identification(result="ABORTED", reason=word)).verdict

    retryable = word not in _PERMANENT
    step = model.NextStep.CONTINUE_SESSION if retryable else model.NextStep.NONE
    assert verdict.outcome is model.Outcome.PENDING
    assert verdict.reason is model.Reason.RESUBMISSION_REQUESTED
    assert verdict.provider_reason == word
    assert (verdict.retryable, verdict.next_step) == (retryable, step)


@pytest.mark.parametrize("status", ["ABORTED", "CANCELED"])
@pytest.mark.parametrize("reason", ["Mr Specimen", "user_language", 5, ["OTHER_TEST"]])
def test_an_open_reason_is_unlisted(status: str, reason: object) -> None:
    """A reason outside of the table decides nothing and is not repeated."""
    verdict = _interpret(_identification(result=status, reason=reason)).verdict

    bare = _interpret(_identification(result=status)).verdict
    assert verdict.provider_reason == "unlisted"
    assert verdict.comparison_key == bare.comparison_key
