"""Records of ``kyc.ledger``: compact, whole, and nothing lost to an upgrade."""

import dataclasses

import orjson
import pytest

from worker import codec, errors, ledger, model, policy

_AT = 1_795_255_810_000
_ENDED = ledger.Session(
    provider_session_id="9c0e4d7a-3f52-4b1b-8d66-1e2a7b90c4d3",
    first_seen_at=_AT,
    updated_at=_AT + 900,
    revision=1,
    current_verdict=policy.approved(status="FINISHED"),
    observed_at=_AT + 890,
    fetch_seq=1,
    last_fetch_at=_AT + 10,
)
_FLYING = _ENDED._replace(
    flight=ledger.Flight(
        seq=2, started_at=_AT, cause=model.Cause(type=model.CauseType.POLL)
    ),
)


def test_an_ended_session_is_small() -> None:
    """What is at its default is left out: millions of ended sessions stay in memory."""
    assert orjson.loads(codec.encode_session(_ENDED)) == {
        "v": 1,
        "id": "9c0e4d7a-3f52-4b1b-8d66-1e2a7b90c4d3",
        "first": _AT,
        "at": _AT + 900,
        "rev": 1,
        "standing": {"is": "approved", "why": "verified", "status": "FINISHED"},
        "observed": _AT + 890,
        "seq": 1,
        "fetched": _AT + 10,
    }
    assert len(codec.encode_session(_ENDED)) < 230


def test_a_session_s_record_has_its_key_and_no_headers() -> None:
    """The ledger is internal: key and value, nothing else."""
    key = model.SessionKey("biometric", "a")
    record = codec.session_record(key, codec.encode_session(_ENDED))

    assert record.key == b"biometric:a"
    assert record.headers == []
    assert record.value == codec.encode_session(_ENDED)


def test_a_forgotten_session_is_a_tombstone() -> None:
    """A session that is None has a record without a value."""
    assert codec.session_record(model.SessionKey("a", "b"), None).value is None


def test_unknown_fields_are_kept() -> None:
    """A field that a newer release wrote stands in ``extra`` and is written again."""
    newer = {**orjson.loads(codec.encode_session(_ENDED)), "vault": {"key": [1]}}
    session = codec.read_session(orjson.dumps(newer))

    assert session.extra == {"vault": {"key": [1]}}
    changed = session._replace(revision=2)
    assert orjson.loads(codec.encode_session(changed)) == {**newer, "rev": 2}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("v", 3),
        ("e", []),
        ("o", []),
        ("standing", {"is": "approved", "why": "verified", "newer": 1}),
        ("wanted", {"type": "poll", "newer": 1}),
    ],
)
def test_what_cannot_be_kept_is_not_taken_over(name: str, value: object) -> None:
    """A later version, or an unknown field in an inner object, is not ours to write."""
    newer = {**orjson.loads(codec.encode_session(_ENDED)), name: value}

    with pytest.raises(errors.UnknownVersion):
        codec.read_session(orjson.dumps(newer))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("v", "1"),
        ("v", True),
        ("id", 1),
        ("first", "2026"),
        ("at", None),
        ("rev", 1.5),
        ("rev", True),
        ("standing", []),
        ("standing", {"is": "approved"}),
        ("standing", {"is": "perhaps", "why": "verified"}),
        ("standing", {"is": "approved", "why": "verified", "flags": ["blurry"]}),
        ("standing", {"is": "approved", "why": "verified", "flags": [[]]}),
        ("wanted", {"type": "boredom"}),
        ("flight", {"seq": 1, "started": 1}),
        ("seen", "abc"),
        ("seen", [1]),
        ("hint", "perhaps"),
    ],
)
def test_a_field_of_the_wrong_kind_is_malformed(name: str, value: object) -> None:
    """One field of another type or meaning is enough."""
    held = {**orjson.loads(codec.encode_session(_ENDED)), name: value}

    with pytest.raises(codec.MalformedRecord):
        codec.read_session(orjson.dumps(held))


def test_a_session_without_a_value_is_malformed() -> None:
    """A tombstone holds no session."""
    with pytest.raises(codec.MalformedRecord):
        codec.read_session(None)


def test_odd_values_are_read_as_they_were_written() -> None:
    """Whatever the ledger holds can be read again: values are no reason to stop."""
    verdict = dataclasses.replace(
        policy.pending(model.Reason.UNDER_REVIEW, status=""), provider_time=-1
    )
    odd = _ENDED._replace(
        reference="", current_verdict=verdict, seen_delivery_ids=("",)
    )

    assert codec.read_session(codec.encode_session(odd)) == odd


@pytest.mark.parametrize(
    ("session", "expected"),
    [
        (_ENDED, False),
        (_FLYING, True),
        (_ENDED._replace(due_at=_AT), True),
        (_ENDED._replace(due_at=0), True),
        (_ENDED._replace(reference='"due":1,"flight":'), False),
    ],
)
def test_an_open_session_is_seen_without_decoding(
    session: ledger.Session, *, expected: bool
) -> None:
    """Only what is due or in flight need be decoded at a restore."""
    assert codec.has_open_state(codec.encode_session(session)) is expected


def test_an_open_session_written_otherwise_is_seen_too() -> None:
    """Spaces or another order of the fields change nothing."""
    written = orjson.dumps(
        {"due": 1, **orjson.loads(codec.encode_session(_ENDED))},
        option=orjson.OPT_INDENT_2,
    )

    assert codec.has_open_state(written)


def test_a_later_version_is_not_taken_for_ended() -> None:
    """A record of a version that we do not know stops a restore at once."""
    with pytest.raises(errors.UnknownVersion):
        codec.has_open_state(b'{"v":3,"id":"a"}')


def test_a_position_stands_under_its_own_key() -> None:
    """The position's record has the fixed key, and leaves out what is at zero."""
    record = codec.position_record(model.Position(next_offset=7))

    assert record.key == b"__position"
    assert record.headers == []
    assert record.value == b'{"v":1,"next_offset":7}'


def test_a_position_keeps_its_counts() -> None:
    """Starts and the sessions not summed up yet survive a restart."""
    position = model.Position(next_offset=7, starts=2, denied=(("idnow_de", _AT, 3),))

    assert codec.read_position(codec.position_record(position).value) == position


@pytest.mark.parametrize(
    "value",
    [
        None,
        b"{}",
        b'{"v":1}',
        b'{"v":1,"next_offset":"7"}',
        b'{"v":1,"next_offset":7,"denied":[["a",1]]}',
        b'{"v":1,"next_offset":7,"denied":[["a",1,true]]}',
        b'{"v":1,"next_offset":7,"denied":[[1,1,1]]}',
        b'{"v":1,"next_offset":7,"denied":{}}',
    ],
)
def test_what_is_no_position_is_malformed(value: bytes | None) -> None:
    """A position with a field missing or of another type is refused."""
    with pytest.raises(codec.MalformedRecord):
        codec.read_position(value)


@pytest.mark.parametrize(
    "value", [b'{"v":2,"next_offset":7}', b'{"v":1,"next_offset":7,"newer":1}']
)
def test_a_newer_position_is_not_taken_over(value: bytes) -> None:
    """A position that we could not write again whole is left to a newer release."""
    with pytest.raises(errors.UnknownVersion):
        codec.read_position(value)
