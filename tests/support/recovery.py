"""Say how long a fault was felt, and keep the figures for whoever quotes them."""

import pathlib
from collections.abc import Mapping

import orjson

from tests.chaos import checker, reading

_PATH = pathlib.Path("build/recovery.json")


def figures(
    found: reading.Read,
    expected: Mapping[reading.Key, checker.Expected],
    *,
    fault_ms: int,
    over_ms: int,
) -> dict[str, float]:
    """
    Return seconds, by the times at which the brokers took the decisions.

    Of the sessions begun while the fault lasted (``fault``): how long after its begin
    the first was decided, the longest that one waited from its first callback on, and
    how long after its begin all were decided.
    """
    decided = {
        key: max(each.place.at_ms for each in history)
        for key, history in found.decisions.items()
    }
    felt = {
        key: decided[key] - session.begun_ms
        for key, session in expected.items()
        if fault_ms <= session.begun_ms <= over_ms and key in decided
    }
    ends = [decided[key] - fault_ms for key in felt]
    in_ms = {
        "fault": over_ms - fault_ms,
        "first": min(ends, default=0),
        "longest": max(felt.values(), default=0),
        "all": max(ends, default=0),
    }
    return {name: round(ms / 1000, 2) for name, ms in in_ms.items()}


def record(name: str, length: str, result: Mapping[str, float]) -> None:
    """Print the figures of *name*, and put them into ``build/recovery.json``."""
    _PATH.parent.mkdir(exist_ok=True)
    held = orjson.loads(_PATH.read_bytes()) if _PATH.exists() else {}
    held.setdefault(length, {})[name] = dict(result)
    _PATH.write_bytes(
        orjson.dumps(held, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS)
    )
    line = ", ".join(f"{what} {seconds:.1f} s" for what, seconds in result.items())
    print(f"\n{name} ({length}): {line}")  # noqa: T201 -- the figures of `make faults`
