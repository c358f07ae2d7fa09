"""Parse a body, once."""

import contextlib
from typing import Any

import orjson

from worker import errors


def parse(body: bytes) -> dict[str, Any]:
    """
    Return the one JSON object that *body* is; of repeated keys the last counts.

    Raises errors.MalformedBody: not UTF-8, empty, nested too deeply, NaN, a number
    beyond a double, another JSON value, or more than one.
    """
    document: Any = None
    with contextlib.suppress(orjson.JSONDecodeError):
        document = orjson.loads(body)
    # Raised outside of the handler: the parser's own error holds the document.
    if not isinstance(document, dict):
        raise errors.MalformedBody("not one JSON object")
    return document


def without_key(document: dict[str, Any]) -> bytes:
    """
    Return the bytes that stand for a document whose body key was taken out.

    Raises errors.MalformedBody where it is nested too deeply to be written.
    """
    with contextlib.suppress(TypeError):  # orjson.JSONEncodeError is one
        return orjson.dumps(document)
    raise errors.MalformedBody("nested too deeply")
