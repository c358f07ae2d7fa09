"""Read a body within its bounds, and parse it, once."""

import asyncio
import contextlib
import enum
from typing import Any

import aiohttp
import orjson
from aiohttp import hdrs, http_exceptions, web

from worker import errors, lenient_json
from worker.http_server import body_budget, connection

_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class BodyFault(enum.StrEnum):
    """Why a request's body cannot be read."""

    TOO_LARGE = "too_large"
    ENCODED = "encoded"
    TIMED_OUT = "timed_out"
    ABORTED = "aborted"
    MALFORMED_REQUEST = "malformed_request"
    #: there is no room for it now, which is no fault of its sender
    OVERLOADED = "overloaded"


class BodyReadError(Exception):
    """A body that cannot be read, because of *fault*."""

    def __init__(self, fault: BodyFault) -> None:
        super().__init__(fault.value)
        self.fault = fault


def check_head(request: web.BaseRequest, limit_bytes: int) -> None:
    """
    Refuse by the head what need not be read: too long, or in an encoding.

    A signature covers the bytes on the wire, so nothing is ever decompressed.
    Raises Unreadable.
    """
    length = request.content_length
    if length is not None and length > limit_bytes:
        raise BodyReadError(BodyFault.TOO_LARGE)
    for encoding in request.headers.getall(hdrs.CONTENT_ENCODING, ()):
        if encoding.strip().lower() not in ("", "identity"):
            raise BodyReadError(BodyFault.ENCODED)


async def read(
    request: web.BaseRequest,
    *,
    limit_bytes: int,
    timeout_s: float,
    into: body_budget.Body,
) -> bytes:
    """
    Return the whole body as it came, counted by *into*.

    Raises Unreadable where it is too long, too slow, breaks off, is encoded, or has
    to make room.
    """
    check_head(request, limit_bytes)
    try:
        if request.content.is_eof():  # all here already: no timer is needed
            body = await _collect(request.content, limit_bytes, into)
        else:
            async with asyncio.timeout(timeout_s) as deadline:
                into.ends_at(deadline)
                await _send_continue(request)
                body = await _collect(request.content, limit_bytes, into)
    except TimeoutError:
        fault = BodyFault.OVERLOADED if into.evicted else BodyFault.TIMED_OUT
    except body_budget.BodyEvicted:
        fault = BodyFault.OVERLOADED
    except OSError:
        fault = BodyFault.ABORTED
    except (
        web.RequestPayloadError,
        aiohttp.ClientPayloadError,
        http_exceptions.HttpProcessingError,
    ):
        fault = BodyFault.MALFORMED_REQUEST
    else:
        into.complete()
        if isinstance(request.protocol, connection.Connection):
            request.protocol.arrived()
        return body
    # Raised here and not above: the lower exception quotes what was sent.
    raise BodyReadError(fault)


async def _send_continue(request: web.BaseRequest) -> None:
    """Let a client that asked first (``Expect: 100-continue``) send its body."""
    asked = request.headers.get(hdrs.EXPECT, "").lower() == "100-continue"
    if asked and request.version >= aiohttp.HttpVersion11:
        await request.writer.write(_CONTINUE)
        # The answer proper has not begun.
        request.writer.output_size = 0


async def _collect(
    content: aiohttp.StreamReader, limit_bytes: int, into: body_budget.Body
) -> bytes:
    """Return all of *content*, at most *limit_bytes*."""
    body = await content.readany()
    into.count(len(body))
    if not content.at_eof():
        pieces = bytearray(body)
        while len(pieces) <= limit_bytes and (piece := await content.readany()):
            into.count(len(piece))
            pieces += piece
        body = bytes(pieces)
    if len(body) > limit_bytes:
        raise BodyReadError(BodyFault.TOO_LARGE)
    return body


def parse(body: bytes) -> dict[str, Any]:
    """
    Return the one JSON object that *body* is; of repeated keys the last counts.

    Raises errors.MalformedBody: not UTF-8, empty, nested too deeply, NaN, a number
    beyond a double, half a surrogate pair, another JSON value, or more than one.
    """
    document: Any = None
    with contextlib.suppress(orjson.JSONDecodeError):
        document = orjson.loads(body)
    return _object(document)


def parse_foreign(body: bytes) -> dict[str, Any]:
    """
    Return the one JSON object that *body* is, with U+FFFD for half a surrogate pair.

    For bodies of a provider, which cannot be asked to write them better. Raises
    errors.MalformedBody as ``parse`` does for everything else.
    """
    return _object(lenient_json.loads(body))


def _object(document: Any) -> dict[str, Any]:  # noqa: ANN401 -- whatever was parsed
    # Raised outside of a handler: the parser's own error holds the document.
    if not isinstance(document, dict):
        raise errors.MalformedBody("not one JSON object")
    return document
