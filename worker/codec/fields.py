"""
Read a document's fields one by one, strictly: the right type or MalformedRecord.

What is refused is raised outside of ``except``: the error underneath quotes the
value, and would travel along as the context.
"""

import enum
import re
from typing import Any, TypeVar

import orjson

from worker import clock, errors
from worker.codec import record

#: The version of every value; a session in the ledger has another one beside it.
VERSION = 1

Document = dict[str, Any]
Word = TypeVar("Word", bound=enum.StrEnum)

_IDENTIFIER = re.compile(r"[!-~]{1,255}")
_NAME = re.compile(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)*")
_NAME_MAX = 31


def document(value: bytes | None) -> Document:
    """Return the one JSON object that *value* is."""
    try:
        parsed = orjson.loads(value or b"")
    except orjson.JSONDecodeError:
        parsed = None
    if not isinstance(parsed, dict):
        raise record.MalformedRecord("value")
    return parsed


def _held(fields: Document, name: str) -> Any:  # noqa: ANN401 -- what JSON may be
    """Return a field's value; a missing one is refused, null or not."""
    if name not in fields:
        raise record.MalformedRecord(name)
    return fields[name]


def check_version(fields: Document, name: str = "schema_version") -> None:
    """Raise errors.UnknownVersion unless *fields* are of the version we know."""
    version = whole(fields, name, least=1)
    if version != VERSION:
        raise errors.UnknownVersion(f"{name} {version}")


def text(fields: Document, name: str) -> str:
    """Return a text that is not empty."""
    value = fields.get(name)
    if not isinstance(value, str) or not value:
        raise record.MalformedRecord(name)
    return value


def text_or_none(fields: Document, name: str) -> str | None:
    """Return a text, or None where there is null."""
    value = _held(fields, name)
    if value is not None and not isinstance(value, str):
        raise record.MalformedRecord(name)
    return value


def identifier(fields: Document, name: str) -> str:
    """Return printable ASCII without spaces, 255 characters at most."""
    value = text(fields, name)
    if _IDENTIFIER.fullmatch(value) is None:
        raise record.MalformedRecord(name)
    return value


def identifier_or_none(fields: Document, name: str) -> str | None:
    """Return an identifier, or None where there is null."""
    return None if _held(fields, name) is None else identifier(fields, name)


def name_of(fields: Document, name: str) -> str:
    """Return what may be the name of a source or a provider."""
    value = text(fields, name)
    if len(value) > _NAME_MAX or _NAME.fullmatch(value) is None:
        raise record.MalformedRecord(name)
    return value


def whole(fields: Document, name: str, *, least: int = 0) -> int:
    """Return a whole number, *least* or more."""
    value = _held(fields, name)
    if type(value) is not int or value < least:
        raise record.MalformedRecord(name)
    return value


def boolean(fields: Document, name: str) -> bool:
    """Return true or false."""
    value = _held(fields, name)
    if not isinstance(value, bool):
        raise record.MalformedRecord(name)
    return value


def moment(fields: Document, name: str) -> int:
    """Return the milliseconds since the epoch of an RFC 3339 time."""
    spelt = text(fields, name)
    try:
        return clock.parse_rfc3339(spelt)
    except ValueError:
        pass
    raise record.MalformedRecord(name)


def moment_or_none(fields: Document, name: str) -> int | None:
    """Return a time, or None where there is null."""
    return None if _held(fields, name) is None else moment(fields, name)


def word(fields: Document, name: str, known: type[Word]) -> Word:
    """Return a word of a closed vocabulary."""
    spelt = text(fields, name)
    try:
        return known(spelt)
    except ValueError:
        pass
    raise record.MalformedRecord(name)


def words(fields: Document, name: str, known: type[Word]) -> tuple[Word, ...]:
    """Return a list of words of a closed vocabulary."""
    spelt = texts(fields, name)
    if not set(spelt) <= {word.value for word in known}:
        raise record.MalformedRecord(name)
    return tuple(map(known, spelt))


def texts(fields: Document, name: str) -> list[str]:
    """Return a list of texts."""
    value = _held(fields, name)
    if not isinstance(value, list) or not all(isinstance(v, str) for v in value):
        raise record.MalformedRecord(name)
    return value


def inner(fields: Document, name: str) -> Document:
    """Return an object inside of *fields*."""
    value = _held(fields, name)
    if not isinstance(value, dict):
        raise record.MalformedRecord(name)
    return value


def check_key(key: bytes | None, expected: str) -> None:
    """
    Raise MalformedRecord unless *key* is the one that the value names.

    The key picks the partition: under another one, two partitions would each keep
    a state of the same session.
    """
    if key != expected.encode():
        raise record.MalformedRecord("key")
