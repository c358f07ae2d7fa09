"""
Spell a session's ledger document in version 2: half the bytes of version 1.

What every ended session has stands in one list without names, times count from the
first one, and a verdict's words are one code. Everything else stands as in version 1,
so that a new field is no matter of this module.
"""

import itertools
from typing import Any

from worker import errors
from worker.codec import fields, record

VERSION = 2
#: what the list stands under: of a session that has ended, and of one that is open
ENDED, OPEN = "e", "o"

#: the list: id, first, at, rev, seq, fetched, observed, standing; its places are fixed
_LISTED = ("id", "first", "at", "rev", "seq", "fetched", "observed", "standing")
_RESERVED = frozenset({ENDED, OPEN})
_NOT_BESIDE_IT = _RESERVED.union(_LISTED)
_NEEDED_TO_BE_OPEN = frozenset({"due", "flight"})
#: what follows a verdict's code in its list, trailing nulls left out
_AFTER_CODE = ("status", "detail", "said", "flags")
_LONGEST_VERDICT = 1 + len(_AFTER_CODE)

# Written into every ledger: a word gets a code of its own, once and for all.
_OUTCOMES = {"approved": "a", "rejected": "r", "pending": "p"}
_REASONS = {
    "verified": "vf",
    "in_progress": "ip",
    "under_review": "ur",
    "resubmission_requested": "rr",
    "reopened": "ro",
    "unrecognised_result": "un",
    "provider_unavailable": "pu",
    "reference_mismatch": "rm",
    "document_invalid": "di",
    "document_expired": "de",
    "data_mismatch": "dm",
    "biometric_failed": "bf",
    "fraud": "fr",
    "screening_hit": "sh",
    "not_eligible": "ne",
    "consent_refused": "cr",
    "technical_failure": "tf",
    "not_completed": "nc",
    "approval_expired": "ae",
    "declined": "dc",
    "manual_override": "mo",
}
_NEXT_STEPS = {None: "", "wait": "w", "continue_session": "c", "new_session": "n"}
_RETRYABLE = {None: "", True: "r"}
_CODED = ("is", "why", "next", "retryable")
#: (is, why, next, retryable) of version 1, None where it is left out: the code
_CODES = {
    tuple(word for word, _ in row): "".join(code for _, code in row)
    for row in itertools.product(
        _OUTCOMES.items(), _REASONS.items(), _NEXT_STEPS.items(), _RETRYABLE.items()
    )
}
_DECODED = {
    code: {name: word for name, word in zip(_CODED, words, strict=True) if word}
    for words, code in _CODES.items()
}


def compact(document: fields.Document) -> fields.Document:
    """
    Return version 1's *document*, less its version, in version 2.

    *document* is one that the code has written, and is used up.
    """
    key = ENDED if _NEEDED_TO_BE_OPEN.isdisjoint(document) else OPEN
    take = document.pop
    first = take("first")
    standing = take("standing", None)
    listed = [
        take("id"),
        first,
        take("at") - first,
        take("rev", 0),
        take("seq", 0),
        _since(first, take("fetched", None)),
        _since(first, take("observed", None)),
        None if standing is None else _compact_verdict(standing),
    ]
    while listed[-1] is None:
        listed.pop()
    return {"v": VERSION, key: listed, **document}


def expand(document: fields.Document) -> fields.Document:
    """
    Return version 2's *document*, less its version, as version 1 spells it.

    *document* is used up. Raises errors.UnknownVersion for a list that is longer than
    we know, MalformedRecord for what was never written.
    """
    key = ENDED if _NEEDED_TO_BE_OPEN.isdisjoint(document) else OPEN
    listed = document.pop(key, None)
    if not isinstance(listed, list) or len(listed) < 3:  # noqa: PLR2004 -- id, first, at
        raise record.MalformedRecord("list")
    if len(listed) > len(_LISTED):
        raise errors.UnknownVersion("a longer list")
    if not _NOT_BESIDE_IT.isdisjoint(document):
        raise record.MalformedRecord("a field that is in the list")
    found = dict(zip(_LISTED, listed, strict=False))
    first = _number(found["first"])
    for name in ("at", "fetched", "observed"):
        if found.get(name) is not None:
            found[name] = first + _number(found[name])
    if found.get("standing") is not None:
        found["standing"] = _expand_verdict(found["standing"])
    for name in ("rev", "seq"):
        if name in found and _number(found[name]) == 0:
            del found[name]
    document.update((k, v) for k, v in found.items() if v is not None)
    return document


def check_reserved(document: fields.Document) -> None:
    """Raise errors.UnknownVersion where version 1 uses what version 2 stands under."""
    if not _RESERVED.isdisjoint(document):
        raise errors.UnknownVersion("a reserved field")


def _since(first: int, at: int | None) -> int | None:
    return None if at is None else at - first


def _number(value: object) -> int:
    if type(value) is not int:
        raise record.MalformedRecord("list")
    return value


def _compact_verdict(verdict: fields.Document) -> list[Any]:
    take = verdict.get
    code = _CODES[take("is"), take("why"), take("next"), take("retryable")]
    listed = [code, *map(take, _AFTER_CODE)]
    while listed[-1] is None:
        listed.pop()
    return listed


def _expand_verdict(listed: object) -> fields.Document:
    if not isinstance(listed, list) or not listed or not isinstance(listed[0], str):
        raise record.MalformedRecord("standing")
    if len(listed) > _LONGEST_VERDICT:
        raise errors.UnknownVersion("a longer verdict")
    coded = _DECODED.get(listed[0])
    if coded is None:
        raise record.MalformedRecord("standing")
    after = zip(_AFTER_CODE, listed[1:], strict=False)
    return {**coded, **{name: value for name, value in after if value is not None}}
