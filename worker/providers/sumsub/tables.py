"""
List Sumsub's words, and what each of them means.

Sources, seen 2026-11-20: https://docs.sumsub.com/reference/get-applicant-review-status,
https://docs.sumsub.com/docs/user-verification-webhooks,
https://docs.sumsub.com/docs/receive-and-interpret-results-via-api, and
skills/sumsub-manage-webhooks/references/webhook-schema.md of SUMSUB/agent-skills.
"""

from worker import model, policy

#: Events of an applicant that may change the result.
STATUS_EVENTS = frozenset(
    {
        "applicantPending",
        "applicantPrechecked",
        "applicantReviewed",
        "applicantOnHold",
        "applicantReset",
        "applicantLevelChanged",
        "applicantWorkflowCompleted",
        "applicantActivated",
    }
)
#: Events that say nothing about the verification, or after which there is no result.
IGNORED_EVENTS = frozenset(
    {
        "applicantCreated",
        "applicantTagsChanged",
        "applicantPersonalInfoChanged",
        "applicantDeactivated",
        "applicantDeleted",
        "applicantPersonalDataDeleted",
        "applicantActionPending",
        "applicantActionReviewed",
        "applicantActionOnHold",
        "videoIdentStatusChanged",
        "videoIdentCompositionCompleted",
    }
)
STATUSES = frozenset(
    {
        "init",
        "pending",
        "prechecked",
        "queued",
        "completed",
        "onHold",
        "awaitingUser",
        "awaitingService",
    }
)

Mapped = tuple[model.Verdict, tuple[model.AlarmKind, ...]]
_UNRECOGNISED = (model.AlarmKind.UNRECOGNISED_RESULT,)


def map_review(status: object, answer: object, reject_type: object) -> Mapped:
    """Return the verdict on a review; what no row of the table has is pending."""
    match status:
        case "completed":
            return _completed(answer, reject_type)
        case "init" | "awaitingUser":
            verdict = policy.pending(
                model.Reason.IN_PROGRESS,
                status=status,
                next_step=model.NextStep.CONTINUE_SESSION,
            )
        case "pending" | "prechecked" | "queued" | "awaitingService":
            verdict = policy.pending(model.Reason.IN_PROGRESS, status=status)
        case "onHold":
            verdict = policy.pending(model.Reason.UNDER_REVIEW, status=status)
        case _:
            return policy.pending_unrecognised(status, STATUSES), _UNRECOGNISED
    return verdict, ()


def _completed(answer: object, reject_type: object) -> Mapped:
    """
    Return the verdict on a completed review; the answer counts in no other status.

    RED without a type is not documented, so that it stays pending. Labels have no
    documented precedence: a rejection is ``declined``.
    """
    status = "completed"
    match answer, reject_type:
        case "GREEN", None:
            return policy.approved(status=status), ()
        case "RED", "FINAL":
            verdict = policy.rejected(
                model.Reason.DECLINED,
                status=status,
                provider_reason="FINAL",
                retryable=False,
            )
        case "RED", "RETRY":
            verdict = policy.pending(
                model.Reason.RESUBMISSION_REQUESTED,
                status=status,
                provider_reason="RETRY",
                next_step=model.NextStep.CONTINUE_SESSION,
            )
        case _:
            return policy.pending_unrecognised(status, STATUSES), _UNRECOGNISED
    return verdict, ()
