"""Write a body anew, whose key was taken out."""

import contextlib
from typing import Any

import orjson

from worker import errors


def without_key(document: dict[str, Any]) -> bytes:
    """
    Return the bytes that stand for a document whose body key was taken out.

    Raises errors.MalformedBody where it is nested too deeply to be written.
    """
    with contextlib.suppress(TypeError):  # orjson.JSONEncodeError is one
        return orjson.dumps(document)
    raise errors.MalformedBody("nested too deeply")
