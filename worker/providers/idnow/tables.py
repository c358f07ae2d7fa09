"""
Hold IDnow's words and what each of them means.

Sources: the vendor's API documentation (PDF, version 2016-02-15), chapters 12 to 14,
and, where said so, an integrator's enumeration; both seen 2026-11-20. What a word
means in our vocabulary is our reading.
"""

import enum
from collections.abc import Mapping
from typing import Any

from worker import errors, model, policy
from worker.providers import _fields

_Reason = model.Reason

SUCCESS = "SUCCESS"
ABORTED = "ABORTED"
CANCELED = "CANCELED"


class Meaning(enum.Enum):
    """What ``identificationprocess.result`` says."""

    APPROVED = enum.auto()
    APPROVED_CHANGED = enum.auto()
    FRAUD = enum.auto()
    LIKELY = enum.auto()
    SUSPECTED = enum.auto()
    CHECK = enum.auto()
    ABORTED = enum.auto()
    CANCELED = enum.auto()


# Chapter 13.1.1 and 14.2. SUCCESS_DATA_CHANGE is printed so in two places;
# CHECK_PENDING is an integrator's.
RESULTS: Mapping[str, Meaning] = {
    SUCCESS: Meaning.APPROVED,
    "SUCCESS_DATA_CHANGED": Meaning.APPROVED_CHANGED,
    "SUCCESS_DATA_CHANGE": Meaning.APPROVED_CHANGED,
    "FRAUD_SUSPICION_CONFIRMED": Meaning.FRAUD,
    # Expected to become a success; withdrawn by CANCELED in about 0.1 % of the cases.
    "REVIEW_PENDING": Meaning.LIKELY,
    # Expected to be confirmed, but the test scenario FRAUDOK ends in success.
    "FRAUD_SUSPICION_PENDING": Meaning.SUSPECTED,
    "CHECK_PENDING": Meaning.CHECK,
    # The same transaction may go ABORTED, REVIEW_PENDING, SUCCESS: never an end.
    ABORTED: Meaning.ABORTED,
    CANCELED: Meaning.CANCELED,
    "CANCELLED": Meaning.CANCELED,
}

# Chapter 14.5.3.
_DOCUMENTED: Mapping[str, model.Reason] = {
    "DATA_APPLICATION_ADDRESS": _Reason.DATA_MISMATCH,
    "DATA_APPLICATION_DATA": _Reason.DATA_MISMATCH,
    "DATA_ID_EXPIRED": _Reason.DOCUMENT_EXPIRED,
    "OTHER_ABUSE": _Reason.DECLINED,
    "OTHER_MISCELLANEOUS_PERMANENT": _Reason.DECLINED,
    "OTHER_MISCELLANEOUS_TEMPORARY": _Reason.DECLINED,
    "OTHER_TEST": _Reason.DECLINED,
    "TECH_AUDIO": _Reason.TECHNICAL_FAILURE,
    "TECH_DISCONNECTED_VIDEO": _Reason.TECHNICAL_FAILURE,
    "TECH_DISCONNECTED_WEBSOCKET": _Reason.TECHNICAL_FAILURE,
    "TECH_HOLOGRAM": _Reason.TECHNICAL_FAILURE,
    "TECH_ID_TYPE": _Reason.DOCUMENT_INVALID,
    "TECH_IDENT_CODE_DELIVERY": _Reason.TECHNICAL_FAILURE,
    "TECH_INTERNAL_SERVER_ERROR": _Reason.TECHNICAL_FAILURE,
    "TECH_INTERNET_CONNECTION": _Reason.TECHNICAL_FAILURE,
    "TECH_LIGHTING": _Reason.TECHNICAL_FAILURE,
    "TECH_PHOTO": _Reason.TECHNICAL_FAILURE,
    "TECH_TIMEOUT": _Reason.TECHNICAL_FAILURE,
    "TECH_VIDEO": _Reason.TECHNICAL_FAILURE,
    "USER_ABORT_WHILE_WAITING": _Reason.NOT_COMPLETED,
    "USER_CANCELLATION": _Reason.NOT_COMPLETED,
    "USER_ID_NUMBER": _Reason.NOT_COMPLETED,
    "USER_IDENT_CODE": _Reason.NOT_COMPLETED,
    "USER_LANGUAGE": _Reason.NOT_ELIGIBLE,
    "USER_NO_ID": _Reason.NOT_COMPLETED,
    "USER_WRONG_PERSON": _Reason.DATA_MISMATCH,
}
#: Chapter 14.5.3: permanent according to the vendor; every other one is temporary.
PERMANENT = frozenset(
    {
        "DATA_APPLICATION_ADDRESS",
        "DATA_APPLICATION_DATA",
        "OTHER_MISCELLANEOUS_PERMANENT",
        "USER_LANGUAGE",
    }
)

