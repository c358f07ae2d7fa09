"""
List Didit's words, and what each of them means.

Sources: https://docs.didit.me/integration/verification-statuses and
https://docs.didit.me/integration/webhooks, seen 2026-11-20.
"""

from worker import model, policy

#: Events of a session; those of users, businesses and transactions are ignored.
SESSION_EVENTS = frozenset({"status.updated", "data.updated"})
IGNORED_PREFIXES = ("user.", "business.", "transaction.", "travel_rule.")
STATUSES = frozenset(
    {
        "Not Started",
        "In Progress",
        "Awaiting User",
        "In Review",
        "Resubmitted",
        "Approved",
        "Declined",
        "Expired",
        "Abandoned",
        "Kyc Expired",
    }
)

Mapped = tuple[model.Verdict, tuple[model.AlarmKind, ...]]


def map_status(status: object) -> Mapped:
    """Return the verdict on a session; what no row of the table has is pending."""
    match status:
        case "Approved":
            verdict = policy.approved(status=status)
        case "Declined":
            verdict = policy.rejected(model.Reason.DECLINED, status=status)
        case "Expired" | "Abandoned":
            verdict = policy.rejected(model.Reason.NOT_COMPLETED, status=status)
        # It follows "Approved", and so revokes an approval.
        case "Kyc Expired":
            verdict = policy.rejected(model.Reason.APPROVAL_EXPIRED, status=status)
        case "In Review":
            verdict = policy.pending(model.Reason.UNDER_REVIEW, status=status)
        case "Resubmitted":
            verdict = policy.pending(
                model.Reason.RESUBMISSION_REQUESTED,
                status=status,
                next_step=model.NextStep.CONTINUE_SESSION,
            )
        case "Not Started" | "In Progress" | "Awaiting User":
            verdict = policy.pending(
                model.Reason.IN_PROGRESS,
                status=status,
                next_step=model.NextStep.CONTINUE_SESSION,
            )
        case _:
            verdict = policy.pending_unrecognised(status, STATUSES)
            return verdict, (model.AlarmKind.UNRECOGNISED_RESULT,)
    return verdict, ()
