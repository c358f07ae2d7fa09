"""
List Ondato's words, and what each of them means.

Second-hand, from public integrations, seen 2026-11-20; the event names are Ondato's own
(https://ondato.atlassian.net/wiki/spaces/PUB/pages/2296184995).
"""

from worker import model, policy

EVENTS = frozenset(
    {
        "IdentityVerification.StatusChanged",
        "KycIdentification.Processed",
        "KycIdentification.Approved",
        "KycIdentification.Updated",
        "KycIdentification.Rejected",
    }
)
#: They have no result.
IGNORED_EVENTS = frozenset(
    {"IdentityVerification.Consented", "KycIdentification.Created"}
)
#: Of the resources whose events are read, the member that names the session.
SESSION_FIELDS = {
    "IdentityVerification": "id",
    "KycIdentification": "identityVerificationId",
}
VERIFICATION_STATUSES = frozenset(
    {"Pending", "InProgress", "Completed", "Expired", "Aborted"}
)
#: Decided, and not: the latter are a guess from the names of the events.
IDENTIFICATION_STATUSES = frozenset(
    {"Approved", "Rejected", "Created", "Processed", "Updated"}
)

Mapped = tuple[model.Verdict, tuple[model.AlarmKind, ...]]
_UNRECOGNISED = (model.AlarmKind.UNRECOGNISED_RESULT,)


def map_results(verification: object, identification: object) -> Mapped:
    """
    Return the verdict on a verification and its KYC identification.

    *identification* is None where there is none. What is in no row is pending.
    """
    match verification, identification:
        case "Completed", "Approved":
            verdict = policy.approved(status="Approved")
        case (("Pending" | "InProgress" | "Completed"), "Rejected"):
            verdict = policy.rejected(model.Reason.DECLINED, status="Rejected")
        case ("Expired" | "Aborted") as ended, None:
            verdict = policy.rejected(model.Reason.NOT_COMPLETED, status=ended)
        case ("Pending" | "InProgress") as open_, None:
            verdict = policy.pending(
                model.Reason.IN_PROGRESS,
                status=open_,
                next_step=model.NextStep.CONTINUE_SESSION,
            )
        case "Completed", None:
            verdict = policy.pending(model.Reason.UNDER_REVIEW, status="Completed")
        case "Completed", ("Created" | "Processed" | "Updated") as undecided:
            verdict = policy.pending(model.Reason.UNDER_REVIEW, status=undecided)
        case _:
            verdict = policy.pending_unrecognised(verification, VERIFICATION_STATUSES)
            listed = verdict.provider_status not in {None, policy.UNLISTED}
            if listed and identification is not None:
                verdict = policy.pending_unrecognised(
                    identification, IDENTIFICATION_STATUSES
                )
            return verdict, _UNRECOGNISED
    return verdict, ()
