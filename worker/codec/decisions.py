"""Turn decisions into records of the decision topics and back."""

import orjson

from worker import clock, model
from worker.codec import envelope, fields, record

#: The version of this record type, ``schema_version``.
VERSION = 1

SCHEMA = "urn:kyc-worker:schema:decision:v1"
TYPE = "kyc.decision.v1"


def decision_record(decision: model.Decision) -> record.Record:
    """Return *decision* as a record, the same one for every decision topic."""
    key = str(decision.key).encode()
    return record.Record(
        key=key,
        value=orjson.dumps(_value(decision)),
        headers=envelope.headers(
            ce_type=TYPE,
            ce_id=decision.decision_id,
            source=decision.source,
            subject=decision.session_id,
            at_ms=decision.decided_at,
            schema=SCHEMA,
            environment=decision.environment,
            key=key,
            traceparent=decision.cause.traceparent,
        ),
    )


def decision_tombstone(key: model.SessionKey) -> record.Record:
    """Return what makes ``kyc.decisions`` forget a session."""
    return record.Record(key=str(key).encode(), value=None)


def _value(decision: model.Decision) -> fields.Document:
    verdict, cause = decision.verdict, decision.cause
    called = cause.type is model.CauseType.CALLBACK
    polled = cause.type is model.CauseType.POLL
    return {
        "schema_version": VERSION,
        "decision_id": decision.decision_id,
        "environment": decision.environment,
        "source": decision.source,
        "provider": decision.provider,
        "session_id": decision.session_id,
        "provider_session_id": decision.provider_session_id,
        "reference": decision.reference,
        "revision": decision.revision,
        "outcome": verdict.outcome,
        "final": verdict.final,
        "reason": verdict.reason,
        "provider_status": verdict.provider_status,
        "provider_reason": verdict.provider_reason,
        "provider_time": _time(verdict.provider_time),
        "retryable": verdict.retryable,
        "next_step": verdict.next_step,
        "flags": sorted(verdict.flags),
        "supersedes": decision.supersedes,
        "cause": {"type": cause.type, "event_id": None if polled else cause.event_id},
        "received_at": _time(cause.received_at) if called else None,
        "observed_at": _time(decision.observed_at),
        "decided_at": clock.format_rfc3339(decision.decided_at),
    }


def _time(at_ms: int | None) -> str | None:
    return None if at_ms is None else clock.format_rfc3339(at_ms)


def read_decision(
    key: bytes | None, value: bytes | None, headers: envelope.ForeignHeaders
) -> model.Decision:
    """
    Return the decision that a record holds; a tombstone holds none.

    Raises MalformedRecord or errors.UnknownVersion, nothing besides.
    """
    held = fields.document(value)
    fields.check_version(held, VERSION)
    decision = model.Decision(
        decision_id=fields.identifier(held, "decision_id"),
        environment=fields.enum_value(held, "environment", model.Environment),
        source=fields.name_of(held, "source"),
        provider=fields.name_of(held, "provider"),
        session_id=fields.identifier(held, "session_id"),
        provider_session_id=fields.identifier(held, "provider_session_id"),
        reference=fields.text_or_none(held, "reference", most=fields.REFERENCE_MAX),
        revision=fields.integer(held, "revision", least=1),
        verdict=_verdict(held),
        supersedes=fields.identifier_or_none(held, "supersedes"),
        cause=_cause(held, envelope.traceparent(headers)),
        observed_at=fields.moment_or_none(held, "observed_at"),
        decided_at=fields.timestamp(held, "decided_at"),
    )
    fields.check_key(key, str(decision.key))
    return decision


def _verdict(held: fields.Document) -> model.Verdict:
    verdict = model.Verdict(
        outcome=fields.enum_value(held, "outcome", model.Outcome),
        reason=fields.enum_value(held, "reason", model.Reason),
        retryable=fields.boolean(held, "retryable"),
        next_step=fields.enum_value(held, "next_step", model.NextStep),
        flags=fields.words(held, "flags", model.Flag),
        provider_status=fields.text_or_none(
            held, "provider_status", most=fields.WORD_MAX
        ),
        provider_reason=fields.text_or_none(
            held, "provider_reason", most=fields.WORD_MAX
        ),
        provider_time=fields.moment_or_none(held, "provider_time"),
    )
    if fields.boolean(held, "final") is not verdict.final:
        raise record.MalformedRecord("final")
    return verdict


def _cause(held: fields.Document, traceparent: str | None) -> model.Cause:
    cause = fields.nested_object(held, "cause")
    return model.Cause(
        type=fields.enum_value(cause, "type", model.CauseType),
        event_id=fields.identifier_or_none(cause, "event_id"),
        received_at=fields.moment_or_none(held, "received_at"),
        traceparent=traceparent,
    )
