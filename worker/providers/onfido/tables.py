"""
List Onfido's words, and what each of them means.

Source: onfido/onfido-openapi-spec (schemas/workflow_runs/definitions.yaml,
schemas/checks/definitions.yaml, schemas/webhooks), seen 2026-12-01.
"""

from worker import model, policy

#: Events of a workflow run or a check that may change its result.
STATUS_EVENTS = frozenset(
    {
        "workflow_run.completed",
        "workflow_task.completed",
        "check.reopened",
        "check.withdrawn",
        "check.completed",
        "check.form_completed",
    }
)
#: The start of something has no result.
IGNORED_EVENTS = frozenset({"workflow_task.started", "check.started"})
#: Of which resources the events are, for each kind of session.
RESOURCES = {
    "workflow_run": frozenset({"workflow_run", "workflow_task"}),
    "check": frozenset({"check"}),
}
RUN_STATUSES = frozenset(
    {
        "processing",
        "awaiting_input",
        "awaiting_client_input",
        "review",
        "approved",
        "declined",
        "abandoned",
        "error",
    }
)
CHECK_STATUSES = frozenset(
    {
        "in_progress",
        "awaiting_applicant",
        "paused",
        "reopened",
        "withdrawn",
        "complete",
    }
)

Mapped = tuple[model.Verdict, tuple[model.AlarmKind, ...]]
_UNRECOGNISED = (model.AlarmKind.UNRECOGNISED_RESULT,)


def map_run(status: object) -> Mapped:
    """Return the verdict on a workflow run; what is in no row is pending."""
    match status:
        case "approved":
            verdict = policy.approved(status=status)
        case "declined":
            verdict = policy.rejected(model.Reason.DECLINED, status=status)
        case "abandoned":
            verdict = policy.rejected(model.Reason.NOT_COMPLETED, status=status)
        case "awaiting_input":
            verdict = policy.pending(
                model.Reason.IN_PROGRESS,
                status=status,
                next_step=model.NextStep.CONTINUE_SESSION,
            )
        case "processing" | "awaiting_client_input" | "review":
            verdict = policy.pending(model.Reason.UNDER_REVIEW, status=status)
        # "error" too: the run has failed at Onfido, and an operator must look at it.
        case _:
            verdict = policy.pending_unrecognised(status, RUN_STATUSES)
            return verdict, _UNRECOGNISED
    return verdict, ()


def map_check(
    status: object, result: object, *, reject_consider: bool = False
) -> Mapped:
    """Return the verdict on a classic check; what is in no row is pending."""
    match status, result:
        case "complete", "clear":
            verdict = policy.approved(status="complete")
        case "complete", "consider":
            verdict = (
                policy.rejected(model.Reason.DECLINED, status="complete")
                if reject_consider
                else policy.pending(model.Reason.UNDER_REVIEW, status="complete")
            )
        case "withdrawn", None:
            verdict = policy.rejected(model.Reason.NOT_COMPLETED, status="withdrawn")
        case "awaiting_applicant", None:
            verdict = policy.pending(
                model.Reason.IN_PROGRESS,
                status="awaiting_applicant",
                next_step=model.NextStep.CONTINUE_SESSION,
            )
        # A result may remain from before a check was reopened: it decides nothing.
        case ("in_progress" | "paused" | "reopened") as unfinished, _:
            verdict = policy.pending(model.Reason.UNDER_REVIEW, status=unfinished)
        case _:
            verdict = policy.pending_unrecognised(status, CHECK_STATUSES)
            return verdict, _UNRECOGNISED
    return verdict, ()
