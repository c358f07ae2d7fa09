"""Records of ``kyc.begins``: what is written, and what is refused."""

from typing import Any

import orjson
import pytest

from tests.support import schemas
from worker import codec, errors, model

_INTENT = model.Intent(
    source="identomat",
    provider="identomat",
    environment=model.Environment.LIVE,
    begin_id="6f1d0c9e5b212b7f",
    attempt_id="0190b1de-0c1d-4f8e-9d57-00000000000c",
    reference="customer-1003",
    begun_at=1_795_255_809_700,
)
_REGISTERED = _INTENT.registered(
    1_795_255_810_120, session_id="abc", provider_session_id="ABC"
)
_KEY = b"identomat:6f1d0c9e5b212b7f"


def _value(intent: model.Intent, **changes: object) -> bytes:
    held: dict[str, Any] = orjson.loads(codec.begin_record(intent).value or b"")
    return orjson.dumps({**held, **changes})


@pytest.mark.parametrize(
    "intent", [_INTENT, _REGISTERED, _INTENT.failed(1_795_255_810_000)]
)
def test_a_begin_is_keyed_by_source_and_id(intent: model.Intent) -> None:
    """All records of a begin have one key, so that they stand in order."""
    record = codec.begin_record(intent)

    assert record.key == _KEY
    assert codec.Record(key=_KEY, value=None) == codec.begin_tombstone(intent.key)
    schemas.validate_record("begin", record)
    assert intent == codec.read_begin(record.key, record.value)


@pytest.mark.parametrize(
    ("intent", "changes", "field"),
    [
        (_REGISTERED, {"session_id": None}, "session_id"),
        (_REGISTERED, {"provider_session_id": None}, "provider_session_id"),
        (_REGISTERED, {"ended_at": None}, "ended_at"),
        (_INTENT, {"session_id": "abc"}, "session_id"),
        (_INTENT, {"ended_at": "2026-11-21T10:10:10.120Z"}, "ended_at"),
        (_INTENT, {"stage": "begun"}, "stage"),
        (_INTENT, {"begin_id": "another"}, "key"),
        (_INTENT, {"reference": ""}, "reference"),
    ],
)
def test_a_begin_that_is_none(
    intent: model.Intent, changes: dict[str, object], field: str
) -> None:
    """What contradicts itself is no begin of ours; the refusal names the field."""
    with pytest.raises(codec.MalformedRecord) as refused:
        codec.read_begin(_KEY, _value(intent, **changes))

    assert field == refused.value.field


def test_a_later_version_is_no_malformed_one() -> None:
    """A later release's record is not ours to judge."""
    with pytest.raises(errors.UnknownVersion):
        codec.read_begin(_KEY, _value(_INTENT, schema_version=2))


def test_a_later_field_is_skipped() -> None:
    """What a later release adds does not hinder."""
    assert codec.read_begin(_KEY, _value(_INTENT, added=1)) == _INTENT