# AutoIdent, from an integrator's enumeration.
_AUTOIDENT: Mapping[str, model.Reason] = {
    "ID_OTHER": _Reason.DOCUMENT_INVALID,
    "ID_DAMAGED": _Reason.DOCUMENT_INVALID,
    "ID_NOT_SUPPORTED": _Reason.DOCUMENT_INVALID,
    "ID_BLURRY": _Reason.DOCUMENT_INVALID,
    "ID_GLARE": _Reason.DOCUMENT_INVALID,
    "ID_DARKNESS": _Reason.DOCUMENT_INVALID,
    "ID_DATA_COVERED": _Reason.DOCUMENT_INVALID,
    "ID_PERSPECTIVE": _Reason.DOCUMENT_INVALID,
    "ID_DATA": _Reason.DATA_MISMATCH,
    "ID_DATA_OTHER": _Reason.DATA_MISMATCH,
    "ID_EXPIRED": _Reason.DOCUMENT_EXPIRED,
    "ID_WRONG_SIDE": _Reason.DOCUMENT_INVALID,
    "ID_OUTWORN": _Reason.DOCUMENT_INVALID,
    "ID_HAS_STICKER": _Reason.DOCUMENT_INVALID,
    "ID_WRITTEN_ON": _Reason.DOCUMENT_INVALID,
    "ID_BROKEN": _Reason.DOCUMENT_INVALID,
    "ID_DAMAGED_OTHER": _Reason.DOCUMENT_INVALID,
    "ID_SECURITY_FEATURE_NOT_VISIBLE_NOT_FRAUD": _Reason.DOCUMENT_INVALID,
    "ID_SECURITY_FEATURE_VIDEO_SHORT": _Reason.TECHNICAL_FAILURE,
    "ID_SECURITY_FEATURE_VIDEO_CANNOT_BE_PLAYED": _Reason.TECHNICAL_FAILURE,
    "ID_SECURITY_FEATURE_VIDEO_FILE_MISSING": _Reason.TECHNICAL_FAILURE,
    "ID_SECURITY_FEATURE_OTHER": _Reason.DOCUMENT_INVALID,
    "ID_SECOND_DOCUMENT": _Reason.DOCUMENT_INVALID,
    "ID_SECOND_DOCUMENT_BAD_PHOTO_QUALITY": _Reason.DOCUMENT_INVALID,
    "ID_SECOND_DOCUMENT_DAMAGED": _Reason.DOCUMENT_INVALID,
    "ID_SECOND_DOCUMENT_EXPIRED": _Reason.DOCUMENT_EXPIRED,
    "ID_SECOND_DOCUMENT_OTHER": _Reason.DOCUMENT_INVALID,
    "ID_NEED_ADDITIONAL_DOCUMENT": _Reason.DOCUMENT_INVALID,
    "USER_INVOICE_MISSING": _Reason.NOT_COMPLETED,
    "USER_OBSCURED": _Reason.BIOMETRIC_FAILED,
    "SELFIE_BLURRY": _Reason.BIOMETRIC_FAILED,
    "SELFIE_GLARE": _Reason.BIOMETRIC_FAILED,
    "SELFIE_DARKNESS": _Reason.BIOMETRIC_FAILED,
    "SELFIE_PERSPECTIVE": _Reason.BIOMETRIC_FAILED,
    "SELFIE_OTHER": _Reason.BIOMETRIC_FAILED,
    "IDENT_CANNOT_BE_COMPLETED": _Reason.NOT_COMPLETED,
    "IDENT_DISPLAY_ERROR": _Reason.TECHNICAL_FAILURE,
    "IDENT_OTHER": _Reason.DECLINED,
    "TSP_WRONG_CONFIRMATION_TOKEN": _Reason.NOT_COMPLETED,
    "TSP_SIGNING_FAILED": _Reason.TECHNICAL_FAILURE,
    "TSP_CERTIFICATE_EXPIRED": _Reason.TECHNICAL_FAILURE,
}
#: The vendor treats it as an open string: what is not here is ``declined``.
REASONS: Mapping[str, model.Reason] = {**_DOCUMENTED, **_AUTOIDENT}

#: Chapter 8.3.2: the lists of what the single result does not show. The order is
#: the one in which they are believed where times do not tell.
LISTS: Mapping[str, str] = {
    "cancelled": CANCELED,
    "aborted": ABORTED,
    "pending": "",
}

# Chapter 12: the cause decides first, the status second. TOKEN_EXPIRED, and
# OBJECT_NOT_FOUND with a 401, are seen in a client's tests.
NOT_FOUND = "OBJECT_NOT_FOUND"
TOKEN_CAUSES = frozenset({"INVALID_LOGIN_TOKEN", "TOKEN_EXPIRED"})
CAUSES: Mapping[str, type[errors.FetchError]] = {
    NOT_FOUND: errors.SessionNotFound,
    "INVALID_LOGIN_TOKEN": errors.ProviderAuthFailed,
    "TOKEN_EXPIRED": errors.ProviderAuthFailed,
    # The identification is not ours.
    "SECURITY_VIOLATION": errors.ResultMismatch,
    "UNRECOGNIZED_FIELD": errors.InvalidResponse,
    "UNPARSEABLE_JSON": errors.InvalidResponse,
    "MISSING_TRANSACTION_TOKEN": errors.InvalidResponse,
    "BAD_REQUEST": errors.InvalidResponse,
    "EXISTING_IDENTIFICATION": errors.InvalidResponse,
    "PRECONDITION_FAILED": errors.InvalidResponse,
    "INTERNAL_SERVER_ERROR": errors.ProviderFault,
}


