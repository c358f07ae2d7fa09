"""Map the event that Shufti Pro's result names."""

from collections.abc import Iterator, Mapping

from worker import model, policy

# docs/verification_endpoints/responses, seen 2026-11-20 and 2026-12-01.
ACCEPTED = "verification.accepted"
DECLINED = "verification.declined"
CHANGED = "verification.status.changed"
DELETED = "request.deleted"
INVALID = "request.invalid"
UNAUTHORIZED = "request.unauthorized"
_PENDING: Mapping[str, model.Reason] = {
    "request.received": model.Reason.IN_PROGRESS,
    "request.pending": model.Reason.IN_PROGRESS,
    "review.pending": model.Reason.UNDER_REVIEW,
}
_NOT_COMPLETED = frozenset({"verification.cancelled", "request.timeout"})
#: Callbacks that tell nothing of a session's result.
IGNORED = frozenset({INVALID, UNAUTHORIZED, DELETED})
EVENTS = frozenset({ACCEPTED, DECLINED, CHANGED, *_PENDING, *_NOT_COMPLETED, *IGNORED})


def map_event(
    event: object, checks: Mapping[str, object]
) -> tuple[model.Verdict, tuple[model.AlarmKind, ...]]:
    """
    Return the verdict of *event* and the alarms; *checks* is ``verification_result``.

    In *checks* 1 is passed, 0 is failed and null is not checked. An acceptance with a
    failed check is a contradiction: pending. So is a changed status without the new
    one: it is fetched again.
    """
    match event:
        case "verification.accepted" if _has_failed(checks):
            verdict = policy.pending_unrecognised(event, EVENTS)
            return verdict, (model.AlarmKind.CONTRADICTORY_RESULT,)
        case "verification.accepted":
            return policy.approved(status=ACCEPTED), ()
        case "verification.declined":
            return policy.rejected(model.Reason.DECLINED, status=DECLINED), ()
        case str() if event in _NOT_COMPLETED:
            reason = model.Reason.NOT_COMPLETED
            return policy.rejected(reason, status=event, retryable=True), ()
        case str() if event in _PENDING:
            return policy.pending(_PENDING[event], status=event), ()
        case _:
            verdict = policy.pending_unrecognised(event, EVENTS)
            return verdict, (model.AlarmKind.UNRECOGNISED_RESULT,)


def _has_failed(checks: Mapping[str, object]) -> bool:
    return any(value == 0 or value is False for value in _leaves(checks))


def _leaves(checks: Mapping[str, object]) -> Iterator[object]:
    """Yield the values at every depth, without recursion."""
    left: list[object] = list(checks.values())
    while left:
        value = left.pop()
        if isinstance(value, dict):
            left.extend(value.values())
        elif isinstance(value, list):
            left.extend(value)
        else:
            yield value
