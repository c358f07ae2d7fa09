"""Every example fits its schema and the code; what differs by a field does not."""

import pathlib
from typing import Any

import orjson
import pytest

from tests.support import models, schemas
from worker import codec, model

_EXAMPLES = sorted((schemas.ROOT / "examples").glob("*/*.json"))


def _load(path: pathlib.Path) -> dict[str, Any]:
    parsed: dict[str, Any] = orjson.loads(path.read_bytes())
    return parsed


def _name(path: pathlib.Path) -> str:
    return f"{path.parent.name}/{path.stem}"


@pytest.mark.parametrize("path", _EXAMPLES, ids=_name)
def test_an_example_fits_its_schema(path: pathlib.Path) -> None:
    """Every example is what its schema describes."""
    assert schemas.problems(schemas.Kind(path.parent.name), _load(path)) == []


def _again(  # noqa: PLR0911 -- one for each kind
    kind: schemas.Kind, value: dict[str, Any]
) -> codec.Record:
    """Read *value* as the code does, and write it again."""
    data = orjson.dumps(value)
    named = "begin_id" if kind is schemas.Kind.BEGIN else "session_id"
    key = f"{value.get('source')}:{value.get(named) or ''}".encode()
    match kind:
        case schemas.Kind.EVENT:
            return codec.event_record(codec.read_event(key, data, []))
        case schemas.Kind.DECISION:
            return codec.decision_record(codec.read_decision(key, data, []))
        case schemas.Kind.DEAD_LETTER:
            headers = [("ce_time", b"2026-11-21T10:10:15.000Z")]
            return codec.dead_letter_record(codec.read_dead_letter(key, data, headers))
        case schemas.Kind.BEGIN:
            return codec.begin_record(codec.read_begin(key, data))
        case schemas.Kind.LEDGER_SESSION:
            session = codec.encode_session(codec.read_session(data), 1)
            return codec.session_record(model.SessionKey("a", "b"), session)
        case schemas.Kind.LEDGER_SESSION_2:
            session = codec.encode_session(codec.read_session(data), 2)
            return codec.session_record(model.SessionKey("a", "b"), session)
        case schemas.Kind.LEDGER_POSITION:
            return codec.position_record(codec.read_position(data))
        case schemas.Kind.LEDGER_DEFERRED:
            deferred = codec.encode_deferred(*codec.read_deferred(data))
            return codec.session_record(model.SessionKey("a", "b"), deferred)


@pytest.mark.parametrize("path", _EXAMPLES, ids=_name)
def test_an_example_is_what_the_code_writes(path: pathlib.Path) -> None:
    """The code reads every example, and writes the same again."""
    value = _load(path)

    assert value == orjson.loads(
        _again(schemas.Kind(path.parent.name), value).value or b""
    )


def _examples(kind: str) -> list[dict[str, Any]]:
    return [_load(path) for path in _EXAMPLES if path.parent.name == kind]


def test_the_examples_show_every_case() -> None:
    """There is an example of each outcome, flag, cause, event type and reason."""
    decisions = _examples("decision")

    assert set(model.Outcome) == {d["outcome"] for d in decisions}
    assert set(model.Flag) == {flag for d in decisions for flag in d["flags"]}
    assert set(model.NextStep) == {d["next_step"] for d in decisions}
    used = set(model.CauseType) - {model.CauseType.OPERATOR}
    assert used == {d["cause"]["type"] for d in decisions}
    assert set(model.EventType) == {e["type"] for e in _examples("event")}
    assert set(model.BeginStage) == {b["stage"] for b in _examples("begin")}
    reasons = {letter["reason"] for letter in _examples("dead_letter")}
    assert set(model.DeadLetterReason) == reasons
    for kind in (schemas.Kind.LEDGER_SESSION, schemas.Kind.LEDGER_SESSION_2):
        fields = {name for session in _examples(kind) for name in session}
        assert schemas.schema(kind)["properties"].keys() == fields


def test_both_versions_of_the_ledger_show_the_same_sessions() -> None:
    """What an example of version 1 holds, the one of the same name holds in 2."""
    versions = ("ledger_session", "ledger_session.v2")
    long, compact = (
        {
            path.stem: codec.read_session(path.read_bytes())
            for path in _EXAMPLES
            if path.parent.name == version
        }
        for version in versions
    )

    assert long == compact


@pytest.mark.parametrize("decision", _examples("decision"), ids=lambda d: d["reason"])
def test_a_decision_s_ids_follow_the_formula(decision: dict[str, Any]) -> None:
    """``decision_id`` and ``supersedes`` are UUIDv5 of source, session and revision."""
    key = model.SessionKey(decision["source"], decision["session_id"])
    revision = decision["revision"]
    before = models.decision_id(key, revision - 1) if revision > 1 else None

    assert models.decision_id(key, revision) == decision["decision_id"]
    assert before == decision["supersedes"]


def test_the_formula_of_decision_ids_stays() -> None:
    """The id that a consumer may have computed itself never changes."""
    key = model.SessionKey("idbeyond", "2b7f6a34-91d0-4c57-8a4e-6d1f0c9e5b21")

    assert models.decision_id(key, 1) == "c79c6a60-2ab0-50fc-9fe3-d30506dfdcc6"


