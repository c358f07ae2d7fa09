"""Map the status of an Identity Verification attempt."""

from collections.abc import Mapping

from worker import model, policy

# API reference, /identity_verification/get, and plaid-openapi 26f1a05, seen 2026-11-20.
_SUCCESS = "success"
_PENDING: Mapping[str, model.Reason] = {
    "active": model.Reason.IN_PROGRESS,
    "pending_review": model.Reason.UNDER_REVIEW,
}
_REJECTED: Mapping[str, tuple[model.Reason, bool]] = {
    "failed": (model.Reason.DECLINED, False),
    "expired": (model.Reason.NOT_COMPLETED, True),
    "canceled": (model.Reason.NOT_COMPLETED, True),
}
STATUSES = frozenset({_SUCCESS, *_PENDING, *_REJECTED})

#: The steps that a failed attempt names, in the order in which the reason is taken.
_STEP_REASONS: Mapping[str, model.Reason] = {
    "risk_check": model.Reason.FRAUD,
    "watchlist_screening": model.Reason.SCREENING_HIT,
    "selfie_check": model.Reason.BIOMETRIC_FAILED,
    "documentary_verification": model.Reason.DOCUMENT_INVALID,
    "kyc_check": model.Reason.DATA_MISMATCH,
}
_STEP_FAILED = frozenset({"failed", "manually_rejected"})


def map_status(status: object, steps: Mapping[str, object]) -> model.Verdict:
    """
    Return the verdict of *status*; *steps* say why a failed attempt failed.

    An attempt that succeeded although a step failed is a contradiction: pending.
    """
    failed = [name for name in _STEP_REASONS if _failed(steps.get(name))]
    match status:
        case "success" if not failed:
            return policy.approved(status=_SUCCESS)
        case "failed" if failed:
            reason = _STEP_REASONS[failed[0]]
            return policy.rejected(reason, status=status, provider_reason=failed[0])
        case str() if status in _REJECTED:
            reason, retryable = _REJECTED[status]
            return policy.rejected(reason, status=status, retryable=retryable)
        case str() if status in _PENDING:
            return policy.pending(_PENDING[status], status=status)
        case _:
            return policy.pending_unrecognised(status, STATUSES)


def is_contradiction(status: object, steps: Mapping[str, object]) -> bool:
    """Return whether an attempt succeeded although a step of it failed."""
    return status == _SUCCESS and any(
        _failed(steps.get(name)) for name in _STEP_REASONS
    )


def _failed(status: object) -> bool:
    return isinstance(status, str) and status in _STEP_FAILED
