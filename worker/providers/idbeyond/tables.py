"""
Hold id beyond's words, what each pair of them means, and where sessions are named.

Vendor guide and the vendor's operator starter, seen 2026-11-20.
"""

import enum
from collections.abc import Iterable, Mapping
from typing import Any

from worker import model, policy
from worker.providers import _fields

SESSION = "verificationSessionId"
#: Where a session may be named: all that are there must name the same one. The ``id``
#: of a callback might be the callback's.
IN_CALLBACK = (SESSION, "sessionId", "session_id")
IN_RESULT = (*IN_CALLBACK, "id")

DECISIONS = frozenset({"approved", "rejected"})
REVIEW_STATUSES = frozenset(
    {"none", "pending_review", "pending", "approved", "rejected"}
)

Mapped = tuple[model.Verdict, tuple[model.AlarmKind, ...]]


class _Row(enum.Enum):
    """What a pair of words means."""

    APPROVED = enum.auto()
    DECLINED = enum.auto()
    REVIEW = enum.auto()
    PROGRESS = enum.auto()


#: (decision, reviewStatus); None is absent. Whatever is not here is no verdict. The
#: vendor's starter lets ``decision`` win over ``reviewStatus``; we do not.
_ROWS: Mapping[tuple[str | None, str | None], _Row] = {
    ("approved", "approved"): _Row.APPROVED,
    ("approved", None): _Row.APPROVED,
    ("rejected", "rejected"): _Row.DECLINED,
    ("rejected", None): _Row.DECLINED,
    ("rejected", "pending_review"): _Row.REVIEW,
    ("rejected", "pending"): _Row.REVIEW,
    (None, "rejected"): _Row.DECLINED,
    (None, "pending_review"): _Row.REVIEW,
    (None, "pending"): _Row.REVIEW,
    (None, "none"): _Row.PROGRESS,
    (None, None): _Row.PROGRESS,
}


def map_words(
    values: Mapping[str, str | None], at_ms: int | None, *, approve_on_review: bool
) -> Mapped:
    """
    Return the verdict on the pair of words *values*, contradictions never approved.

    *approve_on_review*: without a decision, an approved review approves.
    """
    decision = policy.known_word(values.get("decision"), DECISIONS)
    review = policy.known_word(values.get("reviewStatus"), REVIEW_STATUSES)
    status = review if decision is None else decision
    row = _ROWS.get((decision, review))
    on_review = (decision, review) == (None, "approved")
    if on_review and approve_on_review:
        row = _Row.APPROVED
    match row:
        case _Row.APPROVED:
            return policy.approved(status=status, provider_time=at_ms), ()
        case _Row.DECLINED:
            reason = model.Reason.DECLINED
            return policy.rejected(reason, status=status, provider_time=at_ms), ()
        case _Row.REVIEW:
            reason = model.Reason.UNDER_REVIEW
            return policy.pending(reason, status=status, provider_time=at_ms), ()
        case _Row.PROGRESS:
            reason = model.Reason.IN_PROGRESS
            return policy.pending(reason, status=status, provider_time=at_ms), ()
        case None:
            unlisted = on_review or policy.UNLISTED in (decision, review)
            reason = model.Reason.UNRECOGNISED_RESULT
            return policy.pending(reason, status=status, provider_time=at_ms), (
                model.AlarmKind.UNRECOGNISED_RESULT
                if unlisted
                else model.AlarmKind.CONTRADICTORY_RESULT,
            )


def names_another(
    document: Mapping[str, Any], names: Iterable[str], session_id: str
) -> bool:
    """Return whether one of *names* holds anything but *session_id*."""
    return any(
        _fields.canonical_uuid(document[name]) != session_id
        for name in names
        if name in document
    )


def words(document: Mapping[str, Any]) -> dict[str, str | None]:
    """
    Return the words of the table that *document* holds; None is absent.

    The vendor's table has null for ``decision`` alone: a null ``reviewStatus`` is
    another shape, and so ``unlisted``.
    """
    review = document.get("reviewStatus", _ABSENT)
    if review is _ABSENT:
        review = None
    elif review is None:
        review = policy.UNLISTED
    return {
        "decision": policy.known_word(document.get("decision"), DECISIONS),
        "reviewStatus": policy.known_word(review, REVIEW_STATUSES),
    }


_ABSENT = object()
