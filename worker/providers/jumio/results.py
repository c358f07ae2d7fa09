"""Map a workflow execution of Jumio: by its decision's type, contradictions first."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from worker import errors, model, policy
from worker.providers import _fields
from worker.providers.jumio import tables

Mapped = tuple[model.Verdict, tuple[model.AlarmKind, ...]]


class Rules(NamedTuple):
    """What the source's settings say of a result."""

    workflow_keys: frozenset[str]
    approve_with_rejected_capabilities: bool


def map_execution(  # noqa: PLR0911 -- one for each kind of status
    document: Mapping[str, Any], rules: Rules
) -> Mapped:
    """
    Return what a workflow execution means; the binding has been checked.

    Raises errors.NotReady without a status.
    """
    workflow = _fields.table(document, "workflow")
    status = workflow.get("status")
    at = _fields.rfc3339_ms(document.get("completedAt"))
    if status is None:
        raise errors.NotReady("status")
    if not isinstance(status, str) or status not in tables.STATUSES:
        return _unrecognised(status)
    kind = _fields.table(document, "decision").get("type")
    if "decision" in document and policy.known_word(kind, tables.TYPES) != kind:
        return _unrecognised(kind)
    if status in tables.RUNNING:
        if kind in {tables.PASSED, tables.REJECTED}:
            return _contradictory(status)
        return policy.pending(model.Reason.IN_PROGRESS, status=status), ()
    if status in tables.LAPSED:
        if kind not in {None, tables.NOT_EXECUTED}:
            return _contradictory(status)
        return policy.rejected(
            model.Reason.NOT_COMPLETED, status=status, provider_time=at
        ), ()
    if str(workflow.get("definitionKey")) not in rules.workflow_keys:
        return _unrecognised(tables.PROCESSED)
    return _processed(document, kind, at, rules)


def _processed(
    document: Mapping[str, Any], kind: object, at: int | None, rules: Rules
) -> Mapped:
    """Return what the decision of a workflow that has ended means."""
    match kind:
        case tables.PASSED:
            rejected = any(
                decision.get("type") == tables.REJECTED
                for _, decision in _decisions(document)
            )
            if rejected and not rules.approve_with_rejected_capabilities:
                return _contradictory(tables.PASSED)
            return policy.approved(status=tables.PASSED, provider_time=at), ()
        case tables.WARNING:
            return policy.pending(
                model.Reason.UNDER_REVIEW, status=tables.WARNING, provider_time=at
            ), ()
        case tables.REJECTED:
            reason, label = _reason(document)
            return policy.rejected(
                reason,
                status=tables.REJECTED,
                provider_reason=label,
                provider_time=at,
            ), ()
        case tables.NOT_EXECUTED:
            label = _label(_fields.table(document, "decision"))
            known = tables.LABELS.get(label or "")
            technical = known is model.Reason.TECHNICAL_FAILURE
            return policy.rejected(
                known if known and technical else model.Reason.NOT_COMPLETED,
                status=tables.NOT_EXECUTED,
                provider_reason=policy.known_word(label, tables.LABELS),
                provider_time=at,
            ), ()
        case _:
            return _unrecognised(tables.PROCESSED)


def _reason(document: Mapping[str, Any]) -> tuple[model.Reason, str | None]:
    """Return the reason and its label: fraud anywhere, then the first one."""
    found: list[tuple[model.Reason, str | None]] = []
    overall = _label(_fields.table(document, "decision"))
    if overall is not None and overall in tables.LABELS:
        found.append((tables.LABELS[overall], overall))
    for name, decision in _decisions(document):
        if decision.get("type") == tables.REJECTED:
            label = _label(decision)
            reason = tables.LABELS.get(label or "", tables.DEFAULTS[name])
            found.append((reason, policy.known_word(label, tables.LABELS)))
    for reason, label in found:
        if reason is model.Reason.FRAUD:
            return reason, label
    return found[0] if found else (model.Reason.DECLINED, None)


def _decisions(document: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield the decision of every capability that ran, in the table's order."""
    capabilities = _fields.table(document, "capabilities")
    for name in tables.CAPABILITIES:
        ran = capabilities.get(name)
        for each in ran if isinstance(ran, list) else ():
            if isinstance(each, dict):
                yield name, _fields.table(each, "decision")


def _label(decision: Mapping[str, Any]) -> str | None:
    label = _fields.table(decision, "details").get("label")
    return label if isinstance(label, str) else None


def _unrecognised(status: object) -> Mapped:
    verdict = policy.pending_unrecognised(status, (*tables.STATUSES, *tables.TYPES))
    return verdict, (model.AlarmKind.UNRECOGNISED_RESULT,)


def _contradictory(status: str) -> Mapped:
    verdict = policy.pending_unrecognised(status, (*tables.STATUSES, *tables.TYPES))
    return verdict, (model.AlarmKind.CONTRADICTORY_RESULT,)
