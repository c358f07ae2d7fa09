"""
Turn events that wait for a worker that can take them into records of the ledger.

One record an event, beside the sessions, the same in both versions of the ledger. An
event of a source that is not known waits as its value; a record of a later
``schema_version``, which is not understood, waits whole. A release that does not know
these records takes them for ended sessions of no source, and leaves them alone: so
what waits stands as a text, in which no field of a session can be found.
"""

import base64
import binascii

import orjson

from worker import model
from worker.codec import events, fields, record

#: what the keys of these records begin with; no source can have this name
PREFIX = "__deferred"
_KEY_OF_VERSION = "v"
#: The version of a deferred record.
VERSION = 1
#: A text's quotation marks are escaped, so that only the field itself is spelt so.
_UNREAD = b'"held_record":'


def encode_deferred(waiting: model.Event | model.UnreadRecord, at_ms: int) -> bytes:
    """Return what waits since *at_ms* as the ledger keeps it."""
    if isinstance(waiting, model.UnreadRecord):
        held = orjson.dumps(_written(waiting)).decode()
        return orjson.dumps(
            {_KEY_OF_VERSION: VERSION, "at": at_ms, "held_record": held}
        )
    value = events.event_record(waiting).value or b""
    written = {_KEY_OF_VERSION: VERSION, "at": at_ms, "held_event": value.decode()}
    if waiting.traceparent is not None:
        written["trace"] = waiting.traceparent
    return orjson.dumps(written)


def read_deferred(value: bytes) -> tuple[model.Event | model.UnreadRecord, int]:
    """
    Return what a record of the ledger defers, and since when it waits.

    Raises errors.UnknownVersion or MalformedRecord, nothing besides.
    """
    held = fields.document(value)
    fields.check_version(held, VERSION, _KEY_OF_VERSION)
    at_ms = fields.integer(held, "at")
    if "held_record" in held:
        text = fields.text(held, "held_record", most=len(value))
        return _read(fields.document(text.encode())), at_ms
    event = fields.text(held, "held_event", most=len(value)).encode()
    trace = held.get("trace")
    key = _key(event)
    headers = [("traceparent", trace.encode())] if isinstance(trace, str) else []
    return events.read_event(key, event, headers), at_ms


def is_unread(value: bytes) -> bool:
    """Return whether a deferred record holds one of a later ``schema_version``."""
    return _UNREAD in value


def _key(value: bytes) -> bytes:
    """Return the key that an event's record has, from its value."""
    held = fields.document(value)
    source = fields.name_of(held, "source")
    return f"{source}:{fields.identifier(held, 'session_id')}".encode()


def _written(unread: model.UnreadRecord) -> fields.Document:
    return {
        "topic": unread.topic,
        "partition": unread.partition,
        "offset": unread.offset,
        # What a producer says, and so perhaps no time.
        "timestamp": max(min(unread.timestamp, fields.WHOLE_MAX), 0),
        "key": _text(unread.key),
        "value": _text(unread.value),
        "headers": [
            [_text(name.encode()), _text(held)] for name, held in unread.headers
        ],
    }


def _read(held: fields.Document) -> model.UnreadRecord:
    headers = held.get("headers")
    if not isinstance(headers, list):
        raise record.MalformedRecord("headers")
    return model.UnreadRecord(
        topic=fields.text(held, "topic", most=fields.IDENTIFIER_MAX),
        partition=fields.integer(held, "partition"),
        offset=fields.integer(held, "offset"),
        timestamp=fields.integer(held, "timestamp"),
        key=_bytes(held.get("key"), "key"),
        value=_bytes(held.get("value"), "value"),
        headers=tuple(map(_header, headers)),
    )


def _header(pair: object) -> tuple[str, bytes | None]:
    match pair:
        case [str(name), held]:
            try:
                spelt = (_bytes(name, "headers") or b"").decode()
            except UnicodeDecodeError:
                spelt = None
            if spelt is not None:
                return spelt, _bytes(held, "headers")
        case _:
            pass
    raise record.MalformedRecord("headers")


def _text(held: bytes | None) -> str | None:
    return None if held is None else base64.b64encode(held).decode()


def _bytes(held: object, name: str) -> bytes | None:
    if held is None:
        return None
    if isinstance(held, str):
        try:
            return base64.b64decode(held, validate=True)
        except (binascii.Error, ValueError):
            pass
    raise record.MalformedRecord(name)
