"""Records of ``kyc.events``: what is written, and what is refused."""

import traceback
from typing import Any

import orjson
import pytest

from tests.support import schemas
from worker import codec, errors, model

_TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
_EVENT = model.Event(
    event_id="0190b1de-0c1d-4f8e-9d57-000000000001",
    type=model.EventType.CALLBACK_RECEIVED,
    environment=model.Environment.LIVE,
    source="idnow_de",
    provider="idnow",
    session_id="tst-7kqzm",
    provider_session_id="TST-7KQZM",
    received_at=1_795_255_810_120,
    provider_event="ident",
    traceparent=_TRACE,
)
_KEY = b"idnow_de:tst-7kqzm"


def _value(**changes: object) -> bytes:
    held: dict[str, Any] = orjson.loads(codec.event_record(_EVENT).value or b"")
    return orjson.dumps({**held, **changes})


def test_an_event_carries_the_attributes_of_cloudevents() -> None:
    """Key, headers and value are the documented ones, to the letter."""
    record = codec.event_record(_EVENT)

    assert record.key == _KEY
    assert dict(record.headers) == {
        "ce_specversion": b"1.0",
        "ce_type": b"kyc.callback.received.v1",
        "ce_source": b"/kyc/idnow_de",
        "ce_subject": b"tst-7kqzm",
        "ce_id": b"0190b1de-0c1d-4f8e-9d57-000000000001",
        "ce_time": b"2026-11-21T10:10:10.120Z",
        "ce_dataschema": b"urn:kyc-worker:schema:event:v1",
        "ce_partitionkey": _KEY,
        "ce_environment": b"live",
        "content-type": b"application/json",
        "traceparent": _TRACE.encode(),
    }
    schemas.validate_record("event", record)


@pytest.mark.parametrize("kind", list(model.EventType))
def test_the_type_is_in_the_header(kind: model.EventType) -> None:
    """Each type of event has its own ``ce_type``, not the one written before."""
    codec.event_record(_EVENT)
    record = codec.event_record(_EVENT._replace(type=kind))

    assert dict(record.headers)["ce_type"] == f"kyc.{kind}.v1".encode()


def test_two_sources_do_not_share_their_headers() -> None:
    """What is prepared once a source holds nothing of another source or session."""
    codec.event_record(_EVENT)
    other = _EVENT._replace(
        source="idnow_at", session_id="x", environment=model.Environment.TEST
    )

    schemas.validate_record("event", codec.event_record(other))


def test_an_event_without_a_trace_has_no_header_for_it() -> None:
    """There is no empty ``traceparent``."""
    record = codec.event_record(_EVENT._replace(traceparent=None))

    assert "traceparent" not in dict(record.headers)


def test_a_registration_says_what_began_and_when_it_ends() -> None:
    """``begin_id`` and ``expires_at`` are always written, null where there is none."""
    begun = _EVENT._replace(begin_id="b-1", expires_at=1_795_255_810_120)
    held = orjson.loads(codec.event_record(begun).value or b"")
    bare = orjson.loads(_value())

    assert (held["begin_id"], held["expires_at"]) == ("b-1", "2026-11-21T10:10:10.120Z")
    assert (bare["begin_id"], bare["expires_at"]) == (None, None)


def test_an_event_of_an_older_release_is_read() -> None:
    """What an older release did not write is not missed."""
    held = orjson.loads(_value())
    del held["begin_id"], held["expires_at"]

    event = codec.read_event(
        _KEY, orjson.dumps(held), [("traceparent", _TRACE.encode())]
    )

    assert event == _EVENT


def test_a_later_version_is_not_ours_to_judge() -> None:
    """A higher ``schema_version`` is no malformed record, whatever else it holds."""
    with pytest.raises(errors.UnknownVersion):
        codec.read_event(_KEY, b'{"schema_version":2,"all":"new"}', [])


@pytest.mark.parametrize("version", [None, 0, -1, True, 1.0, "1", [1]])
def test_what_is_no_version_is_malformed(version: object) -> None:
    """Only a whole number from one on can be a version."""
    with pytest.raises(codec.MalformedRecord):
        codec.read_event(_KEY, _value(schema_version=version), [])


