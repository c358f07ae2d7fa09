"""Map iDenfy's status document: contradictions first, no decision before the end."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from worker import errors, model, policy
from worker.providers.idenfy import tables

_Reason = model.Reason

Mapped = tuple[model.Verdict, tuple[model.AlarmKind, ...]]


class Rules(NamedTuple):
    """What the source's settings say of a result."""

    face: bool  #: an approval requires a face that matches
    review_successful: bool
    review_failed: bool
    approve_with_tags: bool


def map_status(  # noqa: PLR0911 -- one for each status
    document: Mapping[str, Any], rules: Rules
) -> Mapped:
    """
    Return what the status document means; the binding has been checked.

    Raises errors.NotReady without a status, and errors.SessionNotFound where the data
    is deleted or archived.
    """
    status = document.get("status")
    if status is None:
        raise errors.NotReady("status")
    if not isinstance(status, str) or status not in tables.STATUSES:
        return _unrecognised(status)
    if status in tables.GONE:
        raise errors.SessionNotFound(status)
    match status:
        case "ACTIVE":
            return policy.pending(_Reason.IN_PROGRESS, status=status), ()
        case "EXPIRED":
            return policy.rejected(_Reason.NOT_COMPLETED, status=status), ()
        case "REVIEWING":
            return policy.pending(_Reason.UNDER_REVIEW, status=status), ()
        case "SUSPECTED":
            flags = _suspicion(document)
            return policy.pending(_Reason.UNDER_REVIEW, status=status, flags=flags), ()
        case "APPROVED":
            return _approval(document, rules)
        case _:
            return _denial(document, rules)


def _approval(document: Mapping[str, Any], rules: Rules) -> Mapped:
    """Return an approval that is final and that nothing in *document* contradicts."""
    paper = _effective(document, "Document")
    face = _effective(document, "Face")
    fraud, mismatch = document.get("fraudTags"), document.get("mismatchTags")
    known = (
        policy.known_word(paper, tables.DOCUMENTS),
        policy.known_word(face, tables.FACES),
    )
    if policy.UNLISTED in known or not (_is_list(fraud) and _is_list(mismatch)):
        return _unrecognised(tables.APPROVED)
    faces = (
        {tables.FACE_MATCH}
        if rules.face
        else {tables.FACE_MATCH, tables.FACE_NOT_CHECKED, None}
    )
    if paper != tables.DOC_VALIDATED or face not in faces:
        verdict = policy.pending_unrecognised(tables.APPROVED, tables.STATUSES)
        return verdict, (model.AlarmKind.CONTRADICTORY_RESULT,)
    if not _is_final(document, reviewed=rules.review_successful):
        verdict = policy.pending(
            _Reason.UNDER_REVIEW,
            status=tables.APPROVED,
            flags=(model.Flag.LIKELY_APPROVED,),
        )
        return verdict, ()
    if (fraud or mismatch) and not rules.approve_with_tags:
        verdict = policy.pending(
            _Reason.UNDER_REVIEW, status=tables.APPROVED, flags=_suspicion(document)
        )
        return verdict, ()
    return policy.approved(status=tables.APPROVED), ()


def _denial(document: Mapping[str, Any], rules: Rules) -> Mapped:
    """Return a rejection with its reason, pending where a review may change it."""
    if not _is_final(document, reviewed=rules.review_failed):
        return policy.pending(_Reason.UNDER_REVIEW, status=tables.DENIED), ()
    reason, word = _reason(document)
    return policy.rejected(reason, status=tables.DENIED, provider_reason=word), ()


def _reason(document: Mapping[str, Any]) -> tuple[model.Reason, str | None]:
    """Return the reason and its word: fraud first, then document, face, tags."""
    found = [
        (reason, str(word))
        for word, table in (
            (_effective(document, "Document"), tables.DOCUMENTS),
            (_effective(document, "Face"), tables.FACES),
            *((word, tables.FRAUD_TAGS) for word in _words(document.get("fraudTags"))),
            *(
                (word, tables.MISMATCH_TAGS)
                for word in _words(document.get("mismatchTags"))
            ),
        )
        if isinstance(word, str) and (reason := table.get(word)) is not None
    ]
    for reason, word in found:
        if reason is _Reason.FRAUD:
            return reason, word
    return found[0] if found else (_Reason.DECLINED, None)


def _is_final(document: Mapping[str, Any], *, reviewed: bool) -> bool:
    """
    Return whether no review follows.

    One page has a ``final`` in responses, the reference of the call has none. Where it
    is absent, a reviewer's own result is final ("empty if not reviewed yet"), and an
    automatic one only if such sessions are not reviewed.
    """
    if "final" in document:
        return document["final"] is True
    return not reviewed or bool(document.get("manualDocument"))


def _effective(document: Mapping[str, Any], check: str) -> object:
    """Return the reviewer's word about *check*, else the automatic one, else None."""
    return document.get(f"manual{check}") or document.get(f"auto{check}") or None


def _suspicion(document: Mapping[str, Any]) -> tuple[model.Flag, ...]:
    """Return the flag of suspected fraud if a tag says so."""
    words = _words(document.get("fraudTags"))
    fraud = any(tables.FRAUD_TAGS.get(word) is _Reason.FRAUD for word in words)
    return (model.Flag.FRAUD_SUSPECTED,) if fraud else ()


def _is_list(value: object) -> bool:
    return isinstance(value, list)


def _words(value: object) -> Iterable[str]:
    listed = value if isinstance(value, list) else ()
    return (word for word in listed if isinstance(word, str))


def _unrecognised(status: object) -> Mapped:
    verdict = policy.pending_unrecognised(status, tables.STATUSES)
    return verdict, (model.AlarmKind.UNRECOGNISED_RESULT,)
