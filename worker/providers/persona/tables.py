"""
List Persona's words, and what each of them means.

Sources, seen 2026-12-01: https://docs.withpersona.com/model-lifecycle and
https://docs.withpersona.com/docs/webhooks.
"""

from worker import model, policy

#: Events of an inquiry that may change its status.
STATUS_EVENTS = frozenset(
    f"inquiry.{word}"
    for word in (
        "completed",
        "failed",
        "expired",
        "approved",
        "declined",
        "marked-for-review",
        "transitioned",
    )
)
#: A new inquiry has no result.
IGNORED_EVENTS = frozenset({"inquiry.created", "inquiry.started"})
STATUSES = frozenset(
    {
        "created",
        "pending",
        "completed",
        "needs_review",
        "approved",
        "declined",
        "failed",
        "expired",
    }
)

Mapped = tuple[model.Verdict, tuple[model.AlarmKind, ...]]


def map_status(status: object, *, approve_completed: bool = False) -> Mapped:
    """Return the verdict on an inquiry; what no row of the table has is pending."""
    match status:
        case "approved":
            verdict = policy.approved(status=status)
        case "completed" if approve_completed:
            verdict = policy.approved(status=status)
        case "completed" | "needs_review":
            verdict = policy.pending(model.Reason.UNDER_REVIEW, status=status)
        case "created" | "pending":
            verdict = policy.pending(
                model.Reason.IN_PROGRESS,
                status=status,
                next_step=model.NextStep.CONTINUE_SESSION,
            )
        # "failed": the end user has no attempts left.
        case "declined" | "failed":
            verdict = policy.rejected(model.Reason.DECLINED, status=status)
        case "expired":
            verdict = policy.rejected(model.Reason.NOT_COMPLETED, status=status)
        case _:
            verdict = policy.pending_unrecognised(status, STATUSES)
            return verdict, (model.AlarmKind.UNRECOGNISED_RESULT,)
    return verdict, ()