def test_fields_of_a_newer_release_are_skipped() -> None:
    """An event with a field that we do not know is read all the same."""
    event = codec.read_event(_KEY, _value(newer={"a": 1}), [])

    assert event == _EVENT._replace(traceparent=None)


@pytest.mark.parametrize(
    "key", [None, b"", b"idnow_de:other", b"idnow_at:tst-7kqzm", b"\xff"]
)
def test_an_event_under_a_foreign_key_is_malformed(key: bytes | None) -> None:
    """An event counts only under its own key: the key has picked the partition."""
    with pytest.raises(codec.MalformedRecord):
        codec.read_event(key, _value(), [])


@pytest.mark.parametrize(
    "value", [None, b"", b"null", b"[]", b"1", b"{", b"\xff", b"NaN", b"[" * 5000]
)
def test_what_is_not_one_object_is_malformed(value: bytes | None) -> None:
    """A tombstone, a truncated or another JSON value is no event."""
    with pytest.raises(codec.MalformedRecord):
        codec.read_event(_KEY, value, [])


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("event_id", None),
        ("event_id", "a b"),
        ("type", "callback.refused"),
        ("type", None),
        ("environment", "prod"),
        ("source", "IdNow"),
        ("source", "a" * 32),
        ("source", "idnow_"),
        ("source", "idnow\n"),
        ("provider", ""),
        ("session_id", 1),
        ("session_id", ""),
        ("session_id", "../x y"),
        ("session_id", "x\n"),
        ("provider_session_id", "\u212a"),
        ("provider_session_id", "x" * 256),
        ("received_at", None),
        ("received_at", 1_795_255_810_120),
        ("received_at", "2026-11-21"),
        ("received_at", "2026-11-21T10:10:10"),
        ("received_at", "1969-12-31T23:59:59.999Z"),
        ("received_at", "0001-01-01T00:00:00+23:59"),
        ("provider_event", None),
        ("provider_event", ""),
        ("provider_event_id", ""),
        ("provider_time", "soon"),
        ("reference", 1),
        ("digest", {}),
        ("claim", None),
        ("claim", []),
        ("claim", {"decision": 1}),
        ("claim", {"decision": {}}),
    ],
)
def test_a_field_of_the_wrong_kind_is_malformed(name: str, value: object) -> None:
    """One field of another type or form is enough; the error names it."""
    with pytest.raises(codec.MalformedRecord) as caught:
        codec.read_event(_KEY, _value(**{name: value}), [])

    assert caught.value.field == name


_PLANTED = "planted-value"


@pytest.mark.parametrize(
    "value",
    [
        f'{{"{_PLANTED}'.encode(),
        _value(received_at=_PLANTED),
        _value(type=_PLANTED),
        _value(session_id=f"{_PLANTED} {_PLANTED}"),
    ],
)
def test_an_error_tells_nothing_of_the_record(value: bytes) -> None:
    """No value of a refused record is in the error, nor in one it came from."""
    with pytest.raises(codec.MalformedRecord) as caught:
        codec.read_event(_KEY, value, [])

    assert caught.value.__context__ is None
    assert _PLANTED not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize(
    "value",
    [
        None,
        b"",
        b"\xff",
        b"00-0-0-0",
        _TRACE.upper().encode(),
        _TRACE.encode() + b"\n",
        b"01" + _TRACE[2:].encode(),
    ],
)
def test_a_malformed_trace_is_as_good_as_none(value: bytes | None) -> None:
    """A wrong ``traceparent`` costs the trace, not the event."""
    event = codec.read_event(_KEY, _value(), [("traceparent", value)])

    assert event.traceparent is None


def test_a_trace_is_taken_up() -> None:
    """The trace of the header goes on in the event."""
    headers = [("x", None), ("traceparent", _TRACE.encode())]

    assert codec.read_event(_KEY, _value(), headers) == _EVENT


def test_a_record_knows_its_size() -> None:
    """The size that a bound is held against counts key, value and headers."""
    record = codec.Record(key=b"12", value=b"345", headers=[("67", b"89")])

    assert record.size_bytes == 9
    assert codec.Record(key=b"12", value=None).size_bytes == 2
