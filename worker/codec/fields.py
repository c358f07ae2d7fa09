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

Document = dict[str, Any]
Word = TypeVar("Word", bound=enum.StrEnum)

#: The longest text of each kind, in characters, as ``schemas/`` has it.
IDENTIFIER_MAX = 255
REFERENCE_MAX = 255
WORD_MAX = 128
NAME_MAX = 31
#: The most fields of an event's claim.
CLAIM_MAX = 32
#: The largest whole number that every JSON reader keeps as it is.
WHOLE_MAX = 2**53 - 1
#: An RFC 3339 time with every digit of its fraction that anybody writes.
_TIME_MAX = 64

_IDENTIFIER = re.compile(r"[!-~]+")
_NAME = re.compile(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)*")
_DIGEST = re.compile(r"[0-9a-f]{64}")


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


def check_version(fields: Document, known: int, name: str = "schema_version") -> None:
    """Raise errors.UnknownVersion unless *fields* are of the version *known*."""
    version = integer(fields, name, least=1)
    if version != known:
        raise errors.UnknownVersion(f"{name} {version}")


def text(fields: Document, name: str, *, most: int) -> str:
    """Return a text that is not empty, of *most* characters at most."""
    value = fields.get(name)
    if not isinstance(value, str) or not value:
        raise record.MalformedRecord(name)
    if len(value) > most:
        raise record.FieldTooLong(name)
    return value


def text_or_none(fields: Document, name: str, *, most: int) -> str | None:
    """Return a text of *most* characters at most, or None where there is null."""
    value = _held(fields, name)
    if value is not None and not isinstance(value, str):
        raise record.MalformedRecord(name)
    if value is not None and len(value) > most:
        raise record.FieldTooLong(name)
    return value


def identifier(fields: Document, name: str) -> str:
    """Return printable ASCII without spaces, 255 characters at most."""
    value = text(fields, name, most=IDENTIFIER_MAX)
    if _IDENTIFIER.fullmatch(value) is None:
        raise record.MalformedRecord(name)
    return value


def identifier_or_none(fields: Document, name: str) -> str | None:
    """Return an identifier, or None where there is null."""
    return None if _held(fields, name) is None else identifier(fields, name)


def name_of(fields: Document, name: str) -> str:
    """Return what may be the name of a source or a provider."""
    value = text(fields, name, most=NAME_MAX)
    if _NAME.fullmatch(value) is None:
        raise record.MalformedRecord(name)
    return value


def digest_or_none(fields: Document, name: str) -> str | None:
    """Return a SHA-256 in hex, or None where there is null."""
    value = text_or_none(fields, name, most=64)
    if value is not None and _DIGEST.fullmatch(value) is None:
        raise record.MalformedRecord(name)
    return value


def integer(fields: Document, name: str, *, least: int = 0) -> int:
    """Return a whole number, *least* or more, that every reader keeps as it is."""
    value = _held(fields, name)
    if type(value) is not int or not least <= value <= WHOLE_MAX:
        raise record.MalformedRecord(name)
    return value


def boolean(fields: Document, name: str) -> bool:
    """Return true or false."""
    value = _held(fields, name)
    if not isinstance(value, bool):
        raise record.MalformedRecord(name)
    return value


def timestamp(fields: Document, name: str) -> int:
    """Return the milliseconds since the epoch of an RFC 3339 time."""
    spelt = text(fields, name, most=_TIME_MAX)
    try:
        return clock.parse_rfc3339(spelt)
    except ValueError:
        pass
    raise record.MalformedRecord(name)


def moment_or_none(fields: Document, name: str) -> int | None:
    """Return a time, or None where there is null."""
    return None if _held(fields, name) is None else timestamp(fields, name)


def enum_value(fields: Document, name: str, known: type[Word]) -> Word:
    """Return a word of a closed vocabulary."""
    spelt = text(fields, name, most=WORD_MAX)
    try:
        return known(spelt)
    except ValueError:
        pass
    raise record.MalformedRecord(name)


def words(fields: Document, name: str, known: type[Word]) -> tuple[Word, ...]:
    """Return a list of words of a closed vocabulary, each of them once at most."""
    spelt = texts(fields, name, most=len(known))
    if not set(spelt) <= {word.value for word in known}:
        raise record.MalformedRecord(name)
    return tuple(map(known, spelt))


def texts(fields: Document, name: str, *, most: int) -> list[str]:
    """Return a list of *most* words at most."""
    value = _held(fields, name)
    if not isinstance(value, list) or not all(isinstance(v, str) for v in value):
        raise record.MalformedRecord(name)
    if len(value) > most or any(len(v) > WORD_MAX for v in value):
        raise record.FieldTooLong(name)
    return value


def nested_object(fields: Document, name: str) -> Document:
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
