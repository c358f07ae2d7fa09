"""
Hold iDenfy's words and what each of them means.

Sources: documentation.idenfy.com, pages resources/vocabulary, kyc/data-retrieval,
kyc/status-handling and kyc/suspected-status, and the enumerations of the webhook
schema; all seen 2026-12-01. What a word means in our vocabulary is our reading.
"""

from collections.abc import Mapping

from worker import model

_Reason = model.Reason

APPROVED = "APPROVED"
DENIED = "DENIED"
SUSPECTED = "SUSPECTED"
REVIEWING = "REVIEWING"
ACTIVE = "ACTIVE"
EXPIRED = "EXPIRED"
#: Vocabulary: the data is deleted or archived; that is no decision.
GONE = frozenset({"DELETED", "ARCHIVED", "EXPIRED-DELETED"})
STATUSES = frozenset({APPROVED, DENIED, SUSPECTED, REVIEWING, ACTIVE, EXPIRED, *GONE})

FACE_MATCH = "FACE_MATCH"
FACE_NOT_CHECKED = "FACE_NOT_CHECKED"
DOC_VALIDATED = "DOC_VALIDATED"

#: Vocabulary and webhook schema, ``autoFace`` and ``manualFace``.
FACES: Mapping[str, model.Reason | None] = {
    FACE_MATCH: None,
    FACE_NOT_CHECKED: None,
    # "Verification denied for another reason": the document says which.
    "FACE_NOT_ANALYSED": None,
    "FACE_MISMATCH": _Reason.BIOMETRIC_FAILED,
    "NO_FACE_FOUND": _Reason.BIOMETRIC_FAILED,
    "TOO_MANY_FACES": _Reason.BIOMETRIC_FAILED,
    "FACE_TOO_BLURRY": _Reason.BIOMETRIC_FAILED,
    "FACE_GLARED": _Reason.BIOMETRIC_FAILED,
    "FACE_UNCERTAIN": _Reason.BIOMETRIC_FAILED,
    "FACE_ERROR": _Reason.TECHNICAL_FAILURE,
    "AUTO_UNVERIFIABLE": _Reason.DECLINED,
    "FAKE_FACE": _Reason.FRAUD,
    "FACE_SUSPECTED": _Reason.FRAUD,
    "FACE_BLACKLISTED": _Reason.FRAUD,
}

#: The same pages, ``autoDocument`` and ``manualDocument``.
DOCUMENTS: Mapping[str, model.Reason | None] = {
    DOC_VALIDATED: None,
    "DOC_NOT_ANALYSED": None,
    "DOC_INFO_MISMATCH": _Reason.DATA_MISMATCH,
    "DOC_NOT_FOUND": _Reason.DOCUMENT_INVALID,
    "DOC_NOT_FULLY_VISIBLE": _Reason.DOCUMENT_INVALID,
    "DOC_FACE_NOT_FOUND": _Reason.DOCUMENT_INVALID,
    "DOC_TOO_BLURRY": _Reason.DOCUMENT_INVALID,
    "DOC_GLARED": _Reason.DOCUMENT_INVALID,
    "DOC_FACE_GLARED": _Reason.DOCUMENT_INVALID,
    "MRZ_NOT_FOUND": _Reason.DOCUMENT_INVALID,
    "MRZ_OCR_READING_ERROR": _Reason.DOCUMENT_INVALID,
    "MRZ_INVALID": _Reason.DOCUMENT_INVALID,
    "BARCODE_NOT_FOUND": _Reason.DOCUMENT_INVALID,
    "DOC_EXPIRED": _Reason.DOCUMENT_EXPIRED,
    "DOC_NOT_SUPPORTED": _Reason.DOCUMENT_INVALID,
    "DOC_NOT_ALLOWED": _Reason.DOCUMENT_INVALID,
    "COUNTRY_NOT_SUPPORTED": _Reason.DOCUMENT_INVALID,
    "COUNTRY_MISMATCH": _Reason.DOCUMENT_INVALID,
    "DOC_TYPE_MISMATCH": _Reason.DOCUMENT_INVALID,
    "DOC_SUBTYPE_MISMATCH": _Reason.DOCUMENT_INVALID,
    "DOC_SIDE_MISMATCH": _Reason.DOCUMENT_INVALID,
    "DOC_DAMAGED": _Reason.DOCUMENT_INVALID,
    "DOC_PERSONAL_CODE_INVALID": _Reason.DOCUMENT_INVALID,
    "DOC_NAME_ERROR": _Reason.DOCUMENT_INVALID,
    "DOC_SURNAME_ERROR": _Reason.DOCUMENT_INVALID,
    "DOC_EXPIRY_ERROR": _Reason.DOCUMENT_INVALID,
    "DOC_DOB_ERROR": _Reason.DOCUMENT_INVALID,
    "DOC_PERSONAL_NUMBER_ERROR": _Reason.DOCUMENT_INVALID,
    "DOC_NUMBER_ERROR": _Reason.DOCUMENT_INVALID,
    "DOC_DATE_OF_ISSUE_ERROR": _Reason.DOCUMENT_INVALID,
    "DOC_SEX_ERROR": _Reason.DOCUMENT_INVALID,
    "DOC_NATIONALITY_ERROR": _Reason.DOCUMENT_INVALID,
    "DOC_ERROR": _Reason.TECHNICAL_FAILURE,
    "AUTO_UNVERIFIABLE": _Reason.DECLINED,
    "EID_FAILED": _Reason.TECHNICAL_FAILURE,
    "NFC_INIT_FAILED": _Reason.TECHNICAL_FAILURE,
    "NFC_FAILED": _Reason.TECHNICAL_FAILURE,
    "NFC_TIMEOUT": _Reason.TECHNICAL_FAILURE,
    "DOC_FAKE": _Reason.FRAUD,
    "DOC_SPOOF_DETECTED": _Reason.FRAUD,
}

