"""
Map a Biometric.kz result to a verdict, row by row from the top of the table.

The seed guide documents parts and no verdict; the webhook pages document ``status``
and ``flow_session_result``; that the result call carries the same two is seen in
integrations, not promised. So every other shape is pending and raises an alarm.
"""

import functools
from collections.abc import Mapping
from typing import Any

from worker import errors, model, policy
from worker.providers.biometric import results

Mapped = tuple[model.Verdict, tuple[model.AlarmKind, ...]]


def map_result(
    document: Mapping[str, Any], *, approve_without_status: bool, consent_field: str
) -> Mapped:
    """
    Return the verdict on *document* and the alarms that go with it.

    Raises errors.NotReady where an ended session still has an empty part, and where
    a passed one lacks the part of a technology.
    """
    facts = results.read(document, consent_field)
    if facts.subscription:
        status = policy.known_word(facts.status, results.STATUSES)
        verdict = policy.pending(model.Reason.PROVIDER_UNAVAILABLE, status=status)
        return verdict, (model.AlarmKind.PROVIDER_SUBSCRIPTION,)
    if not facts.has_status:
        return _without_status(facts, approve=approve_without_status)
    match facts.status:
        case "FINISHED" | "FAILED" as status:
            return _ended(facts, status)
        case "PROGRESS" as status:
            return policy.pending(model.Reason.IN_PROGRESS, status=status), ()
        case _:
            return _unrecognised(facts.status)


@functools.lru_cache(maxsize=64)  # the words are those of the table
def hint(status: str | None, passed: str | None) -> model.Verdict | None:
    """
    Return what the words of a ``flow.end`` suggest; None where they suggest nothing.

    The body is unsigned: whatever is returned decides nothing.
    """
    match status, passed:
        case (None, None) | ("PROGRESS", _):
            return None
        case "FINISHED", "true":
            return policy.approved(status=status)
        case (("FINISHED" | "FAILED"), "false"):
            return policy.rejected(model.Reason.DECLINED, status=status)
        case _:
            return policy.pending_unrecognised(status, results.STATUSES)


def _ended(facts: results.Facts, status: str) -> Mapped:
    """Map what a session that has ended says."""
    if facts.empty:
        # Seen in an integration: parts stay {} for seconds after the end.
        raise errors.NotReady("empty_part")
    if facts.passed is False:
        return _rejected(facts, status), ()
    if facts.passed is True:
        return _passed(facts, status)
    if facts.passed is None and facts.awaits_consent:
        return policy.pending(model.Reason.IN_PROGRESS, status=status), ()
    return _unrecognised(status)


def _passed(facts: results.Facts, status: str) -> Mapped:
    """Map a passed session: nothing else in it may say that it failed."""
    if status != "FINISHED" or facts.failed or facts.failures:
        return _contradiction(status)
    if not facts.well_formed:
        return _unrecognised(status)
    if facts.missing or not facts.has_parts:
        # Widget's guide: a part is there if the technology was passed through.
        raise errors.NotReady("missing_part")
    return policy.approved(status=status), ()


def _without_status(facts: results.Facts, *, approve: bool) -> Mapped:
    """Map the shape of the seed guide, which has parts and no verdict."""
    if facts.missing:
        return policy.pending(model.Reason.IN_PROGRESS, status=None), ()
    if facts.failed:
        if facts.passed is True:
            return _contradiction(None)
        return _rejected(facts, None), ()
    fine = facts.passed is None or facts.passed is True
    good = facts.has_parts and facts.well_formed and fine and not facts.failures
    if good and approve:
        return policy.approved(status=None), ()
    return _unrecognised(None)


def _rejected(facts: results.Facts, status: str | None) -> model.Verdict:
    """Return the rejection for the gravest of the reasons, declined without any."""
    causes = facts.failures + facts.explanations
    if not causes:
        return policy.rejected(model.Reason.DECLINED, status=status)
    gravest = min(causes, key=lambda cause: results.GRAVEST_FIRST.index(cause.reason))
    return policy.rejected(gravest.reason, status=status, provider_reason=gravest.word)


def _contradiction(status: str | None) -> Mapped:
    verdict = policy.pending_unrecognised(status, results.STATUSES)
    return verdict, (model.AlarmKind.CONTRADICTORY_RESULT,)


def _unrecognised(status: object) -> Mapped:
    verdict = policy.pending_unrecognised(status, results.STATUSES)
    return verdict, (model.AlarmKind.UNRECOGNISED_RESULT,)
