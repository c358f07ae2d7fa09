"""Read what the table asks of a Biometric.kz result, whatever the types are."""

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

from worker import model, policy
from worker.providers import _fields

# Vendor guide, fundamentals/webhooks/flow_events, seen 2026-11-20: FINISHED, FAILED.
# PROGRESS is seen in an integration only.
STATUSES = frozenset({"FINISHED", "FAILED", "PROGRESS"})

# Vendor guide, integrations/flow_widget and flow_result, seen 2026-11-20.
PART_OF: Mapping[str, str] = {
    "LD": "liveness_result",
    "LDHP": "liveness_result",
    "LDD": "liveness_result",
    "F2F": "face2face_result",
    "ED": "edocument_result",
    "DR": "document_recognition_result",
    "GBDFL": "gbdfl_result",
}
_NOT_A_PART = "flow_session_result"
_FLOW_REASONS = "flow_session_failure_reasons"
_GBDFL_PART = PART_OF["GBDFL"]
_FACE_PARTS = frozenset({PART_OF["LD"], PART_OF["F2F"]})

_FRAUD = model.Reason.FRAUD
_FACE = model.Reason.BIOMETRIC_FAILED
_TECHNICAL = model.Reason.TECHNICAL_FAILURE
_UNFINISHED = model.Reason.NOT_COMPLETED
_ABORTED = "Operation aborted by user"
_UNSENT = "Could not send image to liveness service"

# Vendor guide, fundamentals/failure_reasons, seen 2026-11-20 (liveness only; the
# tables of other technologies were not visible). What each means is our reading:
# the same detail under two types need not mean the same.
REASONS: Mapping[tuple[str, str | None], model.Reason] = {
    ("CALC_RESULT", "Mask Attack"): _FRAUD,
    ("CALC_RESULT", "Closed eyes"): _FACE,
    ("CALC_RESULT", "Low prediction"): _FACE,
    ("CALC_RESULT", "Low overall prediction"): _FACE,
    ("CLIENT", "Could not find face distance"): _FACE,
    ("CLIENT", "Medical mask check failed"): _FACE,
    ("CLIENT", "Illumination check failed"): _FACE,
    ("CLIENT", "Liveness result for this session already exists"): _UNFINISHED,
    ("CLIENT", _UNSENT): _UNFINISHED,
    ("CLIENT", _ABORTED): _TECHNICAL,
    ("SERVICE_ERROR", _UNSENT): _TECHNICAL,
    ("SERVICE_ERROR", None): _TECHNICAL,
    ("REQUEST_ERROR", None): _TECHNICAL,
    ("NO_CAM", None): _TECHNICAL,
    ("TIMEOUT", None): _TECHNICAL,
    ("OTHER", "Incorrect image hash"): _FRAUD,
    ("OTHER", _ABORTED): _TECHNICAL,
}
# The two details about the subscription stand above this table: they are our bill.
_SUBSCRIPTION = "subscription"

# Vendor guide, integrations/flow_result, seen 2026-11-20: the state database asks the
# person by SMS. INVALID: refused; TIMEOUT: no answer; PENDING: waiting; VALID: given.
# No finding about the person in any of them.
CONSENT: Mapping[str, model.Reason] = {
    "INVALID": model.Reason.CONSENT_REFUSED,
    "TIMEOUT": _UNFINISHED,
}
_CONSENT_AWAITED = "PENDING"

#: Of several reasons the first one here is reported; technical ones come last.
GRAVEST_FIRST = (
    _FRAUD,
    _FACE,
    model.Reason.DECLINED,
    model.Reason.CONSENT_REFUSED,
    _UNFINISHED,
    _TECHNICAL,
)


@dataclasses.dataclass(frozen=True, slots=True)
class Cause:
    """One reason of a failure, and the provider's word for it if our table has it."""

    reason: model.Reason
    word: str | None


