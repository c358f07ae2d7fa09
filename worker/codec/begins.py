"""Turn intents into records of ``kyc.begins`` and back."""

import dataclasses

import orjson

from worker import clock, model
from worker.codec import fields, record

#: The version of this record type, ``schema_version``.
VERSION = 1

#: A field that an older release did not write: always written, and read as null.
_ADDED = "request_digest"


def begin_record(intent: model.Intent) -> record.Record:
    """Return *intent* as a record; raises ValueError for a time past 9999."""
    return record.Record(key=intent.key.encode(), value=orjson.dumps(_value(intent)))


def begin_tombstone(key: str) -> record.Record:
    """Return what lets Kafka forget the begin with this *key*."""
    return record.Record(key=key.encode(), value=None)


def _value(intent: model.Intent) -> fields.Document:
    written: fields.Document = {"schema_version": VERSION}
    for field in dataclasses.fields(intent):
        value = getattr(intent, field.name)
        if field.name.endswith("_at") and value is not None:
            value = clock.format_rfc3339(value)
        written[field.name] = value
    return written


def read_begin(key: bytes | None, value: bytes | None) -> model.Intent:
    """
    Return the intent that a record of ``kyc.begins`` holds.

    Raises errors.UnknownVersion for a later ``schema_version``, and MalformedRecord
    for everything else that is none; nothing besides, whatever the bytes.
    """
    held = fields.document(value)
    fields.check_version(held, VERSION)
    held.setdefault(_ADDED, None)
    intent = model.Intent(
        source=fields.name_of(held, "source"),
        provider=fields.name_of(held, "provider"),
        environment=fields.enum_value(held, "environment", model.Environment),
        begin_id=fields.identifier(held, "begin_id"),
        attempt_id=fields.identifier(held, "attempt_id"),
        reference=fields.text(held, "reference", most=fields.REFERENCE_MAX),
        begun_at=fields.timestamp(held, "begun_at"),
        request_digest=fields.identifier_or_none(held, _ADDED),
        stage=fields.enum_value(held, "stage", model.BeginStage),
        ended_at=fields.moment_or_none(held, "ended_at"),
        session_id=fields.identifier_or_none(held, "session_id"),
        provider_session_id=fields.identifier_or_none(held, "provider_session_id"),
        expires_at=fields.moment_or_none(held, "expires_at"),
    )
    registered = intent.stage is model.BeginStage.REGISTERED
    for name in ("session_id", "provider_session_id"):
        if registered != (getattr(intent, name) is not None):
            raise record.MalformedRecord(name)
    if intent.open != (intent.ended_at is None):
        raise record.MalformedRecord("ended_at")
    fields.check_key(key, intent.key)
    return intent
