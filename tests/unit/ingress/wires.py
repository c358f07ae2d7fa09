"""Requests and connections that are slow, byte by byte."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from tests.unit.ingress import support

SIGNED = b"X-Verification-Signature: " + b"0" * 64 + b"\r\n"


def head(path: str = "signed", length: int = 10, more: bytes = SIGNED) -> bytes:
    """Return the head of a callback, signed as it looks."""
    return (
        f"POST /webhooks/{path} HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n"
    ).encode() + (more + b"\r\n")


def whole(*, close: bool = True) -> bytes:
    """Return a good request."""
    signature = support.signed()[support.SCHEME.header].encode()
    more = b"X-Verification-Signature: %s\r\n" % signature
    more += b"Connection: close\r\n" if close else b""
    return head(length=len(support.BODY), more=more) + support.BODY


@contextlib.asynccontextmanager
async def connected(
    served: support.Served, sent: bytes = b""
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """Connect, send *sent*, and cut the connection at the end."""
    reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
    writer.write(sent)
    try:
        yield reader, writer
    finally:
        writer.transport.abort()


async def until(served: support.Served, connections: int) -> None:
    """Wait until the ingress knows of so many connections."""
    async with asyncio.timeout(5):
        while served.ingress.listener.connections != connections:  # noqa: ASYNC110 -- it tells nobody
            await asyncio.sleep(0.005)
