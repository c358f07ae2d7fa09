"""Clients that send slowly, or never read: what they may take, and who goes first."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from tests.unit.ingress import conftest, support, wires
from worker import http_server, ingress


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (wires.head(more=b""), b"401"),  # no signature
        (wires.head(more=b"X-Verification-Signature: zz\r\n"), b"401"),
        (wires.head("by_url/wrong"), b"401"),
        (wires.head("by_url"), b"401"),
        (wires.head("basic"), b"401"),
        (wires.head("inside"), b"401"),
        (wires.head("unknown"), b"404"),
        (wires.head().replace(b"POST", b"PUT"), b"405"),
        (wires.head(length=99_999_999), b"413"),
        (wires.head(more=wires.SIGNED + b"Content-Encoding: gzip\r\n"), b"415"),
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

    async with wires.connected(served, asking) as (reader, _):
        line = await asyncio.wait_for(reader.readline(), 2)

    assert line.split()[1] == status
    assert served.ingress.listener.bodies.held_bytes == 0
    assert served.observer.last.size_bytes is None


@contextlib.asynccontextmanager
async def _strangers(served: support.Served, number: int) -> AsyncIterator[None]:
    """Hold so many connections on which nothing is sent."""
    async with contextlib.AsyncExitStack() as stack:
        for _ in range(number):
            await stack.enter_async_context(wires.connected(served))
        yield


async def test_slow_bodies_do_not_refuse_the_others(serve: conftest.Serve) -> None:
    """More slow bodies than may be handled at once: a whole callback is still taken."""
    served = await serve(bounds=ingress.Limits(max_in_flight=2))
    async with contextlib.AsyncExitStack() as stack:
        for _ in range(10):
            await stack.enter_async_context(
                wires.connected(served, wires.head() + b"{")
            )
        await wires.until(served, 10)

        assert (await served.send()).status == 200


async def test_bodies_share_their_bytes(serve: conftest.Serve) -> None:
    """Past the bound the slowest is answered 503, and what comes later is taken."""
    bounds = ingress.Limits(
        connections=http_server.ConnectionLimits(max_buffered_bytes=256 << 10)
    )
    served = await serve(bounds=bounds)
    large = wires.head(length=100_000)
    async with (
        wires.connected(served, large + b" " * 60_000) as (first, _),
        wires.connected(served, large + b" " * 30_000) as (second, sending),
    ):
        async with asyncio.timeout(5):
            while served.ingress.listener.bodies.held_bytes < 90_000:  # noqa: ASYNC110 -- as above
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
    bounds = ingress.Limits(connections=http_server.ConnectionLimits(max_connections=3))
    served = await serve(bounds=bounds)
    async with (
        wires.connected(served, wires.head() + b"{") as (slow, _),
        wires.connected(served),
        wires.connected(served),
    ):
        await wires.until(served, 3)
        reply = await served.raw(wires.whole())
        with contextlib.suppress(ConnectionError):
            assert await asyncio.wait_for(slow.read(), 2) == b""

    assert reply.startswith(b"HTTP/1.1 200 ")
    assert served.observer.closings == [http_server.CloseReason.CROWDED_OUT]


async def test_who_has_shown_a_secret_keeps_its_connection(
    serve: conftest.Serve,
) -> None:
    """Strangers make room for each other, and not a kept connection for them."""
    bounds = ingress.Limits(connections=http_server.ConnectionLimits(max_connections=3))
    served = await serve(bounds=bounds)
    async with wires.connected(served, wires.whole(close=False)) as (reader, writer):
        await asyncio.wait_for(reader.readuntil(b"}"), 2)
        async with _strangers(served, 5), asyncio.timeout(5):
            while len(served.observer.closings) < 3:  # noqa: ASYNC110 -- it tells nobody
                await asyncio.sleep(0.005)
            writer.write(wires.whole(close=False))
            line = await asyncio.wait_for(reader.readuntil(b"}"), 2)

    assert line.startswith(b"HTTP/1.1 200 ")
    assert served.observer.closings == [http_server.CloseReason.CROWDED_OUT] * 3


async def test_kept_connections_leave_room_for_new_ones(serve: conftest.Serve) -> None:
    """Past a half of all, of those who have shown a secret the slowest is closed."""
    bounds = ingress.Limits(connections=http_server.ConnectionLimits(max_connections=4))
    served = await serve(bounds=bounds)
    async with contextlib.AsyncExitStack() as stack:
        for _ in range(3):
            kept = wires.connected(served, wires.whole(close=False))
            reader, _ = await stack.enter_async_context(kept)
            await asyncio.wait_for(reader.readuntil(b"}"), 2)
        new, writer = await stack.enter_async_context(wires.connected(served))
        await wires.until(served, 4)
        reply = await asyncio.wait_for(served.raw(wires.whole()), 2)
        writer.write(wires.whole())
        line = await asyncio.wait_for(new.readline(), 2)

    assert reply.startswith(b"HTTP/1.1 200 ")
    assert line.startswith(b"HTTP/1.1 200 ")
    assert served.observer.closings == [http_server.CloseReason.CROWDED_OUT]


async def test_what_is_being_handled_is_not_closed(serve: conftest.Serve) -> None:
    """Where every request is whole, the new connection is the one that goes."""
    bounds = ingress.Limits(connections=http_server.ConnectionLimits(max_connections=1))
    served = await serve(bounds=bounds)
    served.sink.gate = asyncio.Event()
    async with wires.connected(served, wires.whole()) as (reader, _):
        await served.sink.entered.wait()
        async with wires.connected(served) as (new, _):
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


async def test_half_closed_after_the_request(serve: conftest.Serve) -> None:
    """A client that closes its side after a whole request gets its answer."""
    served = await serve()

    reply = await asyncio.wait_for(served.raw(wires.whole(close=False), end=True), 2)

    assert reply.startswith(b"HTTP/1.1 200 ")
    assert len(served.sink.events) == 1


async def test_half_closed_while_kafka_is_asked(serve: conftest.Serve) -> None:
    """Also where the answer comes later, and for all that was sent ahead."""
    served = await serve()
    served.sink.gate = asyncio.Event()
    replying = asyncio.ensure_future(
        served.raw(wires.whole(close=False) + wires.whole(close=False), end=True)
    )
    await served.sink.entered.wait()
    await asyncio.sleep(0.05)
    served.sink.gate.set()

    reply = await asyncio.wait_for(replying, 2)

    assert reply.count(b"HTTP/1.1 200 ") == 2
    await wires.until(served, 0)


@pytest.mark.parametrize("chunked", [False, True])
async def test_a_refusal_arrives(serve: conftest.Serve, *, chunked: bool) -> None:
    """A client that sends everything before it reads gets its 413, not a reset."""
    served = await serve()
    size = 8 << 20
    head = wires.head(length=size)
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