def _example(name: str) -> dict[str, Any]:
    return _load(schemas.ROOT / "examples" / f"{name}.json")


_APPROVED = "decision/approved"
_PENDING = "decision/pending_in_progress"
_UUID = "0190b1de-0c1d-4f8e-9d57-000000000001"
_POLLED = {"type": "poll", "event_id": None}
_CAUSE = {"type": "poll"}
_VERDICT = {"is": "pending", "why": "in_progress"}
_SESSION = "ledger_session/failing"
_COMPACT = "ledger_session.v2/ended"

_COUNTER_EXAMPLES: list[tuple[str, dict[str, Any]]] = [
    (_APPROVED, {"final": False}),
    (_APPROVED, {"reason": "in_progress"}),
    (_APPROVED, {"reason": "declined"}),
    (_APPROVED, {"outcome": "rejected"}),
    (_APPROVED, {"outcome": "pending", "final": False}),
    (_APPROVED, {"outcome": "unknown"}),
    (_APPROVED, {"received_at": None}),
    (_APPROVED, {"cause": {"type": "callback", "event_id": None}}),
    (_APPROVED, {"cause": _POLLED}),
    (_APPROVED, {"cause": {"type": "callback"}}),
    (_APPROVED, {"supersedes": "8d4e4a4e-0b4f-5d5c-8f5a-0123456789ab"}),
    (_APPROVED, {"revision": 2}),
    (_APPROVED, {"revision": 0}),
    (_APPROVED, {"revision": "1"}),
    (_APPROVED, {"schema_version": 2}),
    (_APPROVED, {"schema_version": "1"}),
    (_APPROVED, {"decision_id": "8D4E4A4E-0B4F-5D5C-8F5A-0123456789AB"}),
    (_APPROVED, {"decision_id": "8d4e4a4e-0b4f-4d5c-8f5a-0123456789ab"}),
    (_APPROVED, {"decided_at": "2026-11-21T10:10:10Z"}),
    (_APPROVED, {"decided_at": "2026-11-21T10:10:10.123+00:00"}),
    (_APPROVED, {"decided_at": "2026-11-21T10:10:10.123456Z"}),
    (_APPROVED, {"decided_at": "2026-13-21T10:10:10.123Z"}),
    (_APPROVED, {"decided_at": 1795255810000}),
    (_APPROVED, {"flags": ["data_changed", "data_changed"]}),
    (_APPROVED, {"flags": ["unconfirmed", "data_changed"]}),
    (_APPROVED, {"flags": ["blurry"]}),
    (_APPROVED, {"source": "IdBeyond"}),
    (_APPROVED, {"source": "id-beyond"}),
    (_APPROVED, {"source": "a" * 32}),
    (_APPROVED, {"session_id": ""}),
    (_APPROVED, {"session_id": "a b"}),
    (_APPROVED, {"session_id": "ä"}),
    (_APPROVED, {"session_id": "a" * 256}),
    (_APPROVED, {"first_name": "Anna"}),
    (_APPROVED, {"retryable": None}),
    (_PENDING, {"final": True}),
    (_PENDING, {"cause": {"type": "poll", "event_id": _UUID}}),
    (_PENDING, {"received_at": "2026-11-21T10:10:10.123Z"}),
    (_PENDING, {"provider_status": "x" * 129}),
    (_PENDING, {"provider_reason": 1}),
    (_PENDING, {"cause": {"type": "boredom", "event_id": None}}),
    (_PENDING, {"cause": {"type": "poll", "event_id": None, "more": 1}}),
    (_PENDING, {"cause": ["poll"]}),
    (_PENDING, {"flags": "unconfirmed"}),
    (_PENDING, {"flags": {}}),
    ("decision/rejected", {"final": False}),
    ("decision/rejected", {"outcome": "pending", "final": False}),
    ("decision/rejected", {"outcome": "approved"}),
    ("decision/rejected_fraud", {"supersedes": None}),
    ("event/callback_received", {"schema_version": 2}),
    ("event/callback_received", {"claim": {str(n): None for n in range(33)}}),
    ("event/callback_received", {"reference": 1}),
    ("event/callback_received", {"type": "callback.refused"}),
    ("event/callback_received", {"claim": None}),
    ("event/callback_received", {"claim": {"decision": 1}}),
    ("event/callback_received", {"claim": {"decision": "x" * 129}}),
    ("event/callback_received", {"digest": "abc"}),
    ("event/callback_received", {"received_at": None}),
    ("event/callback_received", {"misspelt": 1}),
    ("event/session_registered", {"begin_id": "a b"}),
    ("event/session_registered", {"begin_id": 1}),
    ("event/session_registered", {"expires_at": 1_795_255_810_120}),
    ("event/session_registered", {"expires_at": "2026-11-21"}),
    ("begin/registered", {"stage": "intended"}),
    ("begin/registered", {"session_id": None}),
    ("begin/registered", {"url": "https://provider.example/session"}),
    ("begin/intended", {"ended_at": "2026-11-21T10:10:10.120Z"}),
    ("begin/intended", {"session_id": "x"}),
    ("begin/failed", {"ended_at": None}),
    ("begin/failed", {"reference": ""}),
    ("dead_letter/stale", {"schema_version": 2}),
    ("dead_letter/stale", {"reason": "tired"}),
    ("dead_letter/stale", {"last_error": "Connection refused by 10.0.0.1"}),
    ("dead_letter/stale", {"session_id": None}),
    ("dead_letter/stale", {"count": 2}),
    ("dead_letter/stale", {"known_keys": ["a"]}),
    ("dead_letter/stale", {"other_keys": 1}),
    ("dead_letter/stale", {"redrive": "rm -rf"}),
    ("dead_letter/stale", {"body": "{}"}),
    ("dead_letter/denied_sessions", {"session_id": "x"}),
    ("dead_letter/denied_sessions", {"event_id": _UUID}),
    ("dead_letter/denied_sessions", {"redrive": "kyc-worker recheck"}),
    ("dead_letter/denied_sessions", {"count": 0}),
    ("dead_letter/denied_sessions", {"count": "2"}),
    ("dead_letter/unmappable", {"known_keys": [1]}),
    ("dead_letter/unmappable", {"known_keys": ["a", "a"]}),
    ("dead_letter/unmappable", {"known_keys": {}}),
    (_SESSION, {"v": 2}),
    (_SESSION, {"first": -1}),
    (_SESSION, {"rev": 0}),
    (_SESSION, {"misspelt": 1}),
    (_SESSION, {"standing": {"is": "approved", "why": "declined"}}),
    (_SESSION, {"standing": {"is": "approved"}}),
    (_SESSION, {"wanted": {"type": "callback", "misspelt": 1}}),
    (_SESSION, {"flight": {"seq": 1, "started": 1}}),
    (_SESSION, {"flight": {"seq": 1, "started": 1, "cause": _CAUSE, "more": 1}}),
    (_SESSION, {"flight": []}),
    (_SESSION, {"unconfirmed": {"since": 1, "cause": _CAUSE}}),
    (
        _SESSION,
        {"unconfirmed": {"verdict": _VERDICT, "since": 1, "cause": _CAUSE, "more": 1}},
    ),
    (_SESSION, {"unconfirmed": []}),
    (_SESSION, {"seen": []}),
    (_SESSION, {"seen": ["a b"]}),
    (_SESSION, {"seen": {}}),
    (_COMPACT, {"v": 1}),
    (_COMPACT, {"v": 3}),
    (_COMPACT, {"o": ["TST-7KQZM", 1, 0]}),
    (_COMPACT, {"e": ["TST-7KQZM", 1]}),
    (_COMPACT, {"e": {}}),
    (_COMPACT, {"id": "TST-7KQZM"}),
    (_COMPACT, {"seen": []}),
    ("ledger_position/running", {"v": 2}),
    ("ledger_position/running", {"starts": 0}),
    ("ledger_position/running", {"starts": "1"}),
    ("ledger_position/running", {"denied": []}),
    ("ledger_position/running", {"denied": {}}),
    ("ledger_position/running", {"denied": [{}]}),
    ("ledger_position/running", {"denied": [["idnow_de", 1, 0]]}),
    ("ledger_position/running", {"denied": [["idnow_de", 1, "1"]]}),
    ("ledger_position/running", {"next_offset": -1}),
    ("ledger_position/running", {"denied": [["idnow_de", 1]]}),
    ("ledger_position/running", {"denied": [["idnow_de", 1, 1, 1]]}),
    ("ledger_position/running", {"misspelt": 1}),
]


