"""Records hold all that the values do, fit their schemas, and survive any bytes."""

import dataclasses
from collections.abc import Callable
from typing import Any

import hypothesis
import orjson
import pytest
from hypothesis import strategies as st

from tests.support import models, schemas
from worker import codec, errors, ledger, model

# A busy machine is slow now and then; that is no failure of the code.
_patiently = hypothesis.settings(
    deadline=None,
    max_examples=60,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)

Reader = Callable[[bytes | None, bytes | None, codec.Headers], object]

_READERS: dict[str, Reader] = {
    "event": codec.read_event,
    "begin": lambda key, value, _headers: codec.read_begin(key, value),
    "decision": codec.read_decision,
    "dead_letter": codec.read_dead_letter,
    "ledger_session": lambda _key, value, _headers: codec.read_session(value),
    "ledger_session.v2": lambda _key, value, _headers: codec.read_session(value),
    "ledger_position": lambda _key, value, _headers: codec.read_position(value),
}
_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
    lambda inside: (
        st.lists(inside, max_size=3)
        | st.dictionaries(st.sampled_from(["type", "event_id", "is", "x"]), inside)
    ),
    max_leaves=6,
)


def _read(kind: str, record: codec.Record) -> object:
    return _READERS[kind](record.key, record.value, record.headers)


@_patiently
@hypothesis.given(models.events())
def test_an_event_comes_back_as_it_was(event: model.Event) -> None:
    """An event's record fits the schema, and holds the whole event."""
    record = codec.event_record(event)
    schemas.validate_record("event", record)

    assert event == _read("event", record)


@_patiently
@hypothesis.given(models.begins())
def test_a_begin_comes_back_as_it_was(intent: model.Intent) -> None:
    """A begin's record fits the schema, and holds the whole begin."""
    record = codec.begin_record(intent)
    schemas.validate_record("begin", record)

    assert intent == _read("begin", record)


@_patiently
@hypothesis.given(models.decisions())
def test_a_decision_comes_back_as_it_was(decision: model.Decision) -> None:
    """A decision's record fits the schema, and holds the whole decision."""
    record = codec.decision_record(decision)
    schemas.validate_record("decision", record)

    assert decision == _read("decision", record)


@_patiently
@hypothesis.given(models.dead_letters())
def test_a_dead_letter_comes_back_as_it_was(letter: model.DeadLetter) -> None:
    """A dead letter's record fits the schema, and holds the whole letter."""
    record = codec.dead_letter_record(letter)
    schemas.validate_record("dead_letter", record)

    assert letter == _read("dead_letter", record)


def _stored(session: ledger.Session, version: int) -> codec.Record:
    value = codec.encode_session(session, version)
    return codec.session_record(model.SessionKey("idbeyond", "s"), value)


@pytest.mark.parametrize(
    ("version", "kind"), [(1, "ledger_session"), (2, "ledger_session.v2")]
)
@_patiently
@hypothesis.given(session=models.sessions())
def test_a_session_comes_back_as_it_was(
    version: int, kind: str, session: ledger.Session
) -> None:
    """A session's ledger record fits its schema, and holds the whole state."""
    record = _stored(session, version)
    schemas.validate_record(kind, record)

    assert session == _read(kind, record)


@_patiently
@hypothesis.given(
    models.sessions(),
    st.dictionaries(
        st.sampled_from(["x", "newer", "z_1"]), st.integers(-(2**63), 2**63 - 1)
    ),
)
def test_an_upgrade_and_back_changes_nothing(
    session: ledger.Session, extra: dict[str, Any]
) -> None:
    """Version 1 read and written as 2, and that as 1 again, is the same record."""
    before = codec.encode_session(session._replace(extra=extra), 1)

    raised = codec.encode_session(codec.read_session(before), 2)

    assert before == codec.encode_session(codec.read_session(raised), 1)


@_patiently
@hypothesis.given(models.positions())
def test_a_position_comes_back_as_it_was(position: model.Position) -> None:
    """A position's record fits the schema, and holds the whole position."""
    record = codec.position_record(position)
    schemas.validate_record("ledger_position", record)

    assert position == _read("ledger_position", record)


