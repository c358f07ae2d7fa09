"""Check what the code writes against ``schemas/``; raises where it does not fit."""

import enum
import functools
import pathlib
from typing import Any

import jsonschema
import orjson

from worker import codec

ROOT = pathlib.Path(__file__).parents[2] / "schemas"

Document = dict[str, Any]


class Kind(enum.StrEnum):
    """
    The record types there are; the words are the schema files' first part.

    It is version 1 where the word names none.
    """

    EVENT = "event"
    DECISION = "decision"
    DEAD_LETTER = "dead_letter"
    BEGIN = "begin"
    LEDGER_SESSION = "ledger_session"
    LEDGER_SESSION_2 = "ledger_session.v2"
    LEDGER_POSITION = "ledger_position"
    LEDGER_DEFERRED = "ledger_deferred"


#: What every CloudEvents record carries, beside the session's own headers.
_HEADERS = {
    "ce_specversion": b"1.0",
    "content-type": b"application/json",
}
_REQUIRED = {"ce_type", "ce_source", "ce_id", "ce_time", "ce_dataschema"}
_OPTIONAL = {"ce_subject", "ce_environment", "traceparent"}
_INTERNAL = {
    Kind.BEGIN,
    Kind.LEDGER_SESSION,
    Kind.LEDGER_SESSION_2,
    Kind.LEDGER_POSITION,
    Kind.LEDGER_DEFERRED,
}


@functools.cache
def schema(kind: Kind) -> Document:
    """Return the schema of *kind*."""
    version = "" if "." in kind else ".v1"
    path = ROOT / f"{kind}{version}.schema.json"
    parsed: Document = orjson.loads(path.read_bytes())
    return parsed


@functools.cache
def validator(kind: Kind) -> jsonschema.Draft202012Validator:
    """Return what checks values of *kind*."""
    return jsonschema.Draft202012Validator(schema(kind))


def problems(kind: Kind, value: Document) -> list[str]:
    """Return what is wrong with *value*, one short line each; empty where it fits."""
    found = [
        f"{error.json_path}: {error.validator}"
        for error in validator(kind).iter_errors(value)
    ]
    # Readers accept fields they do not know; we write none that has no schema.
    unknown = value.keys() - schema(kind)["properties"].keys()
    found += [f"$.{name}: not in the schema" for name in sorted(unknown)]
    flags = value.get("flags", [])
    if kind is Kind.DECISION and flags != sorted(flags):
        found.append("$.flags: not sorted")
    return found


def validate_record(kind: Kind | str, record: codec.Record) -> Document:
    """
    Return the value of *record*, which is one of *kind*.

    Raises AssertionError where the value does not fit its schema, or a header or
    the key does not fit the value.
    """
    kind = Kind(kind)
    assert record.value is not None, "a tombstone has no schema"
    value: Document = orjson.loads(record.value)
    wrong = problems(kind, value)
    assert not wrong, f"{kind}: {'; '.join(wrong)}"
    if kind in _INTERNAL:
        assert not record.headers, "what is internal has no headers"
    else:
        _check_envelope(kind, record, value)
    return value


def _check_envelope(kind: Kind, record: codec.Record, value: Document) -> None:
    headers = dict(record.headers)
    assert len(headers) == len(record.headers), "a header stands twice"
    fixed = {
        **_HEADERS,
        "ce_source": f"/kyc/{value['source']}".encode(),
        "ce_id": value[f"{kind}_id"].encode(),
        "ce_dataschema": schema(kind)["$id"].encode(),
        "ce_partitionkey": record.key,
        "ce_type": _ce_type(kind, value).encode(),
    }
    assert fixed == {name: headers.get(name) for name in fixed}, "headers"
    names = fixed.keys() | _REQUIRED
    assert names <= headers.keys() <= names | _OPTIONAL, sorted(headers)
    subject = value["session_id"]
    assert record.key == f"{value['source']}:{subject or ''}".encode(), "key"
    expected = None if subject is None else subject.encode()
    assert expected == headers.get("ce_subject"), "ce_subject"
    if kind is not Kind.DEAD_LETTER:
        assert value["environment"].encode() == headers["ce_environment"]
        at = value["received_at" if kind is Kind.EVENT else "decided_at"]
        assert at.encode() == headers["ce_time"], "ce_time"


def _ce_type(kind: Kind, value: Document) -> str:
    return f"kyc.{value['type'] if kind is Kind.EVENT else kind}.v1"
