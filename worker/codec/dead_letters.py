"""Turn dead letters into records of ``kyc.dlq`` and back."""

import orjson

from worker import clock, model
from worker.codec import envelope, fields, record

#: The version of this record type, ``schema_version``.
VERSION = 1

SCHEMA = "urn:kyc-worker:schema:dead_letter:v1"
TYPE = "kyc.dead_letter.v1"

#: The most names of a provider's table that one callback can hold.
_KEYS_MAX = 256
_COMMAND_MAX = 400
_PLACE_MAX = 310
#: What the value leaves to the headers.
_AROUND = ("ce_time", "ce_environment")


def dead_letter_record(letter: model.DeadLetter) -> record.Record:
    """Return *letter* as a record; its time and environment stand in the headers."""
    key = _key(letter).encode()
    return record.Record(
        key=key,
        value=orjson.dumps(_value(letter)),
        headers=envelope.headers(
            ce_type=TYPE,
            ce_id=letter.dead_letter_id,
            source=letter.source,
            subject=letter.session_id,
            at_ms=letter.at,
            schema=SCHEMA,
            environment=letter.environment,
            key=key,
        ),
    )


def _key(letter: model.DeadLetter) -> str:
    return f"{letter.source}:{letter.session_id or ''}"


def _value(letter: model.DeadLetter) -> fields.Document:
    return {
        "schema_version": VERSION,
        "dead_letter_id": letter.dead_letter_id,
        "reason": letter.reason,
        "source": letter.source,
        "session_id": letter.session_id,
        "event_id": letter.event_id,
        "attempts": letter.attempts,
        "first_seen_at": clock.format_rfc3339(letter.first_seen_at),
        "last_error": letter.last_error,
        "count": letter.count,
        "known_keys": list(letter.known_keys),
        "other_keys": letter.other_keys,
        "redrive": letter.redrive,
        "place": letter.place,
    }


def read_dead_letter(
    key: bytes | None, value: bytes | None, headers: envelope.ForeignHeaders
) -> model.DeadLetter:
    """
    Return the dead letter that a record of ``kyc.dlq`` holds.

    Raises MalformedRecord or errors.UnknownVersion, nothing besides.
    """
    held = fields.document(value)
    fields.check_version(held, VERSION)
    held.setdefault("place", None)  # an older release did not write it
    found = list(headers)
    around = {name: envelope.header(found, name) for name in _AROUND}
    known = around["ce_environment"] is not None
    letter = model.DeadLetter(
        dead_letter_id=fields.identifier(held, "dead_letter_id"),
        reason=fields.enum_value(held, "reason", model.DeadLetterReason),
        source=fields.name_of(held, "source"),
        session_id=fields.identifier_or_none(held, "session_id"),
        event_id=fields.identifier_or_none(held, "event_id"),
        attempts=fields.integer(held, "attempts"),
        first_seen_at=fields.timestamp(held, "first_seen_at"),
        last_error=fields.text_or_none(held, "last_error", most=fields.WORD_MAX),
        at=fields.timestamp(around, "ce_time"),
        count=fields.integer(held, "count"),
        known_keys=tuple(fields.texts(held, "known_keys", most=_KEYS_MAX)),
        other_keys=fields.integer(held, "other_keys"),
        redrive=fields.text_or_none(held, "redrive", most=_COMMAND_MAX),
        environment=(
            fields.enum_value(around, "ce_environment", model.Environment)
            if known
            else None
        ),
        place=fields.text_or_none(held, "place", most=_PLACE_MAX),
    )
    fields.check_key(key, _key(letter))
    return letter
