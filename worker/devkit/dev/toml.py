"""Write tables as TOML, which the standard library only reads."""

import datetime as dt
import re
from collections.abc import Mapping
from typing import Any

import orjson

_BARE = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)


def dumps(document: Mapping[str, Any]) -> str:
    """Return *document* as TOML; whatever is below the second level is inline."""
    lines: list[str] = []
    for name, table in document.items():
        nested = {key: v for key, v in table.items() if isinstance(v, Mapping)}
        if set(nested) == set(table):
            for inner, rows in nested.items():
                lines += _section(f"{_key(name)}.{_key(inner)}", rows)
        else:
            lines += _section(_key(name), table)
    return "\n".join(lines) + "\n"


def _section(title: str, table: Mapping[str, Any]) -> list[str]:
    rows = [f"{_key(key)} = {_value(value)}" for key, value in table.items()]
    return [f"[{title}]", *rows, ""]


def _value(value: object) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case int() | float():
            return repr(value)
        case dt.date() | dt.time():
            return value.isoformat()
        case list() | tuple():
            return f"[{', '.join(map(_value, value))}]"
        case Mapping():
            pairs = (f"{_key(key)} = {_value(inner)}" for key, inner in value.items())
            return f"{{{', '.join(pairs)}}}"
        case _:
            return _text(str(value))


def _key(name: str) -> str:
    return name if _BARE.fullmatch(name) else _text(name)


def _text(text: str) -> str:
    """Return a basic string: JSON's escapes are among TOML's, which has one more."""
    return orjson.dumps(text).decode().replace("\x7f", "\\u007f")
