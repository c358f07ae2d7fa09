"""Records of ``kyc.dlq``: what is written, and what is refused."""

import dataclasses

import orjson
import pytest

from tests.support import schemas
from worker import codec, errors, model

_LETTER = model.DeadLetter(
    dead_letter_id="c79c6a60-2ab0-50fc-9fe3-d30506dfdcc6",
    reason=model.DeadLetterReason.FETCH_EXHAUSTED,
    source="idnow_de",
    session_id="tst-7kqzm",
    event_id="0190b1de-0c1d-4f8e-9d57-000000000001",
    attempts=294,
    first_seen_at=1_795_255_810_000,
    last_error="provider_fault",
    at=1_795_255_815_000,
    redrive="kyc-worker dlq redrive --source idnow_de --session tst-7kqzm",
    environment=model.Environment.LIVE,
)
_UNMAPPABLE = dataclasses.replace(
    _LETTER,
    reason=model.DeadLetterReason.UNMAPPABLE,
    session_id=None,
    event_id=None,
    known_keys=("result",),
    other_keys=3,
    redrive=None,
    environment=None,
)


def test_a_dead_letter_has_the_documented_fields() -> None:
    """The value is the documented one, to the letter; time stands in the headers."""
    record = codec.dead_letter_record(_LETTER)

    assert schemas.validate_record("dead_letter", record) == {
        "schema_version": 1,
        "dead_letter_id": "c79c6a60-2ab0-50fc-9fe3-d30506dfdcc6",
        "reason": "fetch_exhausted",
        "source": "idnow_de",
        "session_id": "tst-7kqzm",
        "event_id": "0190b1de-0c1d-4f8e-9d57-000000000001",
        "attempts": 294,
        "first_seen_at": "2026-11-21T10:10:10.000Z",
        "last_error": "provider_fault",
        "count": 1,
        "known_keys": [],
        "other_keys": 0,
        "redrive": "kyc-worker dlq redrive --source idnow_de --session tst-7kqzm",
        "place": None,
    }
    headers = dict(record.headers)
    assert headers["ce_type"] == b"kyc.dead_letter.v1"
    assert headers["ce_time"] == b"2026-11-21T10:10:15.000Z"
    assert headers["ce_environment"] == b"live"


def test_a_dead_letter_without_a_session_has_the_source_s_key() -> None:
    """Without a session the key ends in the colon, and there is no subject."""
    record = codec.dead_letter_record(_UNMAPPABLE)
    schemas.validate_record("dead_letter", record)
    headers = dict(record.headers)

    assert record.key == b"idnow_de:"
    assert "ce_subject" not in headers
    assert "ce_environment" not in headers
    read = codec.read_dead_letter(record.key, record.value, record.headers)
    assert read == _UNMAPPABLE


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("dead_letter_id", ""),
        ("reason", "tired"),
        ("source", None),
        ("session_id", 1),
        ("attempts", -1),
        ("attempts", "1"),
        ("first_seen_at", 1),
        ("last_error", 1),
        ("count", None),
        ("known_keys", [1]),
        ("known_keys", "result"),
        ("other_keys", 1.5),
        ("redrive", {}),
    ],
)
def test_a_field_of_the_wrong_kind_is_malformed(name: str, value: object) -> None:
    """One field of another type is enough; the error names it."""
    record = codec.dead_letter_record(_LETTER)
    held = {**orjson.loads(record.value or b""), name: value}

    with pytest.raises(codec.MalformedRecord) as caught:
        codec.read_dead_letter(record.key, orjson.dumps(held), record.headers)

    assert caught.value.field == name


@pytest.mark.parametrize(
    ("headers", "field"),
    [
        ([], "ce_time"),
        ([("ce_time", b"soon")], "ce_time"),
        ([("ce_time", b"\xff")], "ce_time"),
        (
            [("ce_time", b"2026-11-21T10:10:15.000Z"), ("ce_environment", b"prod")],
            "ce_environment",
        ),
    ],
)
def test_what_stands_in_headers_is_checked_too(
    headers: codec.Headers, field: str
) -> None:
    """A missing time and a wrong environment are refused like any other field."""
    record = codec.dead_letter_record(_LETTER)

    with pytest.raises(codec.MalformedRecord) as caught:
        codec.read_dead_letter(record.key, record.value, headers)

    assert caught.value.field == field


def test_a_foreign_key_and_a_later_version_are_refused() -> None:
    """A letter under another key is malformed, one of a later version unknown."""
    record = codec.dead_letter_record(_LETTER)
    held = {**orjson.loads(record.value or b""), "schema_version": 2}

    with pytest.raises(codec.MalformedRecord):
        codec.read_dead_letter(b"idnow_de:", record.value, record.headers)
    with pytest.raises(errors.UnknownVersion):
        codec.read_dead_letter(record.key, orjson.dumps(held), record.headers)