_UNKNOWN = Cause(model.Reason.DECLINED, policy.UNLISTED)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What the table asks of a result; no field holds personal data."""

    has_status: bool
    status: object
    passed: object  #: ``flow_session_result``
    failed: bool  #: a part says ``result: false``
    failures: tuple[Cause, ...]  #: as the provider reports them
    explanations: tuple[Cause, ...]  #: what else speaks for a rejection
    subscription: bool
    awaits_consent: bool
    well_formed: bool  #: every part has a documented shape
    empty: bool  #: an expected part is ``{}``
    missing: bool  #: a listed technology has no part, or an empty one
    has_parts: bool


def read(document: Mapping[str, Any], consent_field: str) -> Facts:
    """Read what the table asks for, whatever the types turn out to be."""
    named = {k: v for k, v in document.items() if k.endswith("_result")}
    named.pop(_NOT_A_PART, None)
    parts = {k: v for k, v in named.items() if v is not None}
    listed = tuple(_listed_parts(document.get("technologies")))
    known = {name for name in listed if name is not None}
    unknown = listed.count(None)
    # Where a technology is not known by its code, every part may be its part.
    expected = known if listed and not unknown else known | named.keys()
    of_parts, of_flow = _failures_of_parts(parts), _failures_of_flow(document)
    causes = of_parts + of_flow
    consent = _consent(document, consent_field)
    empty = any(parts.get(name) == {} for name in expected)
    return Facts(
        has_status="status" in document,
        status=document.get("status"),
        passed=document.get(_NOT_A_PART),
        failed=any(_failed(part) for part in parts.values()),
        failures=tuple(_cause(value) for value in causes),
        explanations=tuple(_explanations(parts, consent, unexplained=not of_flow)),
        subscription=any(_speaks_of_subscription(value) for value in causes),
        awaits_consent=consent == _CONSENT_AWAITED,
        well_formed=_well_formed(document, parts)
        and all(named[name] is not None for name in expected if name in named),
        empty=empty,
        # At least the number must fit of those that are not known by their code.
        missing=empty
        or not known <= parts.keys()
        or len(parts.keys() - known) < unknown,
        has_parts=bool(parts),
    )


def _consent(document: Mapping[str, Any], field: str) -> str | None:
    """Return the status of the consent to the state database, if it is a text."""
    consent = _fields.table(document, _GBDFL_PART).get(field)
    return consent if isinstance(consent, str) else None


def _listed_parts(technologies: object) -> Iterator[str | None]:
    """Yield the part of each listed technology, None where its code is not known."""
    for technology in technologies if isinstance(technologies, list) else ():
        code = technology.get("code") if isinstance(technology, dict) else None
        yield PART_OF.get(code) if isinstance(code, str) else None


def _well_formed(document: Mapping[str, Any], parts: Mapping[str, object]) -> bool:
    """Return whether nothing documented has another type than documented."""
    technologies = document.get("technologies", [])
    reasons = document.get(_FLOW_REASONS)
    return (
        isinstance(technologies, list)
        and all(map(_is_technology, technologies))
        and (reasons is None or isinstance(reasons, list))
        and all(
            isinstance(part, dict) and isinstance(part.get("result", True), bool)
            for part in parts.values()
        )
    )


def _is_technology(technology: object) -> bool:
    # The sample of the widget's guide has no code.
    return isinstance(technology, dict) and isinstance(technology.get("code", ""), str)


def _failed(part: object) -> bool:
    return isinstance(part, dict) and part.get("result") is False


def _failures_of_parts(parts: Mapping[str, object]) -> tuple[object, ...]:
    """Return every failure reason that a part has, whatever it is."""
    reasons = (_reason_of(part) for part in parts.values())
    return tuple(reason for reason in reasons if reason is not None)


def _failures_of_flow(document: Mapping[str, Any]) -> tuple[object, ...]:
    """Return every failure reason of the whole flow, whatever it is."""
    # Vendor guide, fundamentals/failure_reasons: pairs, also of the whole flow. The
    # list of strings is seen in an integration only: what it lists is a failure, even
    # if it is nothing.
    whole, reasons = document.get("failure_reason"), document.get(_FLOW_REASONS)
    listed = reasons if isinstance(reasons, list) else [reasons] * (reasons is not None)
    return (*listed, *([] if whole is None else [whole]))


def _reason_of(part: object) -> object:
    return part.get("failure_reason") if isinstance(part, dict) else None


def _cause(value: object) -> Cause:
    """
    Return what the table says of one failure reason: a pair, or one word alone.

    A word alone may be several pairs: the gravest of them counts.
    """
    if isinstance(value, str):
        reasons = [r for pair, r in REASONS.items() if value == (pair[1] or pair[0])]
        if reasons:
            return Cause(min(reasons, key=GRAVEST_FIRST.index), value)
    elif isinstance(value, dict):
        kind, detail = value.get("type"), value.get("detail")
        if isinstance(kind, str) and isinstance(detail, str | None):
            reason = REASONS.get((kind, detail))
            if reason is not None:
                return Cause(reason, detail or kind)
    return _UNKNOWN


def _explanations(
    parts: Mapping[str, object], consent: str | None, *, unexplained: bool
) -> Iterator[Cause]:
    """Yield what the parts themselves say, and *unexplained* failures by their part."""
    refused = CONSENT.get(consent or "")
    if refused is not None:
        yield Cause(refused, consent)
    for name, part in parts.items():
        if not (unexplained and _failed(part)) or _reason_of(part) is not None:
            continue
        if name in _FACE_PARTS:
            yield Cause(_FACE, None)
        elif name != _GBDFL_PART or refused is None:
            yield Cause(model.Reason.DECLINED, None)


def _speaks_of_subscription(value: object) -> bool:
    texts = list(value.values()) if isinstance(value, dict) else [value]
    return any(isinstance(t, str) and _SUBSCRIPTION in t.lower() for t in texts)