#: Webhook schema, ``fraudTags``: what is about lists, and what is no finding of fraud.
_SCREENING_TAGS = frozenset(
    {
        "AML_SUSPECTION",
        "AML_FAILED",
        "SANCTIONS_SUSPECTION",
        "SANCTIONS_FAILED",
        "CRIMINAL_SUSPECTED",
        "CRIMINAL_CHECK_FAILED",
    }
)
FRAUD_TAGS: Mapping[str, model.Reason] = {
    **dict.fromkeys(
        (
            "FACE_IN_BLACKLIST",
            "DOC_FACE_IN_BLACKLIST",
            "DATA_BLACKLISTED",
            "DATA_IN_BLACKLIST",
            "DUPLICATE_FACE",
            "DUPLICATE_DOC_FACE",
            "DUPLICATE_PERSONAL_DATA",
            "VIRTUAL_CAMERA",
            "PORTRAIT_SUBSTITUTION",
            "FACE_SUSPECTED",
            "FACE_BLACKLISTED",
            "DOC_FACE_BLACKLISTED",
            "DOC_MOBILE_PHOTO",
            "DEV_TOOLS_OPENED",
            "DOC_PRINT_SPOOFED",
            "FAKE_PHOTO",
        ),
        _Reason.FRAUD,
    ),
    **dict.fromkeys(_SCREENING_TAGS, _Reason.SCREENING_HIT),
    **dict.fromkeys(("LID_SUSPECTION", "LID_FAILED"), _Reason.DOCUMENT_INVALID),
    **dict.fromkeys(
        ("URJANET_FAILURE", "ADDRESS_UNVERIFIED", "RC_FAILED", "DL_FAILED"),
        _Reason.DATA_MISMATCH,
    ),
    "AUTO_UNVERIFIABLE": _Reason.DECLINED,
}
#: Webhook schema, ``mismatchTags``; every other one says that data differs.
MISMATCH_TAGS: Mapping[str, model.Reason] = {
    **dict.fromkeys(
        (
            "NAME",
            "SURNAME",
            "FULL_NAME",
            "DOCUMENT_NUMBER",
            "PERSONAL_CODE",
            "EXPIRY_DATE",
            "DATE_OF_BIRTH",
            "DATE_OF_ISSUE",
            "NATIONALITY",
            "SEX",
            "DOC_INFO_MISMATCH",
            "UTILITY_ADDRESS",
            "UTILITY_NAME",
            "ADDITIONAL_STEP_INFORMATION_MISMATCH",
            "REGISTRY_CENTER_INFO_MISMATCH",
            "DRIVER_LICENSE_INFO_MISMATCH",
        ),
        _Reason.DATA_MISMATCH,
    ),
    **dict.fromkeys(("UNDER_AGE", "OVER_AGE", "UNKNOWN_AGE"), _Reason.NOT_ELIGIBLE),
    **dict.fromkeys(
        (
            "EXPIRED_UTILITY_BILL",
            "INVALID_ADDITIONAL_STEP",
            "ADDITIONAL_STEP_NOT_FOUND",
            "EXPIRED_ADDITIONAL_STEP_INFORMATION",
        ),
        _Reason.DOCUMENT_INVALID,
    ),
}
