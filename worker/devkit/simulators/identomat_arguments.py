"""
Judge the arguments of a begin call as Identomat's guide has them.

Arguments may come in a query or a form too: then objects are JSON texts.
"""

from collections.abc import Mapping
from typing import Any

import orjson

_TEXTS = frozenset({"return_url", "language"})
_LISTS = frozenset({"document_types", "document_countries", "general_document_types"})
_ELSEWHERE = "allow_ skip_ require_ disable_ capture_"


def wrong(given: Mapping[str, Any]) -> list[str]:
    """Return the names of the arguments and flags that have a wrong type."""
    flags, steps = _read(given.get("flags", {})), _read(given.get("steps", []))
    found = [
        name
        for name, value, kind in (
            ("flags", flags, dict),
            ("steps", steps, list),
            ("config_id", given.get("config_id", ""), str),
        )
        if not isinstance(value, kind)
    ]
    for name, value in flags.items() if isinstance(flags, dict) else ():
        if not isinstance(value, _kind(name)):
            found.append(f"flags.{name}")
    return found


def _kind(flag: str) -> type:
    """Return the type of a flag; every other that is known is true or false."""
    if flag in _TEXTS:
        return str
    if flag in _LISTS:
        return list
    known = flag == "liveness" or flag.startswith(tuple(_ELSEWHERE.split()))
    return bool if known else object


def return_url(given: Mapping[str, Any]) -> str | None:
    """Return where the person goes in the end; None means to embed in an iframe."""
    flags = _read(given.get("flags", {}))
    return flags.get("return_url") if isinstance(flags, dict) else None


def _read(value: object) -> object:
    """Return what a text of a query or a form stands for."""
    if not isinstance(value, str):
        return value
    try:
        return orjson.loads(value)
    except orjson.JSONDecodeError:
        return value