_APPROVALS = frozenset({Meaning.APPROVED, Meaning.APPROVED_CHANGED})
_FROM_RESULT = "result"  # model.Answer.origin of the single result
_PENDING_LIST = "pending"

Mapped = tuple[model.Verdict, tuple[model.AlarmKind, ...]]


def reason_of(process: Mapping[str, Any]) -> object:
    """Return ``reason``; an empty text says nothing."""
    reason: object = process.get("reason")
    return None if reason == "" else reason


def map_identification(
    document: Mapping[str, Any], origin: str, *, esign: bool
) -> Mapped:
    """
    Return what an identification means, contradictions first.

    *origin* is ``result`` or the name of a list; *esign* says that a signature is
    due. The binding has been checked.
    """
    process = _fields.table(document, "identificationprocess")
    at = _fields.rfc3339_ms(process.get("identificationtime"))
    status, reason = process.get("result"), reason_of(process)
    if status is None and origin == _PENDING_LIST:
        # Not yet seen by an agent: to stand in the list is the word.
        verdict = policy.pending(_Reason.IN_PROGRESS, status=None, provider_time=at)
        return verdict, ()
    if status is None and origin != _FROM_RESULT:
        status = LISTS[origin]
    if not isinstance(status, str) or status not in RESULTS:
        return _unrecognised(status)
    if RESULTS[status] in _APPROVALS:
        # A reason belongs to ABORTED and CANCELED, and the lists hold no success.
        if reason is not None or origin != _FROM_RESULT:
            verdict = policy.pending_unrecognised(status, RESULTS)
            return verdict, (model.AlarmKind.CONTRADICTORY_RESULT,)
        if esign and "esigning" not in document:
            return policy.pending(
                _Reason.IN_PROGRESS, status=status, provider_time=at
            ), ()
        if not _signed(document):
            return _unrecognised(status)
    return verdict_of(status, reason, at=at), ()


def _signed(document: Mapping[str, Any]) -> bool:
    """Return whether a signature that was begun was made."""
    # Seen in a client only: {"esigning": {"result": "SUCCESS", "sessionid": …}}.
    signing = _fields.table(document, "esigning")
    return "esigning" not in document or signing.get("result") == SUCCESS


def _unrecognised(status: object) -> Mapped:
    verdict = policy.pending_unrecognised(status, RESULTS)
    return verdict, (model.AlarmKind.UNRECOGNISED_RESULT,)


def verdict_of(  # noqa: PLR0911 -- one for each meaning
    status: str, reason: object, *, at: int | None, unconfirmed: bool = False
) -> model.Verdict:
    """
    Return what a listed *status* and its *reason* mean.

    *unconfirmed* marks what only a callback said. Nothing is checked here that
    speaks against an approval: that comes first, elsewhere.
    """
    flags = (model.Flag.UNCONFIRMED,) if unconfirmed else ()
    match RESULTS[status]:
        case Meaning.APPROVED:
            return policy.approved(status=status, flags=flags, provider_time=at)
        case Meaning.APPROVED_CHANGED:
            flags = (*flags, model.Flag.DATA_CHANGED)
            return policy.approved(status=status, flags=flags, provider_time=at)
        case Meaning.FRAUD:
            return policy.rejected(
                _Reason.FRAUD, status=status, flags=flags, provider_time=at
            )
        case Meaning.LIKELY:
            return _review(status, at, model.Flag.LIKELY_APPROVED)
        case Meaning.SUSPECTED:
            return _review(status, at, model.Flag.FRAUD_SUSPECTED)
        case Meaning.CHECK:
            return _review(status, at)
        case Meaning.ABORTED:
            return _aborted(status, reason, at)
        case Meaning.CANCELED:
            return _canceled(status, reason, at, flags)


def _review(status: str, at: int | None, *flags: model.Flag) -> model.Verdict:
    return policy.pending(
        _Reason.UNDER_REVIEW, status=status, flags=flags, provider_time=at
    )


def _aborted(status: str, reason: object, at: int | None) -> model.Verdict:
    """Return pending: the person may try again, unless the reason is permanent."""
    permanent = isinstance(reason, str) and reason in PERMANENT
    return policy.pending(
        _Reason.RESUBMISSION_REQUESTED,
        status=status,
        provider_reason=policy.known_word(reason, REASONS),
        retryable=not permanent,
        next_step=(
            model.NextStep.NONE if permanent else model.NextStep.CONTINUE_SESSION
        ),
        provider_time=at,
    )


def _canceled(
    status: str, reason: object, at: int | None, flags: tuple[model.Flag, ...]
) -> model.Verdict:
    """Return the rejection; a listed reason also says whether a new try may help."""
    known = REASONS.get(reason) if isinstance(reason, str) else None
    return policy.rejected(
        known or _Reason.DECLINED,
        status=status,
        provider_reason=policy.known_word(reason, REASONS),
        retryable=None if known is None else reason not in PERMANENT,
        flags=flags,
        provider_time=at,
    )
