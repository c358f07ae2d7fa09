"""
List AiPrise's words, and what each of them means.

Sources: https://docs.aiprise.com/docs/verification-result-1, seen 2026-11-20. The
run status is second-hand, from public clients.
"""

from worker import model, policy

RESULTS = frozenset({"APPROVED", "DECLINED", "REVIEW", "UNKNOWN"})
#: A verification that has not run to its end has no result.
RUNNING = "PENDING"
FAILED = "FAILED"

Mapped = tuple[model.Verdict, tuple[model.AlarmKind, ...]]
_UNRECOGNISED = (model.AlarmKind.UNRECOGNISED_RESULT,)


def map_result(result: object, run_status: object) -> Mapped:
    """Return the verdict on a verification; what is in no row is pending."""
    word = policy.known_word(result, RESULTS)
    if run_status == FAILED:
        # The run has failed at AiPrise, so its result means nothing.
        return policy.pending(model.Reason.UNRECOGNISED_RESULT, status=word), (
            _UNRECOGNISED
        )
    if run_status == RUNNING:
        # Whether the end user is through is not said.
        return policy.pending(model.Reason.UNDER_REVIEW, status=word), ()
    match result:
        case "APPROVED":
            return policy.approved(status=result), ()
        case "DECLINED":
            return policy.rejected(model.Reason.DECLINED, status=result), ()
        case "REVIEW" | "UNKNOWN":
            return policy.pending(model.Reason.UNDER_REVIEW, status=result), ()
        case _:
            return policy.pending_unrecognised(result, RESULTS), _UNRECOGNISED
