"""Write tables as TOML, which the standard library only reads."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

import orjson


def dumps(document: Mapping[str, Any]) -> str:
    """Return *document* as TOML; whatever is below the second level is inline."""
    lines: list[str] = []
    for name, table in document.items():
        nested = {key: v for key, v in table.items() if isinstance(v, Mapping)}
        if set(nested) == set(table):
            for inner, rows in nested.items():
                lines += _section(f"{_text(name)}.{_text(inner)}", rows)
        else:
            lines += _section(_text(name), table)
    return "\n".join(lines) + "\n"


def _section(title: str, table: Mapping[str, Any]) -> list[str]:
    rows = [f"{_text(key)} = {_value(value)}" for key, value in table.items()]
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
            pairs = (f"{_text(key)} = {_value(inner)}" for key, inner in value.items())
            return f"{{{', '.join(pairs)}}}"
        case _:
            return _text(str(value))


def _text(text: str) -> str:
    """Return a basic string: JSON's escapes are among TOML's, which has one more."""
    return orjson.dumps(text).decode().replace("\x7f", "\\u007f")
