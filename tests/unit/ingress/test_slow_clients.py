"""Clients that send slowly, or never read: what they may take, and who goes first."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from tests.unit.ingress import conftest, support
from worker import ingress, serving

_SIGNED = b"X-Verification-Signature: " + b"0" * 64 + b"\r\n"


def _head(path: str = "signed", length: int = 10, more: bytes = _SIGNED) -> bytes:
    return (
        f"POST /webhooks/{path} HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n"
    ).encode() + (more + b"\r\n")


def _whole(*, close: bool = True) -> bytes:
    """Return a good request."""
    signature = support.signed()[support.SCHEME.header].encode()
    more = b"X-Verification-Signature: %s\r\n" % signature
    more += b"Connection: close\r\n" if close else b""
    return _head(length=len(support.BODY), more=more) + support.BODY


@contextlib.asynccontextmanager
async def _connected(
    served: support.Served, sent: bytes = b""
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
    writer.write(sent)
    try:
        yield reader, writer
    finally:
        writer.transport.abort()


async def _until(served: support.Served, connections: int) -> None:
    """Wait until the ingress knows of so many connections."""
    async with asyncio.timeout(5):
        while served.ingress.connections != connections:  # noqa: ASYNC110 -- it tells nobody
            await asyncio.sleep(0.005)


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (_head(more=b""), b"401"),  # no signature
        (_head(more=b"X-Verification-Signature: zz\r\n"), b"401"),
        (_head("by_url/wrong"), b"401"),
        (_head("by_url"), b"401"),
        (_head("basic"), b"401"),
        (_head("inside"), b"401"),
        (_head("unknown"), b"404"),
        (_head().replace(b"POST", b"PUT"), b"405"),
        (_head(length=99_999_999), b"413"),
        (_head(more=_SIGNED + b"Content-Encoding: gzip\r\n"), b"415"),
    ],
)
async def test_what_the_head_decides(
    serve: conftest.Serve, head: bytes, status: bytes
) -> None:
    """Refused with no byte of the body there, and none of it asked for."""
    served = await serve(
        support.source(),
        support.url_source(),
        support.source(
            "basic",
            authenticators=frozenset({"basic", "hmac_body"}),
            basic_credentials=(b"user:password",),
        ),
        support.source(
            "inside",
            authenticators=frozenset({"ip_allow", "hmac_body"}),
            networks=conftest.networks("192.0.2.0/24"),
        ),
    )
    asking = head.replace(b"\r\n\r\n", b"\r\nExpect: 100-continue\r\n\r\n")

    async with _connected(served, asking) as (reader, _):
        line = await asyncio.wait_for(reader.readline(), 2)

    assert line.split()[1] == status
    assert served.ingress.buffered_bytes == 0
    assert served.observer.last.size_bytes is None


async def test_slow_bodies_do_not_refuse_the_others(serve: conftest.Serve) -> None:
    """More slow bodies than may be handled at once: a whole callback is still taken."""
    served = await serve(bounds=ingress.Limits(max_in_flight=2))
    async with contextlib.AsyncExitStack() as stack:
        for _ in range(10):
            await stack.enter_async_context(_connected(served, _head() + b"{"))
        await _until(served, 10)

        assert (await served.send()).status == 200


async def test_bodies_share_their_bytes(serve: conftest.Serve) -> None:
    """Past the bound the slowest is answered 503, and what comes later is taken."""
    bounds = ingress.Limits(connections=serving.Bounds(max_buffered_bytes=256 << 10))
    served = await serve(bounds=bounds)
    large = _head(length=100_000)
    async with (
        _connected(served, large + b" " * 60_000) as (first, _),
        _connected(served, large + b" " * 30_000) as (second, sending),
    ):
        async with asyncio.timeout(5):
            while served.ingress.buffered_bytes < 90_000:  # noqa: ASYNC110 -- as above
                await asyncio.sleep(0.005)
        sending.write(b" " * 60_000)
        line = await asyncio.wait_for(first.readline(), 2)
        sending.write(b" " * 10_000)
        other = await asyncio.wait_for(second.readline(), 2)

    assert line.split()[1] == b"503"
    assert other.split()[1] == b"401"  # it was read to its end
    assert served.observer.reports[0].result is ingress.Result.OVERLOADED


async def test_the_slowest_connection_makes_room(serve: conftest.Serve) -> None:
    """Past the bound the one whose request is awaited for longest is closed."""
    bounds = ingress.Limits(connections=serving.Bounds(max_connections=3))
    served = await serve(bounds=bounds)
    async with (
        _connected(served, _head() + b"{") as (slow, _),
        _connected(served),
        _connected(served),
    ):
        await _until(served, 3)
        reply = await served.raw(_whole())
        with contextlib.suppress(ConnectionError):
            assert await asyncio.wait_for(slow.read(), 2) == b""

    assert reply.startswith(b"HTTP/1.1 200 ")
    assert served.observer.closings == [serving.Closed.CROWDED_OUT]


async def test_what_is_being_handled_is_not_closed(serve: conftest.Serve) -> None:
    """Where every request is whole, the new connection is the one that goes."""
    bounds = ingress.Limits(connections=serving.Bounds(max_connections=1))
    served = await serve(bounds=bounds)
    served.sink.gate = asyncio.Event()
    async with _connected(served, _whole()) as (reader, _):
        await served.sink.entered.wait()
        async with _connected(served) as (new, _):
            with contextlib.suppress(ConnectionError):
                assert await asyncio.wait_for(new.read(), 2) == b""
        served.sink.gate.set()
        line = await asyncio.wait_for(reader.readline(), 2)

    assert line.split()[1] == b"200"


async def test_a_head_has_a_size(serve: conftest.Serve) -> None:
    """One that goes on for longer is malformed, however its lines are cut."""
    served = await serve()
    line = b"X-Filler: " + b"a" * 4000 + b"\r\n"

    reply = await asyncio.wait_for(
        served.raw(b"POST /webhooks/signed HTTP/1.1\r\n", *[line] * 12), 5
    )

    assert reply.split(b" ", 2)[1] == b"400"


class _LongAnswers:
    """Answers with more than the kernel takes for a client that does not read."""

    def takes(self, path: str) -> bool:
        """Return whether it is asked for."""
        return path == "/long"

    async def answer(self, request: web.BaseRequest) -> web.Response:
        """Answer, whatever is asked."""
        return web.Response(body=bytes(16 << 20), headers={"X-Path": request.path})


async def test_answers_have_to_be_read(serve: conftest.Serve) -> None:
    """A connection whose answer is not read is closed after the time for it."""
    bounds = ingress.Limits(connections=serving.Bounds(send_timeout_s=0.1))
    served = await serve(bounds=bounds, pages=_LongAnswers())
    async with _connected(served, b"GET /long HTTP/1.1\r\nHost: a\r\n\r\n"):
        await _until(served, 1)
        await _until(served, 0)

    assert served.observer.closings == [serving.Closed.UNREAD]


async def test_drain_ends_with_a_client_that_never_reads(
    serve: conftest.Serve,
) -> None:
    """Its connection is cut at the end of the drain, on every Python."""
    served = await serve(pages=_LongAnswers())
    asked = b"GET /long HTTP/1.1\r\nHost: a\r\n\r\n"
    async with _connected(served, asked) as (reader, _):
        await reader.readline()  # the answer has begun, and goes on no further

        await asyncio.wait_for(served.ingress.drain(0.5), 5)

        assert served.ingress.connections == 0


async def test_half_closed_after_the_request(serve: conftest.Serve) -> None:
    """A client that closes its side after a whole request gets its answer."""
    served = await serve()

    reply = await asyncio.wait_for(served.raw(_whole(close=False), end=True), 2)

    assert reply.startswith(b"HTTP/1.1 200 ")
    assert len(served.sink.events) == 1


async def test_half_closed_while_kafka_is_asked(serve: conftest.Serve) -> None:
    """Also where the answer comes later, and for all that was sent ahead."""
    served = await serve()
    served.sink.gate = asyncio.Event()
    replying = asyncio.ensure_future(
        served.raw(_whole(close=False) + _whole(close=False), end=True)
    )
    await served.sink.entered.wait()
    await asyncio.sleep(0.05)
    served.sink.gate.set()

    reply = await asyncio.wait_for(replying, 2)

    assert reply.count(b"HTTP/1.1 200 ") == 2
    await _until(served, 0)


@pytest.mark.parametrize("chunked", [False, True])
async def test_a_refusal_arrives(serve: conftest.Serve, *, chunked: bool) -> None:
    """A client that sends everything before it reads gets its 413, not a reset."""
    served = await serve()
    size = 8 << 20
    head = _head(length=size)
    body = b" " * size
    if chunked:
        head = head.replace(b"Content-Length: %d" % size, b"Transfer-Encoding: chunked")
        body = b"%x\r\n" % size + body

    reply = await asyncio.wait_for(served.raw(head, body), 10)

    assert reply.startswith(b"HTTP/1.1 413 ")


async def test_the_answer_to_what_is_no_http_arrives(serve: conftest.Serve) -> None:
    """Also where more of it is on its way."""
    served = await serve()

    reply = await asyncio.wait_for(
        served.raw(b"NOT HTTP AT ALL\r\n\r\n", b" " * (4 << 20)), 10
    )

    assert reply.split(b" ", 2)[1] == b"400"
