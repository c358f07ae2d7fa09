"""
Hold Identomat's words and what each of them means.

Vendor pages and public integration code, seen 2026-11-20.
"""

from collections.abc import Mapping
from typing import Literal

from worker import model, policy

# Vendor page "Callbacks": one-time codes and links that must be delivered.
MESSAGES = frozenset(
    {
        "one-time-password-request",
        "email-one-time-password-request",
        "share-session-link-via-sms",
        "share-session-link-via-email",
    }
)
KEYS = frozenset({"type", "sessionId", "text", "phoneNumber", "sessionLink"})

APPROVED = "approved"
REJECTED = "rejected"
Meaning = Literal["manual_check", "in_progress", "disagreed_with_terms"]
StatusWords = Mapping[str, Meaning]
# Only "approved" and "rejected" were seen on the wire. A connector names three more
# states without their spelling: these are guesses, so that the words are a setting.
STATUS_WORDS: StatusWords = {
    "manual_check": "manual_check",
    "in_progress": "in_progress",
    "disagreed_with_terms": "disagreed_with_terms",
}
Rejection = Literal[
    "document_invalid",
    "document_expired",
    "data_mismatch",
    "biometric_failed",
    "fraud",
    "screening_hit",
    "not_eligible",
    "consent_refused",
    "technical_failure",
    "not_completed",
    "declined",
]
RejectReasons = Mapping[str, Rejection]
# Seen in a connector's test data; no list is published, so that it is a setting.
REJECT_REASONS: RejectReasons = {"face_mismatch": "biometric_failed"}

# Seen in a connector's test data for an approved proof of address.
_NO_OBJECTION = {"value": "", "description": ""}

# In no known result; one that appears all the same must be the one asked for.
SESSION_KEYS = ("session_token", "sessionToken", "session_id", "sessionId")
COMPANY_KEYS = ("company_key", "companyKey")


def by_meaning(meaning: Meaning, status: str) -> model.Verdict:
    """Return the verdict for a guessed *status* word that has this *meaning*."""
    match meaning:
        case "manual_check":
            return policy.pending(model.Reason.UNDER_REVIEW, status=status)
        case "in_progress":
            return policy.pending(model.Reason.IN_PROGRESS, status=status)
        case "disagreed_with_terms":
            return policy.rejected(model.Reason.CONSENT_REFUSED, status=status)


def is_empty(objection: object) -> bool:
    """
    Return whether ``reject_reason`` says nothing, as it does on approvals.

    Only two forms are seen: none at all (null says no more), and both texts empty.
    Other members, and anything else that happens to be empty, may be an objection in
    words that we do not know.
    """
    return objection is None or objection == _NO_OBJECTION
