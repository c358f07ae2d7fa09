"""
Turn the ledger's state into records of ``kyc.ledger`` and back.

Compact, since every restore reads them all: times are milliseconds, what is at
its default is left out. Only workers write here: no CloudEvents headers. Types
are checked and values are not, so that nothing is written that cannot be read.

Two versions are read, and the one that is configured is written (``ledger.version``):
1 as it stands here, 2 as ``ledger_compact`` spells the same. A new field of a session
is one line in ``_SESSION``, with a default.
"""

import orjson

from worker import ledger, model
from worker.codec import fields, ledger_compact, record, shapes

_VERSION = "v"
_LONG = b'{"v":%d,' % fields.VERSION
_COMPACT_ENDED = b'{"v":%d,"%s":' % (
    ledger_compact.VERSION,
    ledger_compact.ENDED.encode(),
)


def _string(item: object) -> str:
    if not isinstance(item, str):
        raise record.MalformedRecord("seen")
    return item


def _counted(row: object) -> tuple[str, int, int]:
    match row:
        case [str(source), hour, sessions] if type(hour) is type(sessions) is int:
            return source, hour, sessions
        case _:
            raise record.MalformedRecord("count")


_CAUSE = shapes.Shape(
    model.Cause,
    shapes.word("type", "type", model.CauseType),
    shapes.text("event_id", "event", None),
    shapes.number("received_at", "received", None),
    shapes.text("traceparent", "trace", None),
)
_VERDICT = shapes.Shape(
    model.Verdict,
    shapes.word("outcome", "is", model.Outcome),
    shapes.word("reason", "why", model.Reason),
    shapes.Part(attribute="retryable", key="retryable", kind=bool, default=False),
    shapes.word("next_step", "next", model.NextStep, model.NextStep.NONE),
    shapes.rows("flags", "flags", model.Flag),
    shapes.text("provider_status", "status", None),
    shapes.text("provider_reason", "detail", None),
    shapes.number("provider_time", "said", None),
)
_FLIGHT = shapes.Shape(
    ledger.Flight,
    shapes.number("seq", "seq"),
    shapes.number("started_at", "started"),
    shapes.nested("cause", "cause", _CAUSE),
)
_UNCONFIRMED = shapes.Shape(
    ledger.Unconfirmed,
    shapes.nested("verdict", "verdict", _VERDICT),
    shapes.number("since", "since"),
    shapes.nested("cause", "cause", _CAUSE),
)
_SESSION = shapes.Shape(
    ledger.Session,
    shapes.text("provider_session_id", "id"),
    shapes.number("first_seen_at", "first"),
    shapes.number("updated_at", "at"),
    shapes.text("reference", "ref", None),
    shapes.number("revision", "rev", 0),
    shapes.nested("standing", "standing", _VERDICT, None),
    shapes.number("observed_at", "observed", None),
    shapes.number("due_at", "due", None),
    shapes.nested("wanted", "wanted", _CAUSE, None),
    shapes.nested("flight", "flight", _FLIGHT, None),
    shapes.nested("trailing", "trailing", _CAUSE, None),
    shapes.number("seq", "seq", 0),
    shapes.number("last_fetch_at", "fetched", None),
    shapes.number("tries", "tries", 0),
    shapes.number("failures", "failures", 0),
    shapes.number("failing_since", "failing", None),
    shapes.number("not_ready", "not_ready", 0),
    shapes.number("denials", "denials", 0),
    shapes.number("denied_since", "denied", None),
    shapes.number("rechecks", "rechecks", 0),
    shapes.rows("seen", "seen", _string),
    shapes.nested("unconfirmed", "unconfirmed", _UNCONFIRMED, None),
    shapes.word("hint", "hint", model.Outcome, None),
    shapes.number("registered_at", "registered", None),
    shapes.text("begin_id", "begin", None),
    shapes.number("expires_at", "expires", None),
    shapes.number("returned_at", "returned", None),
    shapes.Part(attribute="unheard", key="unheard", kind=bool, default=False),
    shapes.number("polls_left", "polls", 0),
    shapes.number("overdue", "overdue", 0),
    shapes.Part(attribute="lapsed", key="lapsed", kind=bool, default=False),
    shapes.nested("held", "held", _CAUSE, None),
    shapes.number("confirmations", "confirmations", 0),
    shapes.number("fresh_since", "fresh", None),
    shapes.Part(attribute="doubted", key="doubted", kind=bool, default=False),
)
_POSITION = shapes.Shape(
    model.Position,
    shapes.number("next_offset", "next_offset"),
    shapes.number("starts", "starts", 0),
    shapes.rows("denied", "denied", _counted),
    shapes.rows("unknown", "unknown", _counted),
)


def session_record(key: model.SessionKey, value: bytes | None) -> record.Record:
    """Return a session's encoded state as a record; None makes it a tombstone."""
    return record.Record(key=str(key).encode(), value=value)


def encode_session(session: ledger.Session, version: int = fields.VERSION) -> bytes:
    """Return *session* as the ledger keeps it, with what a newer release wrote."""
    written = {**session.extra, **_SESSION.write(session)}
    if version == ledger_compact.VERSION:
        return orjson.dumps(ledger_compact.compact(written))
    return orjson.dumps({_VERSION: version, **written})


def read_session(value: bytes | None) -> ledger.Session:
    """
    Return the state that a ledger record holds, in either version.

    Fields that we do not know are kept in ``extra`` and written again; inside of a
    field's own object there must be none. Raises errors.UnknownVersion for what a
    newer release wrote, MalformedRecord for what none wrote, nothing besides.
    """
    held = fields.document(value)
    if fields.whole(held, _VERSION, least=1) == ledger_compact.VERSION:
        del held[_VERSION]
        return _SESSION.read_open(ledger_compact.expand(held))
    ledger_compact.check_reserved(held)
    return _SESSION.read_open(_versioned(held))


def position_record(position: model.Position) -> record.Record:
    """Return a partition's position as the one record under ``__position``."""
    written = {_VERSION: fields.VERSION, **_POSITION.write(position)}
    return record.Record(key=model.POSITION_KEY.encode(), value=orjson.dumps(written))


def read_position(value: bytes | None) -> model.Position:
    """
    Return the position that a ledger record holds; raises as ``read_session``.

    It is the same in both versions, and stands as 1: there is nothing to save.
    """
    return _POSITION.read(_versioned(fields.document(value)))


def _versioned(held: fields.Document) -> fields.Document:
    fields.check_version(held, _VERSION)
    del held[_VERSION]
    return held


def may_be_open(value: bytes) -> bool:
    """
    Return False only where ``read_session(value).open`` is False, without decoding.

    A restore decodes the few sessions that are still to be worked on and not the
    many that have ended. Raises as ``read_session`` for another version.
    """
    if value.startswith(_COMPACT_ENDED):
        return False
    if not value.startswith(_LONG):
        return read_session(value).open
    # Inside of a JSON text a quotation mark is escaped: only a key looks like this.
    return b'"due":' in value or b'"flight":' in value
