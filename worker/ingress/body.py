"""Read a body within its bounds, and parse it once."""

import asyncio
import contextlib
from typing import Any

import aiohttp
import orjson
from aiohttp import hdrs, http_exceptions, web

from worker import errors
from worker.ingress import answers

_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


def check_head(request: web.BaseRequest, limit_bytes: int) -> None:
    """
    Refuse by the head what need not be read: too long, or in an encoding.

    A signature covers the bytes on the wire, so nothing is ever decompressed.
    Raises answers.Refusal.
    """
    length = request.content_length
    if length is not None and length > limit_bytes:
        raise answers.Refusal(answers.Result.TOO_LARGE)
    for encoding in request.headers.getall(hdrs.CONTENT_ENCODING, ()):
        if encoding.strip().lower() not in ("", "identity"):
            raise answers.Refusal(answers.Result.ENCODED)


async def read(
    request: web.BaseRequest, *, limit_bytes: int, timeout_s: float
) -> bytes:
    """
    Return the whole body as it came.

    Raises answers.Refusal where it is too long, too slow or breaks off.
    """
    try:
        if request.content.is_eof():  # all here already: no timer is needed
            return await _collect(request.content, limit_bytes)
        async with asyncio.timeout(timeout_s):
            await _invite(request)
            return await _collect(request.content, limit_bytes)
    except TimeoutError:
        result = answers.Result.TIMED_OUT
    except OSError:
        result = answers.Result.ABORTED
    except (
        web.RequestPayloadError,
        aiohttp.ClientPayloadError,
        http_exceptions.HttpProcessingError,
    ):
        result = answers.Result.MALFORMED_REQUEST
    # Raised here and not above: the lower exception quotes what was sent.
    raise answers.Refusal(result)


async def _invite(request: web.BaseRequest) -> None:
    """Let a client that asked first (``Expect: 100-continue``) send its body."""
    asked = request.headers.get(hdrs.EXPECT, "").lower() == "100-continue"
    if asked and request.version >= aiohttp.HttpVersion11:
        await request.writer.write(_CONTINUE)
        # The answer proper has not begun.
        request.writer.output_size = 0


async def _collect(content: aiohttp.StreamReader, limit_bytes: int) -> bytes:
    """Return all of *content*, at most *limit_bytes*."""
    body = await content.readany()
    if not content.at_eof():
        pieces = bytearray(body)
        while len(pieces) <= limit_bytes and (piece := await content.readany()):
            pieces += piece
        body = bytes(pieces)
    if len(body) > limit_bytes:
        raise answers.Refusal(answers.Result.TOO_LARGE)
    return body


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
