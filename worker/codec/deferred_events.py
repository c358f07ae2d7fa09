"""
Turn events that wait for their source into records of the ledger and back.

One record an event, beside the sessions, the same in both versions of the ledger. A
release that does not know them takes them for ended sessions of no source, and leaves
them alone: so the event stands as a text, in which no field of a session can be found.
"""

import orjson

from worker import model
from worker.codec import events, fields

#: what the keys of these records begin with; no source can have this name
PREFIX = "__deferred"
_VERSION = "v"


def encode_deferred(event: model.Event, at_ms: int) -> bytes:
    """Return *event*, deferred at *at_ms*, as the ledger keeps it."""
    value = events.event_record(event).value or b""
    written = {_VERSION: fields.VERSION, "at": at_ms, "held_event": value.decode()}
    if event.traceparent is not None:
        written["trace"] = event.traceparent
    return orjson.dumps(written)


def read_deferred(value: bytes) -> tuple[model.Event, int]:
    """
    Return the event that a record of the ledger defers, and when it was deferred.

    Raises errors.UnknownVersion or MalformedRecord, nothing besides.
    """
    held = fields.document(value)
    fields.check_version(held, _VERSION)
    at_ms = fields.whole(held, "at")
    event = fields.text(held, "held_event", most=len(value)).encode()
    trace = held.get("trace")
    key = _key(event)
    headers = [("traceparent", trace.encode())] if isinstance(trace, str) else []
    return events.read_event(key, event, headers), at_ms


def _key(value: bytes) -> bytes:
    """Return the key that an event's record has, from its value."""
    held = fields.document(value)
    source = fields.name_of(held, "source")
    return f"{source}:{fields.identifier(held, 'session_id')}".encode()
