"""
List Veriff's words, and what each of them means.

Source, seen 2026-12-01:
https://devdocs.veriff.com/docs/verification-session-status-codes-table. The pages
contradict each other about code 9121, and code 9104 has two statuses: only the status
is read.
"""

from worker import model, policy

#: A session that was opened has no result.
IGNORED_ACTIONS = frozenset({"started"})
ACTIONS = frozenset({"submitted"})
STATUSES = frozenset(
    {
        "created",
        "started",
        "submitted",
        "approved",
        "declined",
        "resubmission_requested",
        "expired",
        "abandoned",
        "review",
    }
)

Mapped = tuple[model.Verdict, tuple[model.AlarmKind, ...]]


def map_status(status: object) -> Mapped:
    """Return the verdict on a session; what no row of the table has is pending."""
    match status:
        case "approved":
            verdict = policy.approved(status=status)
        case "declined":
            verdict = policy.rejected(model.Reason.DECLINED, status=status)
        case "expired" | "abandoned":
            verdict = policy.rejected(model.Reason.NOT_COMPLETED, status=status)
        case "resubmission_requested":
            verdict = policy.pending(
                model.Reason.RESUBMISSION_REQUESTED,
                status=status,
                next_step=model.NextStep.CONTINUE_SESSION,
            )
        case "created" | "started":
            verdict = policy.pending(
                model.Reason.IN_PROGRESS,
                status=status,
                next_step=model.NextStep.CONTINUE_SESSION,
            )
        case "submitted" | "review":
            verdict = policy.pending(model.Reason.UNDER_REVIEW, status=status)
        case _:
            verdict = policy.pending_unrecognised(status, STATUSES)
            return verdict, (model.AlarmKind.UNRECOGNISED_RESULT,)
    return verdict, ()


def undecided() -> Mapped:
    """
    Return the verdict on a ``verification`` that is null or empty.

    It does not say whether the end user has finished. An integration with an old
    webhook setup returns it even for decided sessions
    (https://devdocs.veriff.com/docs/general-faq, seen 2026-12-01), so it never ends a
    session: only ``in_progress`` would, at the session's deadline.
    """
    return policy.pending(model.Reason.UNDER_REVIEW, status=None), ()
