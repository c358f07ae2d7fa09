"""
Check what a caller passes on to id beyond, before it is sent.

The vendor's guide (seen 2026-11-21) has types and no bounds: the bounds are ours.
"""

import re
from collections.abc import Collection, Mapping
from typing import Any

from worker.providers import _start

METADATA = "metadata"
#: The documented fields that are ours to fill.
OURS = ("externalUserId", "returnUrl", "webhookUrl", "webhookSecret")

_KEY = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,39}")
_MOST_BYTES = 16 << 10
_KEYS_MAX = 50
_VALUE_MAX = 1000
_INTEGER_MAX = (1 << 53) - 1


def check(
    problems: _start.Problems,
    params: Mapping[str, Any],
    *,
    reserved: Collection[str | None],
) -> None:
    """
    Note every parameter that cannot be passed on.

    *reserved* are the keys of ``metadata`` that we fill. Fields that the guide does
    not have are passed on: "most integrations set" those that it has.
    """
    rules = {METADATA: _start.check_any, **dict.fromkeys(OURS, _ours)}
    names = problems.table(_start.PARAMS, params, rules)
    if not all(_start.check_name(name) for name in names):
        problems.add(_start.PARAMS, "holds a name that is no name of a field")
    if METADATA in params:
        _check_metadata(problems, params[METADATA], reserved)
    problems.bounded(params, _MOST_BYTES)


def unknown(params: Mapping[str, Any]) -> list[str]:
    """Return the names of the fields that are passed on unchecked."""
    return sorted(set(params) - {METADATA})


def _check_metadata(
    problems: _start.Problems, metadata: object, reserved: Collection[str | None]
) -> None:
    """Check what the caller wants back with the callbacks: short plain values."""
    where = f"{_start.PARAMS}.{METADATA}"
    if not isinstance(metadata, Mapping) or len(metadata) > _KEYS_MAX:
        problems.add(where, f"must be an object of at most {_KEYS_MAX} values")
        return
    for key, value in metadata.items():
        if not isinstance(key, str) or not _KEY.fullmatch(key):
            problems.add(where, "holds a key that is no plain name")
        elif key in reserved:
            problems.add(f"{where}.{key}", "is filled by us: leave it out")
        else:
            problems.check(f"{where}.{key}", value, _plain)


def _ours(value: object) -> str:  # noqa: ARG001 -- a rule
    return "is filled by us: leave it out"


def _plain(value: object) -> str | None:
    """Refuse what is neither a short text, an integer, nor true or false."""
    match value:
        case bool():
            return None
        case int() if abs(value) <= _INTEGER_MAX:
            return None
        case str() if len(value) <= _VALUE_MAX and value.isprintable():
            return None
        case _:
            return (
                f"must be a text of one line and at most {_VALUE_MAX} characters,"
                " an integer, true or false"
            )
