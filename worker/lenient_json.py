"""
Read JSON that others wrote, even where a text in it holds half a surrogate pair.

Whoever cuts a text after so many UTF-16 units (JavaScript and Java do) may cut an emoji
in two and write one half as its escape, which no UTF-8 text can hold. A strict parser
refuses the whole document for it, mostly for a comment that is never read.
"""

import contextlib
import re

import orjson

#: What looks like a surrogate's escape, with the second half of its pair behind it.
_SURROGATE = re.compile(
    rb"\\u[dD](?:[89aAbB][0-9a-fA-F]{2}(?P<second>\\u[dD][c-fC-F][0-9a-fA-F]{2})"
    rb"|[89a-fA-F][0-9a-fA-F]{2})"
)
_REPLACEMENT = rb"\ufffd"
_PIECE_BYTES = 1024
#: Looked at in one document: a text is cut at its end, and most have no surrogate.
_MOST = 10_000


def loads(body: bytes) -> object:
    """
    Return what the JSON *body* is, None where it is none.

    Each half of a surrogate pair becomes U+FFFD: what is returned holds UTF-8 texts
    only. Everything else is refused as always: what is not UTF-8, NaN, numbers beyond
    a double, what is nested too deeply. The parser's own error, which holds the
    document, is dropped.
    """
    with contextlib.suppress(orjson.JSONDecodeError):
        return orjson.loads(body)
    if rb"\u" not in body:
        return None
    mended, found = _SURROGATE.subn(_sound, body, count=_MOST)
    if found:
        with contextlib.suppress(orjson.JSONDecodeError):
            return orjson.loads(mended)
    return None


def _sound(found: re.Match[bytes]) -> bytes:
    """Return what stands for the surrogates that *found* holds."""
    second = found["second"]
    if not _is_escaped(found.string, found.start()):
        return _REPLACEMENT if second is None else found[0]
    # The first backslash is a text's own, and so is the ``ud83d`` behind it.
    return found[0] if second is None else found[0][: -len(second)] + _REPLACEMENT


def _is_escaped(body: bytes, place: int) -> bool:
    """Return whether the backslash at *place* belongs to the one before it."""
    before, rest = place, b""
    while before and not rest:
        piece = body[max(before - _PIECE_BYTES, 0) : before]
        rest = piece.rstrip(b"\\")
        before -= len(piece) - len(rest)
    return (place - before) % 2 == 1
