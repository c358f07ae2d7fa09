"""Write a value as a compact object and back: short keys, defaults left out."""

import dataclasses
import enum
import operator
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from worker import errors
from worker.codec import fields, record

Made = TypeVar("Made")
_REQUIRED = object()


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class FieldCodec:
    """
    One field: where it is kept, as which JSON type, and how it is read and written.

    *read* gets a value of exactly *kind*; it raises KeyError or ValueError where that
    means nothing. Without *read* and *write* the value is kept as it is.
    """

    attribute: str
    key: str
    kind: type
    default: object = _REQUIRED
    read: Callable[[Any], object] | None = None
    write: Callable[[Any], object] | None = None

    @property
    def required(self) -> bool:
        """Return whether the field is always there."""
        return self.default is _REQUIRED


class StructCodec(Generic[Made]):
    """All fields of one kind of value."""

    def __init__(self, make: Callable[..., Made], *parts: FieldCodec) -> None:
        self._make = make
        self._written = [(part.key, part.default, part.write) for part in parts]
        self._by_key = {part.key: part for part in parts}
        self._held = operator.attrgetter(*(part.attribute for part in parts))
        self._required = tuple(part.key for part in parts if part.required)
        self._defaults = {
            part.attribute: part.default for part in parts if not part.required
        }

    def write(self, value: Made) -> fields.Document:
        """Return *value* as an object, less what is at its default."""
        written: fields.Document = {}
        for (key, default, write), held in zip(
            self._written, self._held(value), strict=True
        ):
            # Nearly all are at their default, and most of these are the very object.
            if held is not default and held != default:
                written[key] = held if write is None else write(held)
        return written

    def read(self, document: fields.Document) -> Made:
        """
        Return the value of *document*, all of whose fields we know.

        Raises errors.UnknownVersion for one we do not: writing it again would lose
        it. Raises MalformedRecord for a missing or wrong one.
        """
        return self._read(document, None)

    def read_open(self, document: fields.Document) -> Made:
        """Return the value of *document*, with what we do not know in ``extra``."""
        return self._read(document, {})

    def _read(self, document: fields.Document, extra: fields.Document | None) -> Made:
        made = self._defaults.copy()
        for key, value in document.items():
            part = self._by_key.get(key)
            if part is not None:
                made[part.attribute] = _value(part, value)
            elif extra is not None:
                extra[key] = value
            else:
                raise errors.UnknownVersion("an unknown field")
        for key in self._required:
            if key not in document:
                raise record.MalformedRecord(key)
        if extra:
            made["extra"] = extra
        return self._make(**made)


def _value(part: FieldCodec, value: object) -> object:
    if type(value) is not part.kind:
        raise record.MalformedRecord(part.key)
    if part.read is None:
        return value
    try:
        return part.read(value)
    except record.MalformedRecord:
        raise
    except (KeyError, ValueError):
        pass  # raised outside, without the value as its context
    raise record.MalformedRecord(part.key)


def number(attribute: str, key: str, default: object = _REQUIRED) -> FieldCodec:
    """Return a field that holds a whole number."""
    return FieldCodec(attribute=attribute, key=key, kind=int, default=default)


def text(attribute: str, key: str, default: object = _REQUIRED) -> FieldCodec:
    """Return a field that holds a text."""
    return FieldCodec(attribute=attribute, key=key, kind=str, default=default)


def word(
    attribute: str, key: str, words: type[enum.StrEnum], default: object = _REQUIRED
) -> FieldCodec:
    """Return a field that holds one of *words*."""
    read = {word.value: word for word in words}.__getitem__
    return FieldCodec(
        attribute=attribute, key=key, kind=str, default=default, read=read
    )


def rows(attribute: str, key: str, row: Callable[[Any], object]) -> FieldCodec:
    """Return a field that holds a list, each item read by *row*; empty by default."""

    def read(items: list[object]) -> tuple[object, ...]:
        return tuple(map(row, items))

    return FieldCodec(attribute=attribute, key=key, kind=list, default=(), read=read)


def nested(
    attribute: str, key: str, shape: "StructCodec[Any]", default: object = _REQUIRED
) -> FieldCodec:
    """Return a field that holds a value of *shape*."""
    return FieldCodec(
        attribute=attribute,
        key=key,
        kind=dict,
        default=default,
        read=shape.read,
        write=shape.write,
    )
