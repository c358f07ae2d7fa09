"""What the schemas' shared definitions let through, and what they do not."""

from typing import Any

import jsonschema
import pytest

from tests.support import schemas

_DEFINITIONS: dict[str, Any] = {
    name: definition
    for kind in schemas.Kind
    for name, definition in schemas.schema(kind)["$defs"].items()
}
_HEX = "0190b1de-0c1d-4f8e-9d57-00000000000a"
_LAST_MS = 253_402_300_799_999
_CAUSE = {"type": "poll"}
_VERDICT = {"is": "pending", "why": "in_progress"}

#: name: (fits, does not fit)
_TABLE: dict[str, tuple[list[Any], list[Any]]] = {
    "uuid": ([_HEX], [_HEX.upper(), _HEX[:-1], f"{_HEX}0", f"{_HEX}\n", "", 1, [_HEX]]),
    "uuid5": (
        ["c79c6a60-2ab0-50fc-9fe3-d30506dfdcc6"],
        [_HEX, "c79c6a60-2ab0-50fc-cfe3-d30506dfdcc6", 1, ["c79c"]],
    ),
    "time": (
        ["2026-11-21T10:10:10.123Z", "1970-01-01T00:00:00.000Z"],
        [
            "2026-11-21T10:10:10Z",
            "2026-11-21T10:10:10.123456Z",
            "2026-11-21T10:10:10.123+00:00",
            "2026-11-21t10:10:10.123z",
            "2026-11-21 10:10:10.123Z",
            "2026-00-21T10:10:10.123Z",
            "2026-11-32T10:10:10.123Z",
            "2026-11-21T24:10:10.123Z",
            "2026-11-21T10:60:10.123Z",
            "٢٠٢٦-11-21T10:10:10.123Z",
            "2026-11-21T10:10:10.123Z\n",
            1,
        ],
    ),
    "name": (
        ["a", "idnow_de", "a1_2", "a" * 31],
        ["", "A", "1a", "_a", "a_", "a__b", "a-b", "a\n", "a" * 32, 1, ["a"]],
    ),
    "identifier": (
        ["a", "!~", "TST-7KQZM", "a" * 255],
        ["", "a b", "a\n", "\x00", "\x7f", "ä", "\u212a", "a" * 256, 1, ["a"]],
    ),
    "word": (["unlisted", "a" * 128], ["", "a" * 129, 1, ["a"]]),
    "reference": (["customer-1", "ä" * 255], ["", "a" * 256, 1, ["a"]]),
    "sha256": (["0a" * 32], ["0A" * 32, "0a" * 31, "0a" * 33, 1, ["0a" * 32]]),
    "ms": ([0, _LAST_MS], [-1, _LAST_MS + 1, 0.5, "1", None]),
    "count": ([0, 2**60], [-1, 0.5, "1", None]),
    "counts": (
        [[["a", 0, 1]], [["a", 0, 1], ["b_1", 5, 2]]],
        [
            [],
            {},
            [[]],
            [{}],
            [["a", 0]],
            [["a", 0, 0]],
            [["a", 0, "1"]],
            [["a", -1, 1]],
            [["A", 0, 1]],
            [["a", 0, 1, 1]],
        ],
    ),
    "some": ([1, 2**60], [0, 0.5, "1", None]),
    "error": (
        ["timeout", "not_ready"],
        ["", "Timeout", "a b", "a\n", "a" * 41, 1, [""]],
    ),
    "command": (
        ["kyc-worker dlq redrive --source a --session B-1"],
        ["rm -rf", "kyc-worker", "kyc-worker a\nb", f"kyc-worker {'a' * 400}", 1, []],
    ),
    "place": (
        ["kyc.events:3:17", "kyc.events:3:17-29"],
        ["", "kyc.events", "kyc.events:3", "a:1:2\n", "a:1:2-", f"{'a' * 310}:1:2", 1],
    ),
    "since": ([0, -5, 2**60], [0.5, "1", None]),
    "since_or_null": ([0, -5, None], [0.5, "1"]),
    "listed": (
        [
            ["a", 0, 0],
            ["a", 0, 5, 1, 1, 2, 3, ["avf"]],
            ["a", 0, 5, 0, 0, None, 3],
        ],
        [
            [],
            ["a", 0],
            ["a b", 0, 0],
            ["a", -1, 0],
            ["a", 0, None],
            ["a", 0, 0, -1],
            ["a", 0, 0, 0, -1],
            ["a", 0, 0, 0, 0, "1"],
            ["a", 0, 0, 0, 0, 1, "1"],
            ["a", 0, 0, 0, 0, 1, 1, []],
            ["a", 0, 0, 0, 0, 1, 1, ["avf"], 1],
            "a",
        ],
    ),
    "coded": (
        [
            ["avf"],
            ["rdinr", "s", "d", 1, ["unconfirmed"]],
            ["pipw", None, None, None, ["likely_approved"]],
        ],
        [
            [],
            [None],
            ["aip"],
            ["pvf"],
            ["ravf"],
            ["avfx"],
            ["avf\n"],
            ["avf", ""],
            ["avf", "s", "d" * 129],
            ["avf", "s", "d", -1],
            ["avf", "s", "d", 1, []],
            ["avf", "s", "d", 1, ["unknown"]],
            ["avf", "s", "d", 1, ["unconfirmed", "unconfirmed"]],
            ["avf", "s", "d", 1, ["unconfirmed"], 1],
            "avf",
        ],
    ),
    "cause": (
        [_CAUSE, {"type": "callback", "event": "e", "received": 1, "trace": "t"}],
        [
            {},
            {"type": "unknown"},
            {**_CAUSE, "event": ""},
            {**_CAUSE, "received": "1"},
            {**_CAUSE, "trace": 1},
            {**_CAUSE, "trace": "a" * 256},
            {**_CAUSE, "more": 1},
            [],
        ],
    ),
    "verdict": (
        [
            _VERDICT,
            {"is": "approved", "why": "verified", "flags": ["data_changed"]},
            {"is": "rejected", "why": "fraud", "retryable": True, "next": "wait"},
            {**_VERDICT, "status": "s", "detail": "d", "said": 1},
        ],
        [
            {"is": "pending"},
            {"why": "in_progress"},
            {"is": "unknown", "why": "in_progress"},
            {"is": "approved", "why": "in_progress"},
            {"is": "rejected", "why": "in_progress"},
            {"is": "pending", "why": "verified"},
            {**_VERDICT, "retryable": False},
            {**_VERDICT, "next": "none"},
            {**_VERDICT, "flags": []},
            {**_VERDICT, "flags": "data_changed"},
            {**_VERDICT, "flags": ["unknown"]},
            {**_VERDICT, "flags": ["unconfirmed", "unconfirmed"]},
            {**_VERDICT, "status": ""},
            {**_VERDICT, "detail": ""},
            {**_VERDICT, "said": "1"},
            {**_VERDICT, "more": 1},
            [],
        ],
    ),
}


def _fits(name: str, value: object) -> bool:
    schema = {"$ref": f"#/$defs/{name}", "$defs": _DEFINITIONS}
    return jsonschema.Draft202012Validator(schema).is_valid(value)


def test_every_definition_is_tried() -> None:
    """No definition is without values that fit and values that do not."""
    assert _DEFINITIONS.keys() == _TABLE.keys()
    assert all(good and bad for good, bad in _TABLE.values())


@pytest.mark.parametrize(
    ("name", "value"), [(name, v) for name, row in _TABLE.items() for v in row[0]]
)
def test_a_value_fits(name: str, value: object) -> None:
    """What a definition describes is let through."""
    assert _fits(name, value)


@pytest.mark.parametrize(
    ("name", "value"), [(name, v) for name, row in _TABLE.items() for v in row[1]]
)
def test_another_value_does_not_fit(name: str, value: object) -> None:
    """What a definition does not describe is refused."""
    assert not _fits(name, value)
