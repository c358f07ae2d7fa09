"""
List Stripe Identity's words, and what each of them means.

Sources, seen 2026-12-01: https://docs.stripe.com/api/identity/verification_sessions,
https://docs.stripe.com/identity/how-sessions-work, and the literals of stripe-python.
"""

from collections.abc import Mapping
from typing import Any

from worker import model, policy

_PREFIX = "identity.verification_session."
#: Events that change the status of a session.
STATUS_EVENTS = frozenset(
    _PREFIX + word for word in ("processing", "requires_input", "verified", "canceled")
)
#: A new session has no result, and a redaction changes none.
IGNORED_EVENTS = frozenset({_PREFIX + "created", _PREFIX + "redacted"})
OBJECT = "identity.verification_session"
STATUSES = frozenset({"requires_input", "processing", "verified", "canceled"})

#: ``last_error.code`` of a session that its user may submit again.
_RESUBMIT = frozenset(
    {
        "abandoned",
        "device_not_supported",
        "document_expired",
        "document_type_not_supported",
        "document_unverified_other",
        "email_unverified_other",
        "email_verification_declined",
        "id_number_insufficient_document_data",
        "id_number_mismatch",
        "id_number_unverified_other",
        "phone_unverified_other",
        "phone_verification_declined",
        "selfie_document_missing_photo",
        "selfie_face_mismatch",
        "selfie_manipulated",
        "selfie_unverified_other",
    }
)
#: The codes that another submission does not change.
_REFUSED: Mapping[str, model.Reason] = {
    "consent_declined": model.Reason.CONSENT_REFUSED,
    "country_not_supported": model.Reason.NOT_ELIGIBLE,
    "under_supported_age": model.Reason.NOT_ELIGIBLE,
}
CODES = _RESUBMIT | _REFUSED.keys()
_FRAUD = frozenset({"selfie_manipulated"})

Mapped = tuple[model.Verdict, tuple[model.AlarmKind, ...]]


def map_session(
    document: Mapping[str, Any], *, approve_with_last_error: bool = False
) -> Mapped:
    """Return the verdict on a session; what no row of the table has is pending."""
    error = document.get("last_error")
    match document.get("status"):
        case "verified" if error is None or approve_with_last_error:
            return policy.approved(status="verified"), ()
        case "verified":
            contradictory = policy.pending(
                model.Reason.UNRECOGNISED_RESULT, status="verified"
            )
            return contradictory, (model.AlarmKind.CONTRADICTORY_RESULT,)
        case "canceled":
            reason = model.Reason.NOT_COMPLETED
            return policy.rejected(reason, status="canceled"), ()
        case "processing":
            reason = model.Reason.IN_PROGRESS
            return policy.pending(reason, status="processing"), ()
        case "requires_input":
            return _map_error(error)
        case status:
            return _unrecognised(status)


def _map_error(error: object) -> Mapped:
    """Return the verdict on a session that waits for its user."""
    status = "requires_input"
    if error is None:
        verdict = policy.pending(
            model.Reason.IN_PROGRESS,
            status=status,
            next_step=model.NextStep.CONTINUE_SESSION,
        )
        return verdict, ()
    code = error.get("code") if isinstance(error, dict) else None
    if not isinstance(code, str) or code not in CODES:
        return _unrecognised(status)
    if code in _REFUSED:
        reason = _REFUSED[code]
        return policy.rejected(reason, status=status, provider_reason=code), ()
    verdict = policy.pending(
        model.Reason.RESUBMISSION_REQUESTED,
        status=status,
        provider_reason=code,
        next_step=model.NextStep.CONTINUE_SESSION,
        retryable=True,
        flags=[model.Flag.FRAUD_SUSPECTED] if code in _FRAUD else [],
    )
    return verdict, ()


def _unrecognised(status: object) -> Mapped:
    verdict = policy.pending_unrecognised(status, STATUSES)
    return verdict, (model.AlarmKind.UNRECOGNISED_RESULT,)
