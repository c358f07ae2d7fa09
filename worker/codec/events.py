"""Turn events into records of ``kyc.events`` and back; foreign ones are refused."""

import orjson

from worker import clock, model
from worker.codec import envelope, fields, record

#: The version of this record type, ``schema_version``.
VERSION = 1

SCHEMA = "urn:kyc-worker:schema:event:v1"
_CE_TYPES = {kind: f"kyc.{kind}.v1" for kind in model.EventType}
#: Fields that an older release did not write: always written, and read as null.
_ADDED = ("begin_id", "expires_at")


def event_record(event: model.Event) -> record.Record:
    """Return *event* as a record; raises ValueError for a time outside 1970 to 9999."""
    key = str(event.key).encode()
    return record.Record(
        key=key,
        value=orjson.dumps(_value(event)),
        headers=envelope.headers(
            ce_type=_CE_TYPES[event.type],
            ce_id=event.event_id,
            source=event.source,
            subject=event.session_id,
            at_ms=event.received_at,
            schema=SCHEMA,
            environment=event.environment,
            key=key,
            traceparent=event.traceparent,
        ),
    )


def _value(event: model.Event) -> fields.Document:
    said_at, expires_at = event.provider_time, event.expires_at
    return {
        "schema_version": VERSION,
        "event_id": event.event_id,
        "type": event.type,
        "environment": event.environment,
        "source": event.source,
        "provider": event.provider,
        "session_id": event.session_id,
        "provider_session_id": event.provider_session_id,
        "received_at": clock.format_rfc3339(event.received_at),
        "provider_event": event.provider_event,
        "provider_event_id": event.provider_event_id,
        "provider_time": None if said_at is None else clock.format_rfc3339(said_at),
        "reference": event.reference,
        "begin_id": event.begin_id,
        "expires_at": None if expires_at is None else clock.format_rfc3339(expires_at),
        "digest": event.digest,
        "claim": dict(event.claim),
    }


def read_event(
    key: bytes | None, value: bytes | None, headers: envelope.ForeignHeaders
) -> model.Event:
    """
    Return the event that a record of ``kyc.events`` holds.

    The value alone counts, the headers are for others; only ``traceparent`` is
    taken from them. Fields that we do not know are skipped: an event is never
    written again. Raises errors.UnknownVersion for a later ``schema_version``, and
    MalformedRecord for everything else that is not an event; nothing besides,
    whatever the bytes.
    """
    held = fields.document(value)
    fields.check_version(held, VERSION)
    for name in _ADDED:
        held.setdefault(name, None)
    event = model.Event(
        event_id=fields.identifier(held, "event_id"),
        type=fields.enum_value(held, "type", model.EventType),
        environment=fields.enum_value(held, "environment", model.Environment),
        source=fields.name_of(held, "source"),
        provider=fields.name_of(held, "provider"),
        session_id=fields.identifier(held, "session_id"),
        provider_session_id=fields.identifier(held, "provider_session_id"),
        received_at=fields.timestamp(held, "received_at"),
        provider_event=fields.text(held, "provider_event", most=fields.WORD_MAX),
        provider_event_id=fields.identifier_or_none(held, "provider_event_id"),
        provider_time=fields.moment_or_none(held, "provider_time"),
        reference=fields.text_or_none(held, "reference", most=fields.REFERENCE_MAX),
        begin_id=fields.identifier_or_none(held, "begin_id"),
        expires_at=fields.moment_or_none(held, "expires_at"),
        digest=fields.digest_or_none(held, "digest"),
        claim=_claim(held),
        traceparent=envelope.traceparent(headers),
    )
    fields.check_key(key, str(event.key))
    return event


def _claim(held: fields.Document) -> dict[str, str | None]:
    claim = fields.nested_object(held, "claim")
    words = [word for word in claim.values() if word is not None]
    if not all(isinstance(word, str) for word in words):
        raise record.MalformedRecord("claim")
    longest = max(map(len, (*claim, *words)), default=0)
    if len(claim) > fields.CLAIM_MAX or longest > fields.WORD_MAX:
        raise record.FieldTooLong("claim")
    return claim
