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
from worker.codec import compact, fields, ledger_v2, record

#: The version of a session and of a position in this spelling.
VERSION = 1
_VERSION = "v"
_LONG = b'{"v":%d,' % VERSION
_COMPACT_ENDED = b'{"v":%d,"%s":' % (
    ledger_v2.VERSION,
    ledger_v2.ENDED.encode(),
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


_CAUSE = compact.StructCodec(
    model.Cause,
    compact.word("type", "type", model.CauseType),
    compact.text("event_id", "event", None),
    compact.number("received_at", "received", None),
    compact.text("traceparent", "trace", None),
)
_VERDICT = compact.StructCodec(
    model.Verdict,
    compact.word("outcome", "is", model.Outcome),
    compact.word("reason", "why", model.Reason),
    compact.FieldCodec(
        attribute="retryable", key="retryable", kind=bool, default=False
    ),
    compact.word("next_step", "next", model.NextStep, model.NextStep.NONE),
    compact.rows("flags", "flags", model.Flag),
    compact.text("provider_status", "status", None),
    compact.text("provider_reason", "detail", None),
    compact.number("provider_time", "said", None),
)
_FLIGHT = compact.StructCodec(
    ledger.Flight,
    compact.number("seq", "seq"),
    compact.number("started_at", "started"),
    compact.nested("cause", "cause", _CAUSE),
)
_UNCONFIRMED = compact.StructCodec(
    ledger.Unconfirmed,
    compact.nested("verdict", "verdict", _VERDICT),
    compact.number("since", "since"),
    compact.nested("cause", "cause", _CAUSE),
)
_SESSION = compact.StructCodec(
    ledger.Session,
    compact.text("provider_session_id", "id"),
    compact.number("first_seen_at", "first"),
    compact.number("updated_at", "at"),
    compact.text("reference", "ref", None),
    compact.number("revision", "rev", 0),
    compact.nested("current_verdict", "standing", _VERDICT, None),
    compact.number("observed_at", "observed", None),
    compact.number("due_at", "due", None),
    compact.nested("pending_cause", "wanted", _CAUSE, None),
    compact.nested("flight", "flight", _FLIGHT, None),
    compact.nested("queued_cause", "trailing", _CAUSE, None),
    compact.number("fetch_seq", "seq", 0),
    compact.number("last_fetch_at", "fetched", None),
    compact.number("mapping_attempts", "tries", 0),
    compact.number("failures", "failures", 0),
    compact.number("failing_since", "failing", None),
    compact.number("not_ready", "not_ready", 0),
    compact.number("denials", "denials", 0),
    compact.number("denied_since", "denied", None),
    compact.number("rechecks", "rechecks", 0),
    compact.rows("seen_delivery_ids", "seen", _string),
    compact.nested("unconfirmed", "unconfirmed", _UNCONFIRMED, None),
    compact.word("hint", "hint", model.Outcome, None),
    compact.number("registered_at", "registered", None),
    compact.text("begin_id", "begin", None),
    compact.number("expires_at", "expires", None),
    compact.number("returned_at", "returned", None),
    compact.FieldCodec(
        attribute="awaiting_callback", key="unheard", kind=bool, default=False
    ),
    compact.number("polls_left", "polls", 0),
    compact.number("overdue", "overdue", 0),
    compact.FieldCodec(
        attribute="expired_by_us", key="lapsed", kind=bool, default=False
    ),
    compact.nested("unregistered_cause", "held", _CAUSE, None),
    compact.number("confirmations", "confirmations", 0),
    compact.number("fresh_since", "fresh", None),
    compact.FieldCodec(attribute="doubted", key="doubted", kind=bool, default=False),
)
_POSITION = compact.StructCodec(
    model.Position,
    compact.number("next_offset", "next_offset"),
    compact.number("starts", "starts", 0),
    compact.rows("denied", "denied", _counted),
    compact.rows("unknown", "unknown", _counted),
)


def session_record(key: model.SessionKey, value: bytes | None) -> record.Record:
    """Return a session's encoded state as a record; None makes it a tombstone."""
    return record.Record(key=str(key).encode(), value=value)


def encode_session(session: ledger.Session, version: int = VERSION) -> bytes:
    """Return *session* as the ledger keeps it, with what a newer release wrote."""
    written = {**session.extra, **_SESSION.write(session)}
    if version == ledger_v2.VERSION:
        return orjson.dumps(ledger_v2.compact(written))
    return orjson.dumps({_VERSION: version, **written})


def read_session(value: bytes | None) -> ledger.Session:
    """
    Return the state that a ledger record holds, in either version.

    Fields that we do not know are kept in ``extra`` and written again; inside of a
    field's own object there must be none. Raises errors.UnknownVersion for what a
    newer release wrote, MalformedRecord for what none wrote, nothing besides.
    """
    held = fields.document(value)
    if fields.integer(held, _VERSION, least=1) == ledger_v2.VERSION:
        del held[_VERSION]
        return _SESSION.read_open(ledger_v2.expand(held))
    ledger_v2.check_reserved(held)
    return _SESSION.read_open(_versioned(held))


def position_record(position: model.Position) -> record.Record:
    """Return a partition's position as the one record under ``__position``."""
    written = {_VERSION: VERSION, **_POSITION.write(position)}
    return record.Record(key=model.POSITION_KEY.encode(), value=orjson.dumps(written))


def read_position(value: bytes | None) -> model.Position:
    """
    Return the position that a ledger record holds; raises as ``read_session``.

    It is the same in both versions, and stands as 1: there is nothing to save.
    """
    return _POSITION.read(_versioned(fields.document(value)))


def _versioned(held: fields.Document) -> fields.Document:
    fields.check_version(held, VERSION, _VERSION)
    del held[_VERSION]
    return held


def has_open_state(value: bytes) -> bool:
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
