"""Records of the decision topics: what is written, and what is refused."""

import dataclasses
from typing import Any

import orjson
import pytest

from tests.support import models, schemas
from worker import codec, errors, model, policy

_KEY = model.SessionKey("biometric", "9c0e4d7a-3f52-4b1b-8d66-1e2a7b90c4d3")
_CALLED = model.Cause(
    type=model.CauseType.CALLBACK,
    event_id="0190b1de-0c1d-4f8e-9d57-000000000001",
    received_at=1_795_255_810_120,
)
_DECISION = model.Decision(
    decision_id=models.decision_id(_KEY, 1),
    environment=model.Environment.TEST,
    source=_KEY.source,
    provider="biometric",
    session_id=_KEY.session_id,
    provider_session_id=_KEY.session_id.upper(),
    reference=None,
    revision=1,
    verdict=policy.approved(status="FINISHED"),
    supersedes=None,
    cause=_CALLED,
    observed_at=1_795_255_810_900,
    decided_at=1_795_255_810_904,
)


def _written(decision: model.Decision) -> dict[str, Any]:
    return schemas.validate_record("decision", codec.decision_record(decision))


def _changed(**changes: object) -> bytes:
    return orjson.dumps({**_written(_DECISION), **changes})


def _read(value: bytes | None) -> model.Decision:
    return codec.read_decision(str(_KEY).encode(), value, [])


def test_a_decision_has_the_documented_fields() -> None:
    """The value is the documented one, to the letter; ``ce_id`` is the decision's."""
    record = codec.decision_record(_DECISION)

    assert _written(_DECISION) == {
        "schema_version": 1,
        "decision_id": _DECISION.decision_id,
        "environment": "test",
        "source": "biometric",
        "provider": "biometric",
        "session_id": "9c0e4d7a-3f52-4b1b-8d66-1e2a7b90c4d3",
        "provider_session_id": "9C0E4D7A-3F52-4B1B-8D66-1E2A7B90C4D3",
        "reference": None,
        "revision": 1,
        "outcome": "approved",
        "final": True,
        "reason": "verified",
        "provider_status": "FINISHED",
        "provider_reason": None,
        "provider_time": None,
        "retryable": False,
        "next_step": "none",
        "flags": [],
        "supersedes": None,
        "cause": {
            "type": "callback",
            "event_id": "0190b1de-0c1d-4f8e-9d57-000000000001",
        },
        "received_at": "2026-11-21T10:10:10.120Z",
        "observed_at": "2026-11-21T10:10:10.900Z",
        "decided_at": "2026-11-21T10:10:10.904Z",
    }
    headers = dict(record.headers)
    assert headers["ce_id"] == _DECISION.decision_id.encode()
    assert headers["ce_type"] == b"kyc.decision.v1"
    assert headers["ce_time"] == b"2026-11-21T10:10:10.904Z"


def test_only_a_callback_has_been_received() -> None:
    """``received_at`` is null where the cause is no callback, whatever it carries."""
    cause = dataclasses.replace(_CALLED, type=model.CauseType.RECHECK)

    assert _written(dataclasses.replace(_DECISION, cause=cause))["received_at"] is None


def test_a_poll_has_no_event() -> None:
    """The cause's ``event_id`` is null where nothing but time made us look."""
    cause = dataclasses.replace(_CALLED, type=model.CauseType.POLL)

    value = _written(dataclasses.replace(_DECISION, cause=cause))

    assert value["cause"] == {"type": "poll", "event_id": None}


def test_flags_are_sorted() -> None:
    """Flags stand in order, however they came."""
    flags = (model.Flag.UNCONFIRMED, model.Flag.DATA_CHANGED)
    verdict = dataclasses.replace(_DECISION.verdict, flags=flags)

    value = _written(dataclasses.replace(_DECISION, verdict=verdict))

    assert value["flags"] == ["data_changed", "unconfirmed"]


def test_a_trace_goes_on_in_the_headers() -> None:
    """The trace of the cause is the decision's, and comes back with it."""
    trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    cause = dataclasses.replace(_CALLED, traceparent=trace)
    decision = dataclasses.replace(_DECISION, cause=cause)
    record = codec.decision_record(decision)

    assert dict(record.headers)["traceparent"] == trace.encode()
    assert codec.read_decision(record.key, record.value, record.headers) == decision


def test_a_tombstone_is_the_key_alone() -> None:
    """What makes a compacted topic forget a session has its key and no value."""
    record = codec.decision_tombstone(_KEY)

    assert record == codec.Record(key=str(_KEY).encode(), value=None, headers=[])


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("decision_id", None),
        ("environment", "prod"),
        ("revision", 0),
        ("revision", True),
        ("outcome", "perhaps"),
        ("final", 1),
        ("final", False),
        ("reason", "because"),
        ("retryable", "yes"),
        ("retryable", 1),
        ("next_step", None),
        ("flags", ["blurry"]),
        ("flags", "unconfirmed"),
        ("flags", [1]),
        ("supersedes", 1),
        ("cause", None),
        ("observed_at", 1),
        ("decided_at", None),
    ],
)
def test_a_field_of_the_wrong_kind_is_malformed(name: str, value: object) -> None:
    """One field of another type or meaning is enough; the error names it."""
    with pytest.raises(codec.MalformedRecord) as caught:
        _read(_changed(**{name: value}))

    assert caught.value.field == name


def test_a_tombstone_and_a_foreign_key_hold_no_decision() -> None:
    """Neither a record without a value nor one under another key is a decision."""
    with pytest.raises(codec.MalformedRecord):
        _read(None)
    with pytest.raises(codec.MalformedRecord):
        codec.read_decision(b"biometric:other", _changed(), [])


def test_a_later_version_is_not_ours_to_judge() -> None:
    """A higher ``schema_version`` is unknown, not malformed."""
    with pytest.raises(errors.UnknownVersion):
        _read(_changed(schema_version=2))
