"""No text, list or number of a record is longer than its schema allows."""

import orjson
import pytest

from worker import codec, model

_EVENT = model.Event(
    event_id=model.random_id(),
    type=model.EventType.CALLBACK_RECEIVED,
    environment=model.Environment.TEST,
    source="idnow_de",
    provider="idnow",
    session_id="tst-1",
    provider_session_id="TST-1",
    received_at=1,
)
_INTENT = model.Intent(
    source="idnow_de",
    provider="idnow",
    environment=model.Environment.TEST,
    begin_id="b",
    attempt_id="a",
    reference="r",
    begun_at=1,
)
_LETTER = model.DeadLetter(
    dead_letter_id="d",
    reason=model.DeadLetterReason.UNMAPPABLE,
    source="idnow_de",
    session_id=None,
    event_id=None,
    attempts=1,
    first_seen_at=1,
    last_error=None,
    at=1,
)
_DECISION = model.Decision(
    decision_id="d",
    environment=model.Environment.TEST,
    source="idnow_de",
    provider="idnow",
    session_id="tst-1",
    provider_session_id="TST-1",
    reference=None,
    revision=1,
    verdict=model.Verdict(
        outcome=model.Outcome.APPROVED,
        reason=model.Reason.VERIFIED,
        retryable=False,
        next_step=model.NextStep.NONE,
    ),
    supersedes=None,
    cause=model.Cause(type=model.CauseType.POLL),
    observed_at=None,
    decided_at=1,
)
_RECORDS = {
    "event": (codec.event_record(_EVENT), codec.read_event),
    "begin": (
        codec.begin_record(_INTENT),
        lambda key, value, _headers: codec.read_begin(key, value),
    ),
    "dead letter": (codec.dead_letter_record(_LETTER), codec.read_dead_letter),
    "decision": (codec.decision_record(_DECISION), codec.read_decision),
}


def _read(kind: str, **changes: object) -> None:
    record, read = _RECORDS[kind]
    held = orjson.loads(record.value or b"")
    assert set(changes) <= set(held)
    read(record.key, orjson.dumps({**held, **changes}), record.headers)


_TOO_LONG = [
    (kind, name)
    for kind, (record, _) in _RECORDS.items()
    for name, value in orjson.loads(record.value or b"").items()
    if isinstance(value, str | list | dict) or value is None
]


@pytest.mark.parametrize(("kind", "name"), _TOO_LONG)
@pytest.mark.parametrize("value", ["x" * 917_000, ["x" * 917_000], ["x"] * 99_999])
def test_no_field_takes_a_megabyte(kind: str, name: str, value: object) -> None:
    """Each field of each kind of record refuses it, whatever its type."""
    with pytest.raises(codec.MalformedRecord):
        _read(kind, **{name: value})


@pytest.mark.parametrize(
    ("kind", "name", "most"),
    [
        ("event", "reference", "x" * 255),
        ("event", "provider_event", "x" * 128),
        ("event", "provider_event_id", "x" * 255),
        ("event", "begin_id", "x" * 255),
        ("event", "digest", "a" * 64),
        ("event", "claim", {"k" * 128: "x" * 128}),
        ("event", "claim", {f"k{n}": None for n in range(32)}),
        ("begin", "reference", "x" * 255),
        ("begin", "begin_id", None),
        ("dead letter", "last_error", "x" * 128),
        ("dead letter", "redrive", "x" * 400),
        ("dead letter", "known_keys", ["x" * 128]),
        ("dead letter", "attempts", 2**53 - 1),
        ("dead letter", "other_keys", 2**53 - 1),
        ("decision", "reference", "x" * 255),
        ("decision", "provider_status", "x" * 128),
        ("decision", "provider_reason", "x" * 128),
        ("decision", "revision", 2**53 - 1),
    ],
)
def test_the_bound_itself_is_allowed(kind: str, name: str, most: object) -> None:
    """As much as the schema allows is read; one more is refused by its own word."""
    if most is not None:
        _read(kind, **{name: most})
    with pytest.raises(codec.MalformedRecord) as caught:
        _read(kind, **{name: _more(most)})
    assert caught.value.field == name
    too_long = isinstance(most, str | dict | list)
    assert isinstance(caught.value, codec.FieldTooLong) is too_long


def _more(most: object) -> object:
    """Return one more than *most*."""
    match most:
        case str():
            return most + most[0]
        case int():
            return most + 1
        case dict() if len(most) > 1:
            return {**most, "more": None}
        case dict():
            return {f"{name}x": word for name, word in most.items()}
        case list():
            return [most[0] + "x"]
        case _:
            return 1