@pytest.mark.parametrize("version", [1, 2])
@_patiently
@hypothesis.given(
    session=models.sessions(),
    extra=st.dictionaries(st.sampled_from(["x", "newer", "z_1"]), _JSON, min_size=1),
)
def test_what_a_newer_release_keeps_is_written_again(
    version: int, session: ledger.Session, extra: dict[str, Any]
) -> None:
    """Fields of a session's record that we do not know survive a rewrite."""
    held = {**orjson.loads(codec.encode_session(session, version)), **extra}

    again = codec.encode_session(codec.read_session(orjson.dumps(held)), version)

    assert held == orjson.loads(again)


@_patiently
@hypothesis.given(models.sessions())
def test_no_open_session_is_taken_for_an_ended_one(session: ledger.Session) -> None:
    """What is still to be done is seen without decoding, whatever the texts hold."""
    odd = session._replace(reference='"due":', seen_delivery_ids=('"flight":',))

    for each in (session, odd):
        for version in (1, 2):
            stored = codec.encode_session(each, version)
            assert each.open is codec.has_open_state(stored)


@pytest.mark.parametrize("kind", list(_READERS))
@_patiently
@hypothesis.given(
    key=st.none() | st.binary(max_size=20),
    value=st.none() | st.binary(max_size=200) | _JSON.map(orjson.dumps),
    headers=st.lists(
        st.tuples(
            st.sampled_from(["ce_time", "ce_environment", "traceparent", "x"]),
            st.none() | st.binary(max_size=60),
        ),
        max_size=4,
    ),
)
def test_any_bytes_are_read_or_refused(
    kind: str, key: bytes | None, value: bytes | None, headers: codec.Headers
) -> None:
    """No bytes whatever make a reader raise anything but its two refusals."""
    with pytest.raises((codec.MalformedRecord, errors.UnknownVersion)):
        _READERS[kind](key, value, headers)


_MADE = {
    "event": models.events().map(codec.event_record),
    "begin": models.begins().map(codec.begin_record),
    "decision": models.decisions().map(codec.decision_record),
    "dead_letter": models.dead_letters().map(codec.dead_letter_record),
    "ledger_session": models.sessions().map(lambda session: _stored(session, 1)),
    "ledger_session.v2": models.sessions().map(lambda session: _stored(session, 2)),
    "ledger_position": models.positions().map(codec.position_record),
}


@pytest.mark.parametrize("kind", list(_READERS))
@_patiently
@hypothesis.given(data=st.data())
def test_a_record_with_one_field_exchanged_is_read_or_refused(
    kind: str, data: st.DataObject
) -> None:
    """A record that is ours but for one field raises nothing but the two refusals."""
    record = data.draw(_MADE[kind])
    held = orjson.loads(record.value or b"")
    name = data.draw(st.sampled_from(sorted(held)))
    held[name] = data.draw(_JSON)
    changed = dataclasses.replace(record, value=orjson.dumps(held))

    try:
        read = _read(kind, changed)
    except (codec.MalformedRecord, errors.UnknownVersion):
        return

    assert type(read) is type(_read(kind, record))


@pytest.mark.parametrize("kind", list(_READERS))
@_patiently
@hypothesis.given(data=st.data())
def test_a_record_without_one_field_is_refused(kind: str, data: st.DataObject) -> None:
    """A field that the schema requires is missed by the reader too."""
    record = data.draw(_MADE[kind])
    held = orjson.loads(record.value or b"")
    required = set(schemas.schema(schemas.Kind(kind))["required"])
    name = data.draw(st.sampled_from(sorted(required)))
    del held[name]

    with pytest.raises(codec.MalformedRecord):
        _read(kind, dataclasses.replace(record, value=orjson.dumps(held)))


@pytest.mark.parametrize(
    ("kind", "added"), [("dead_letter", "place"), ("begin", "request_digest")]
)
@_patiently
@hypothesis.given(data=st.data())
def test_a_record_from_before_a_field_was_added_is_read(
    kind: str, added: str, data: st.DataObject
) -> None:
    """The topics hold records of earlier releases: what was added later may lack."""
    record = data.draw(_MADE[kind])
    held = orjson.loads(record.value or b"")
    del held[added]
    read = _read(kind, dataclasses.replace(record, value=orjson.dumps(held)))

    assert getattr(read, added) is None