@pytest.mark.parametrize(("name", "change"), _COUNTER_EXAMPLES)
def test_a_counter_example_is_refused(name: str, change: dict[str, Any]) -> None:
    """One wrong field is enough for a schema to refuse what was an example."""
    kind = schemas.Kind(name.split("/", maxsplit=1)[0])

    assert schemas.problems(kind, {**_example(name), **change}) != []


@pytest.mark.parametrize("path", _EXAMPLES, ids=_name)
def test_no_required_field_may_be_missing(path: pathlib.Path) -> None:
    """An example less any one of the required fields is refused."""
    kind, value = schemas.Kind(path.parent.name), _load(path)

    for name in schemas.schema(kind)["required"]:
        less = {key: held for key, held in value.items() if key != name}
        assert schemas.problems(kind, less), name


@pytest.mark.parametrize("path", _EXAMPLES, ids=_name)
def test_no_fixed_text_may_end_in_a_newline(path: pathlib.Path) -> None:
    """
    A newline after a text that has a pattern is refused.

    Some validators let ``$`` match before it; what a record holds as identifier,
    time or word of ours must be safe with those too.
    """
    kind, value = schemas.Kind(path.parent.name), _load(path)
    free = {"reference", "ref", "provider_status", "provider_reason", "provider_event"}

    for name, held in value.items():
        if isinstance(held, str) and name not in free:
            assert schemas.problems(kind, {**value, name: f"{held}\n"}) != [], name
