"""
List Trulioo's words, and what each of them means.

Second-hand: api-evangelist/trulioo asyncapi/trulioo-webhooks.yml, which quotes
https://developer.trulioo.com/reference/event-dispatcher, seen 2026-12-01. The statuses
of an exported client are not published.
"""

from collections.abc import Collection

from worker import model, policy

URL_VERIFICATION = "URL_VERIFICATION"
#: Events that may change the result; others wake the session too.
STATUS_EVENTS = frozenset(
    {
        "FLOW_END",
        "SERVICE_TIMEOUT",
        "ABANDONED",
        "MANUALLY_ACCEPTED",
        "MANUALLY_REJECTED",
        "MANUALLY_PENDING_REVIEW",
        "MANUALLY_ABANDONED",
    }
)
#: Steps of the end user and notes of staff have no result.
IGNORED_EVENTS = frozenset(
    {
        "FLOW_START",
        "STEP_INIT",
        "STEP_SUBMIT",
        "SERVICE_INIT",
        "INTERMEDIATE_EVENT_RECEIVED",
        "SERVICE_SUBMIT",
        "INSTANT_SERVICE_SUBMIT",
        "NOTE_ADDED",
        "TASK_ADDED",
        "TASK_DONE",
        "TASK_UNDONE",
    }
)
_APPROVED = frozenset({"MANUALLY_ACCEPTED", "match"})
_REJECTED = frozenset({"MANUALLY_REJECTED", "nomatch"})
_ENDED = frozenset({"ABANDONED", "MANUALLY_ABANDONED"})
_REVIEWED = frozenset({"MANUALLY_PENDING_REVIEW"})
STATUSES = _APPROVED | _REJECTED | _ENDED | _REVIEWED

Mapped = tuple[model.Verdict, tuple[model.AlarmKind, ...]]


def map_status(
    status: object,
    *,
    approved: Collection[str] = (),
    rejected: Collection[str] = (),
) -> Mapped:
    """
    Return the verdict on a client; *approved* and *rejected* are the source's words.

    A word in both of them, and any other one, is pending.
    """
    known = STATUSES | {*approved, *rejected}
    word = status if isinstance(status, str) else None
    approves = word in _APPROVED or word in approved
    rejects = word in _REJECTED or word in rejected
    if approves and not rejects:
        return policy.approved(status=word), ()
    if rejects and not approves:
        return policy.rejected(model.Reason.DECLINED, status=word), ()
    if word in _ENDED and not approves:
        return policy.rejected(model.Reason.NOT_COMPLETED, status=word), ()
    if status is None or word in _REVIEWED:
        return policy.pending(model.Reason.UNDER_REVIEW, status=word), ()
    alarms = (model.AlarmKind.UNRECOGNISED_RESULT,)
    return policy.pending_unrecognised(status, known), alarms
