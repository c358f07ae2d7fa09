"""
Write the README's tables of settings: ``python -m tests.support.reference``.

Keys, types and defaults are the code's; the last column, what a setting means, is
the README's own and is kept.
"""

import enum
import pathlib
import re
import types as builtin_types
import typing
from collections.abc import Iterator, Mapping

import annotated_types
import pydantic
from pydantic.fields import FieldInfo

from worker import providers, settings
from worker.settings import sources, types

README = pathlib.Path(__file__).parents[2] / "README.md"
_SECTIONS: Mapping[str, type[types.Section]] = {
    "kafka": settings.Kafka,
    "ingress": settings.Ingress,
    "worker": settings.Worker,
    "ledger": settings.Ledger,
    "api": settings.Api,
    "returns": settings.Returns,
    "source": sources.Source,
    **{name: entry.settings_type for name, entry in providers.REGISTRY.items()},
}
_HEAD = "| key | type | default | meaning |\n| --- | --- | --- | --- |\n"
_TABLE = re.compile(r"(<!-- settings: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)
_ROW = re.compile(
    r"^\| `(?P<key>[^`]+)` \|(?:[^|]*\|){2} ?(?P<meaning>.*?) ?\|$", re.MULTILINE
)
_UNITS = (("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1))
_ZERO_TOO, _MORE = (
    typing.get_args(each)[1].func for each in (types.DurationMs, types.PositiveMs)
)


class Row(typing.NamedTuple):
    """What the code knows of one setting."""

    key: str
    type: str
    default: str


def rewritten(text: str) -> str:
    """Return *text* with every table of settings as the code has it."""
    return _TABLE.sub(_table, text)


def tables(text: str) -> dict[str, dict[str, str]]:
    """Return the meaning of each key, by table, as *text* tells it."""
    return {
        match[2]: {row["key"]: row["meaning"] for row in _ROW.finditer(match[0])}
        for match in _TABLE.finditer(text)
    }


def names() -> set[str]:
    """Return what tables there must be."""
    return set(_SECTIONS)


def rows(name: str) -> Iterator[Row]:
    """Yield the settings of the table *name*; of a provider, those of its own."""
    section = _SECTIONS[name]
    common = sources.Source.model_fields if name in providers.REGISTRY else {}
    # One says which table it is, the other has a default with every provider.
    passed = "provider" if name in providers.REGISTRY else "base_url"
    for key, field in section.model_fields.items():
        if key != passed and (key not in common or _told(field) != _told(common[key])):
            yield from _rows(key, field, section)


def _rows(key: str, field: FieldInfo, section: type[types.Section]) -> Iterator[Row]:
    inner = field.annotation
    if typing.get_origin(inner) is tuple:  # a list of tables is told as one of them
        inner = typing.get_args(inner)[0]
    if isinstance(inner, type) and issubclass(inner, types.Section):
        for name, each in inner.model_fields.items():
            yield from _rows(f"{key}.{name}", each, inner)
        return
    default = field.default
    if section is settings.Kafka:  # some of its defaults follow from others
        default = getattr(settings.Kafka(), key)
    yield Row(key, _type(field.annotation, field.metadata), _default(default, field))


def _table(match: re.Match[str]) -> str:
    meanings = {row["key"]: row["meaning"] for row in _ROW.finditer(match[0])}
    lines = "".join(
        f"| `{row.key}` | {row.type} | {row.default} | {meanings.get(row.key, '')} |\n"
        for row in rows(match[2])
    )
    return f"{match[1]}{_HEAD}{lines}{match[3]}"


def _told(field: FieldInfo) -> tuple[object, object]:
    return field.annotation, field.default


def _type(  # noqa: PLR0911 -- one for each kind
    annotation: object, metadata: typing.Sequence[object] = ()
) -> str:
    if (duration := _duration(metadata)) is not None:
        return duration
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Annotated:
        return _type(arguments[0], arguments[1:])
    if origin is typing.Literal:
        return ", ".join(f"`{each}`" for each in arguments)
    if origin in {typing.Union, builtin_types.UnionType}:
        held = [each for each in arguments if each is not type(None)]
        if typing.get_origin(held[0]) is typing.Literal:
            return " or ".join(map(_type, held))
        return "network" if len(held) > 1 else _type(held[0], metadata)
    if origin is tuple:
        return f"list of {_type(arguments[0])}"
    if origin is not None:
        return "table of text"
    return _plain_type(annotation, metadata)


def _plain_type(annotation: object, metadata: typing.Sequence[object]) -> str:
    if isinstance(annotation, type) and issubclass(annotation, enum.StrEnum):
        return ", ".join(f"`{each}`" for each in annotation)
    words: Mapping[object, str] = {
        bool: "boolean",
        int: "integer",
        float: "number",
        str: "text",
        types.Secret: "secret",
    }
    return words[annotation] + _bounds(metadata)


def _duration(metadata: typing.Sequence[object]) -> str | None:
    for each in metadata:
        if isinstance(each, pydantic.BeforeValidator):
            if each.func is _ZERO_TOO:
                return "duration"
            if each.func is _MORE:
                return "duration over 0"
    return None


def _bounds(metadata: typing.Sequence[object]) -> str:
    words = {"ge": "from", "gt": "over", "le": "to"}
    found: dict[str, object] = {}
    for each in _flat(metadata):
        for name in words:
            if isinstance(each, annotated_types.BaseMetadata) and hasattr(each, name):
                found[name] = getattr(each, name)
    return "".join(f" {words[name]} {found[name]}" for name in words if name in found)


def _flat(metadata: typing.Sequence[object]) -> Iterator[object]:
    for each in metadata:
        if isinstance(each, FieldInfo):
            yield from each.metadata
        else:
            yield each


def _default(default: object, field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    return "none" if default is None else f"`{_value(default, field)}`"


def _value(value: object, field: FieldInfo) -> str:
    duration = "duration" in _type(field.annotation, field.metadata)
    match value:
        case bool():
            return str(value).lower()
        case int() if duration:
            return _quoted(_spelt(value))
        case tuple():
            texts = (_spelt(each) if duration else str(each) for each in value)
            return f"[{', '.join(map(_quoted, texts))}]"
        case Mapping():
            pairs = (f"{key} = {_quoted(each)}" for key, each in value.items())
            return f"{{ {', '.join(pairs)} }}"
        case _:
            return _quoted(value) if isinstance(value, str) else str(value)


def _quoted(text: object) -> str:
    return f'"{text}"'


def _spelt(milliseconds: int) -> str:
    """Return a duration as one would write it: the longest unit that divides it."""
    unit, length = next(each for each in _UNITS if milliseconds % each[1] == 0)
    return f"{milliseconds // length}{unit}"


if __name__ == "__main__":
    README.write_text(rewritten(README.read_text()))
