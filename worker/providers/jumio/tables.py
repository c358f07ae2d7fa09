"""
Hold Jumio's words and what each of them means.

Sources: documentation.jumio.ai, pages developer-resources/retrieval and
developer-resources/callback, and the vendor's API guide of 2023 (capabilities); seen
2026-12-01. What a label means in our vocabulary is our reading.
"""

from collections.abc import Mapping

from worker import model

_Reason = model.Reason

PASSED = "PASSED"
WARNING = "WARNING"
REJECTED = "REJECTED"
NOT_EXECUTED = "NOT_EXECUTED"
#: Retrieval, ``decision.type``. The score's thresholds are the customer's: not read.
TYPES = frozenset({PASSED, WARNING, REJECTED, NOT_EXECUTED})

PROCESSED = "PROCESSED"
#: Retrieval and callback, ``status``: the end user or Jumio is still at it.
RUNNING = frozenset({"INITIATED", "ACQUISITION_STARTED", "ACQUIRED"})
#: The end user did not finish in time.
LAPSED = frozenset({"SESSION_EXPIRED", "TOKEN_EXPIRED"})
STATUSES = frozenset({PROCESSED, *RUNNING, *LAPSED})

_MANIPULATED = tuple(
    f"MANIPULATED_DOCUMENT{part}"
    for part in (
        "",
        "_PHOTO",
        "_EXPIRY",
        "_NAME",
        "_ADDRESS",
        "_SECURITY_CHECKS",
        "_SIGNATURE",
        "_PERSONAL_NUMBER",
        "_PLACE_OF_BIRTH",
        "_GENDER",
        "_ISSUING_DATE",
    )
)
#: API guide, ``capabilities.*.decision.details.label`` of rejections, and the labels of
#: what was not executed. The list may grow: what is not here is ``declined``.
LABELS: Mapping[str, model.Reason] = {
    **dict.fromkeys(
        (
            "BAD_QUALITY",
            "BLURRED",
            "BAD_QUALITY_IMAGE",
            "PART_OF_DOCUMENT_MISSING",
            "PART_OF_DOCUMENT_HIDDEN",
            "DAMAGED_DOCUMENT",
            "GLARE",
            "MISSING_MANDATORY_DATAPOINTS",
            "BLACK_WHITE",
            "MISSING_PAGE",
            "MISSING_SIGNATURE",
            "NOT_A_DOCUMENT",
            "PHOTOCOPY",
            "UNSUPPORTED_COUNTRY",
            "UNSUPPORTED_DOCUMENT_TYPE",
            "WATERMARK",
            "DIGITAL_COPY",
            "OTHER_REJECTION",
            "PUNCHED",
            "SAMPLE",
            "CHIP_MISSING",
            "MISMATCH_FRONT_BACK",
            "NFC_CERTIFICATE",
            "MRZ_CHECKSUM",
            "NOT_UPLOADED",
        ),
        _Reason.DOCUMENT_INVALID,
    ),
    **dict.fromkeys(
        (
            *_MANIPULATED,
            "MANIPULATED",
            "GHOST_IMAGE_DIFFERENT",
            "FAKE",
            "DIGITAL_MANIPULATION",
            # "Same face occurs multiple times, data is different".
            "MISMATCHING_DATA_REPEATED_FACE",
        ),
        _Reason.FRAUD,
    ),
    **dict.fromkeys(
        ("MISMATCHING_DATAPOINTS", "MISMATCH_HRZ_MRZ_DATA"), _Reason.DATA_MISMATCH
    ),
    **dict.fromkeys(
        (
            "LIVENESS_UNDETERMINED",
            "ID_USED_AS_SELFIE",
            "MULTIPLE_PEOPLE",
            "NO_FACE_PRESENT",
            "FACE_NOT_FULLY_VISIBLE",
            "NO_MATCH",
            "FAILED",
        ),
        _Reason.BIOMETRIC_FAILED,
    ),
    "TECHNICAL_ERROR": _Reason.TECHNICAL_FAILURE,
    "TOKEN_EXPIRED": _Reason.NOT_COMPLETED,
    "SESSION_EXPIRED": _Reason.NOT_COMPLETED,
}
#: The order in which the capabilities are asked for a reason.
CAPABILITIES = (
    "imageChecks",
    "usability",
    "extraction",
    "dataChecks",
    "liveness",
    "similarity",
    "authentication",
    "watchlistScreening",
    "addressValidation",
    "proofOfResidency",
    "drivingLicenseVerification",
)
#: The reason of a rejected capability whose label is in no table.
DEFAULTS: Mapping[str, model.Reason] = {
    "imageChecks": _Reason.DOCUMENT_INVALID,
    "usability": _Reason.DOCUMENT_INVALID,
    "extraction": _Reason.DOCUMENT_INVALID,
    "dataChecks": _Reason.DATA_MISMATCH,
    "liveness": _Reason.BIOMETRIC_FAILED,
    "similarity": _Reason.BIOMETRIC_FAILED,
    "authentication": _Reason.BIOMETRIC_FAILED,
    "watchlistScreening": _Reason.SCREENING_HIT,
    "addressValidation": _Reason.DATA_MISMATCH,
    "proofOfResidency": _Reason.DATA_MISMATCH,
    "drivingLicenseVerification": _Reason.DOCUMENT_INVALID,
}
