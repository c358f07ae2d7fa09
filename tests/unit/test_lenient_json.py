"""JSON of others: half a surrogate pair in a text refuses no document."""

import json
import time

import hypothesis
import pytest
from hypothesis import strategies as st

from worker import lenient_json

_LOW, _HIGH = "\\ude00", "\\ud83d"


@pytest.mark.parametrize(
    ("text", "read"),
    [
        (f"cut {_HIGH}", "cut \ufffd"),
        (f"{_LOW} cut", "\ufffd cut"),
        (f"{_HIGH.upper().replace('U', 'u')} cut", "\ufffd cut"),
        (f"{_HIGH}{_LOW}", "\U0001f600"),
        (f"{_HIGH}{_HIGH}{_LOW}", "\ufffd\U0001f600"),
        (f"{_HIGH}{_LOW}{_LOW}", "\U0001f600\ufffd"),
        (f"{_LOW}{_HIGH}", "\ufffd\ufffd"),
        (f"{_HIGH}\\n{_LOW}", "\ufffd\n\ufffd"),
        (f"\\{_HIGH}", "\\ud83d"),
        (f"\\{_HIGH}{_LOW}", "\\ud83d\ufffd"),
        (f"\\\\{_HIGH}", "\\\ufffd"),
        (f"\\\\\\{_HIGH} {_HIGH}", "\\\\ud83d \ufffd"),
        (f"\u00e9{_HIGH}", "\u00e9\ufffd"),
    ],
)
def test_half_a_pair_is_replaced(text: str, read: str) -> None:
    """A lone half becomes U+FFFD, in a value as in a name, and nothing else changes."""
    document = f'{{"comment": "{text}", "result": "approved"}}'.encode()
    assert {"comment": read, "result": "approved"} == lenient_json.loads(document)
    assert {read: 1} == lenient_json.loads(f'{{"{text}": 1}}'.encode())


@pytest.mark.parametrize(
    "rest",
    [
        *(b'{"a": "\\ud83"}', b"{", b'{"a": NaN}', b'{"a": Infinity}', b'{"a": 1e999}'),
        *(b'{"a": "\xff"}', b"\xef\xbb\xbf{}", b"{} {}", b"\\"),
        b'{"a":' * 5_000 + b"1" + b"}" * 5_000,
    ],
)
def test_nothing_else_is_tolerated(rest: bytes) -> None:
    """What is no JSON for another reason is none, with half a pair in it or without."""
    assert lenient_json.loads(rest) is None
    assert lenient_json.loads(b"") is None
    assert lenient_json.loads(b'{"a": "\\ud83d", "b": ' + rest + b"}") is None


@pytest.mark.parametrize(
    "piece", [b"x", b"\\n", b"\\\\", b"\\ud83d", b"\\ud83d\\ude00", b"\\\\\\ud83d"]
)
def test_the_work_is_bounded(piece: bytes) -> None:
    """Whatever a mebibyte repeats, it is read or refused without a noticeable wait."""
    body = b'{"a": "\\ud83d' + piece * ((1 << 20) // len(piece)) + b'\\ud83d"'
    started = time.perf_counter()
    assert lenient_json.loads(body) is None
    # Backtracking over it would take hours.
    assert time.perf_counter() - started < 5


_ANY_TEXT = st.text(st.characters(codec=None), max_size=8)
_ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | _ANY_TEXT,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(_ANY_TEXT, inner, max_size=3)
    ),
    max_leaves=8,
)


@hypothesis.given(_ANY_JSON)
def test_whatever_python_writes_is_read(document: object) -> None:
    """Documents with any halves of pairs are read as they are, and are valid UTF-8."""
    written = json.dumps(document)
    # Two halves that were two characters become one when they are written.
    expected = json.loads(written.encode())
    assert _replaced(expected) == lenient_json.loads(written.encode())


def _replaced(value: object) -> object:
    match value:
        case str():
            return "".join(
                "\ufffd" if "\ud800" <= each <= "\udfff" else each for each in value
            )
        case list():
            return [_replaced(each) for each in value]
        case dict():
            return {_replaced(name): _replaced(each) for name, each in value.items()}
        case _:
            return value
