"""The schemas are well-formed, and their words are the code's own."""

import enum
import pathlib
import re
from collections.abc import Iterator
from typing import Any

import jsonschema
import orjson
import pytest

from tests.support import schemas
from worker import errors, model

_FILES = sorted(schemas.ROOT.glob("*.schema.json"))

# A misspelt keyword is no error in JSON Schema: it switches its check off.
_SAYING = {"$schema", "$id", "$ref", "title", "description", "type", "enum", "const"}
_BOUNDING = {
    "pattern",
    "minLength",
    "maxLength",
    "minimum",
    "maximum",
    "minItems",
    "maxItems",
    "uniqueItems",
    "maxProperties",
    "required",
}
_ONE_SCHEMA = {"not", "if", "then", "else", "items", "additionalProperties"}
_SCHEMA_LISTS = {"allOf", "oneOf", "prefixItems"}
_SCHEMA_MAPS = {"properties", "$defs"}


def _load(path: pathlib.Path) -> dict[str, Any]:
    parsed: dict[str, Any] = orjson.loads(path.read_bytes())
    return parsed


def _name(path: pathlib.Path) -> str:
    return path.stem


def _inner(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield *schema* and every schema inside of it."""
    yield schema
    held: list[object] = [schema[k] for k in _ONE_SCHEMA & schema.keys()]
    for keyword in _SCHEMA_LISTS & schema.keys():
        held += schema[keyword]
    for keyword in _SCHEMA_MAPS & schema.keys():
        held += schema[keyword].values()
    for each in held:
        if isinstance(each, dict):
            yield from _inner(each)


@pytest.mark.parametrize("path", _FILES, ids=_name)
def test_a_schema_is_well_formed(path: pathlib.Path) -> None:
    """A schema fits the meta-schema of 2020-12 and is named by its file."""
    schema = _load(path)
    jsonschema.Draft202012Validator.check_schema(schema)
    record, version, *_ = path.name.split(".")

    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert f"urn:kyc-worker:schema:{record}:{version}" == schema["$id"]
    assert record in list(schemas.Kind)


@pytest.mark.parametrize("path", _FILES, ids=_name)
def test_a_schema_uses_no_unknown_keyword(path: pathlib.Path) -> None:
    """Every keyword of a schema is one that a validator acts on, or says something."""
    known = _SAYING | _BOUNDING | _ONE_SCHEMA | _SCHEMA_LISTS | _SCHEMA_MAPS

    for schema in _inner(_load(path)):
        assert set() == schema.keys() - known


@pytest.mark.parametrize("path", _FILES, ids=_name)
def test_a_schema_holds_together(path: pathlib.Path) -> None:
    """References lead somewhere, required fields exist, patterns span the whole."""
    root = _load(path)

    for schema in _inner(root):
        if "$ref" in schema:
            assert schema["$ref"].removeprefix("#/$defs/") in root["$defs"]
        assert set(schema.get("required", [])) <= schema.get("properties", {}).keys()
        if "pattern" in schema and not schema["pattern"].startswith("[^"):
            assert re.fullmatch(r"\^.*\$", schema["pattern"])
    used = {s["$ref"] for s in _inner(root) if "$ref" in s}
    assert {f"#/$defs/{name}" for name in root["$defs"]} == used


def test_a_definition_means_the_same_everywhere() -> None:
    """What two schemas define under one name is the same in both."""
    seen: dict[str, object] = {}

    for path in _FILES:
        for name, definition in _load(path)["$defs"].items():
            assert seen.setdefault(name, definition) == definition


@pytest.mark.parametrize("kind", ["decision", "dead_letter"])
def test_a_published_record_has_all_its_fields_and_no_others(kind: str) -> None:
    """
    Decisions and dead letters are closed: every field is always there.

    But for fields that were added: the topics still hold records without them.
    """
    schema = schemas.schema(schemas.Kind(kind))
    added = {"dead_letter": ["place"]}.get(kind, [])

    assert schema["additionalProperties"] is False
    assert list(schema["properties"]) == [*schema["required"], *added]


_WORDS: list[tuple[str, str, type[enum.StrEnum]]] = [
    ("event", "properties.type", model.EventType),
    ("event", "properties.environment", model.Environment),
    ("begin", "properties.environment", model.Environment),
    ("begin", "properties.stage", model.BeginStage),
    ("decision", "properties.environment", model.Environment),
    ("decision", "properties.outcome", model.Outcome),
    ("decision", "properties.reason", model.Reason),
    ("decision", "properties.next_step", model.NextStep),
    ("decision", "properties.flags.items", model.Flag),
    ("decision", "properties.cause.properties.type", model.CauseType),
    ("dead_letter", "properties.reason", model.DeadLetterReason),
    ("ledger_session", "properties.hint", model.Outcome),
    ("ledger_session", "$defs.cause.properties.type", model.CauseType),
    ("ledger_session", "$defs.verdict.properties.is", model.Outcome),
    ("ledger_session", "$defs.verdict.properties.why", model.Reason),
    ("ledger_session", "$defs.verdict.properties.flags.items", model.Flag),
    ("ledger_session.v2", "properties.hint", model.Outcome),
]


@pytest.mark.parametrize(("kind", "place", "words"), _WORDS)
def test_an_enumeration_is_the_code_s_own(
    kind: str, place: str, words: type[enum.StrEnum]
) -> None:
    """A closed vocabulary has the same words in the schema and in the model."""
    found = schemas.schema(schemas.Kind(kind))
    for step in place.split("."):
        found = found[step]

    assert [word.value for word in words] == found["enum"]


def test_every_reason_belongs_to_an_outcome() -> None:
    """The reasons of the three outcomes together are all reasons, none left over."""
    rules = schemas.schema(schemas.Kind.DECISION)["allOf"]
    held = {
        rule["if"]["properties"]["outcome"]["const"]: rule["then"]["properties"]
        for rule in rules
        if "outcome" in rule["if"]["properties"]
    }
    reasons = [word for rule in held.values() for word in rule["reason"]["enum"]]

    assert set(model.Outcome) == held.keys()
    assert set(model.Reason) == set(reasons)
    # An operator may overrule in either direction; nothing else means two things.
    assert [w for w in set(reasons) if reasons.count(w) > 1] == ["manual_override"]


def test_every_error_s_reason_can_be_a_last_error() -> None:
    """The fixed word of every error fits a dead letter's ``last_error``."""
    pattern = schemas.schema(schemas.Kind.DEAD_LETTER)["$defs"]["error"]["pattern"]
    classes = [errors.KycError]
    for each in classes:
        classes += each.__subclasses__()

    assert [c.reason for c in classes if not re.fullmatch(pattern, c.reason)] == []
