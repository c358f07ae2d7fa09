"""Clients that never read, or send what is dropped: they hold no place for long."""

import asyncio

from aiohttp import web

from tests.unit.ingress import conftest, wires
from worker import http_server, ingress


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
    bounds = ingress.Limits(
        connections=http_server.ConnectionLimits(send_timeout_s=0.1)
    )
    served = await serve(bounds=bounds, pages=_LongAnswers())
    async with wires.connected(served, b"GET /long HTTP/1.1\r\nHost: a\r\n\r\n"):
        await wires.until(served, 1)
        await wires.until(served, 0)

    assert served.observer.closings == [http_server.CloseReason.UNREAD]


async def test_unread_answers_make_room(serve: conftest.Serve) -> None:
    """Those who read nothing hold no place that a callback needs."""
    bounds = ingress.Limits(connections=http_server.ConnectionLimits(max_connections=2))
    served = await serve(bounds=bounds, pages=_LongAnswers())
    asked = b"GET /long HTTP/1.1\r\nHost: a\r\n\r\n"
    async with (
        wires.connected(served, asked) as (first, _),
        wires.connected(served, asked) as (second, _),
    ):
        await first.readline()
        await second.readline()

        reply = await asyncio.wait_for(served.raw(wires.whole()), 5)

    assert reply.startswith(b"HTTP/1.1 200 ")
    assert served.observer.closings == [http_server.CloseReason.CROWDED_OUT]


async def test_an_answer_sent_ahead_of_is_unread_as_well(
    serve: conftest.Serve,
) -> None:
    """A request that follows on the connection does not make it worth more."""
    bounds = ingress.Limits(connections=http_server.ConnectionLimits(max_connections=1))
    served = await serve(bounds=bounds, pages=_LongAnswers())
    asked = b"GET /long HTTP/1.1\r\nHost: a\r\n\r\n"
    async with wires.connected(served, asked * 3) as (first, _):
        await first.readline()

        reply = await asyncio.wait_for(served.raw(wires.whole()), 5)

    assert reply.startswith(b"HTTP/1.1 200 ")


async def test_what_is_dropped_makes_room(serve: conftest.Serve) -> None:
    """A refused client that sends on holds no place, either."""
    bounds = ingress.Limits(connections=http_server.ConnectionLimits(max_connections=1))
    served = await serve(bounds=bounds)
    async with wires.connected(served, b"NOT HTTP AT ALL\r\n\r\n") as (refused, _):
        await refused.readline()

        reply = await asyncio.wait_for(served.raw(wires.whole()), 1)

    assert reply.startswith(b"HTTP/1.1 200 ")
    assert served.observer.closings == [http_server.CloseReason.CROWDED_OUT]


async def test_an_answer_that_is_read_goes_on(serve: conftest.Serve) -> None:
    """Reading late takes its place away only where the place is needed."""
    bounds = ingress.Limits(connections=http_server.ConnectionLimits(max_connections=2))
    served = await serve(bounds=bounds, pages=_LongAnswers())
    asked = b"GET /long HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
    async with wires.connected(served, asked) as (reader, _):
        await reader.readline()
        assert (await served.raw(wires.whole())).startswith(b"HTTP/1.1 200 ")

        rest = await asyncio.wait_for(reader.read(), 5)

    assert rest.endswith(bytes(16 << 20))
    assert served.observer.closings == []


async def test_drain_ends_with_a_client_that_never_reads(
    serve: conftest.Serve,
) -> None:
    """Its connection is cut at the end of the drain, on every Python."""
    served = await serve(pages=_LongAnswers())
    asked = b"GET /long HTTP/1.1\r\nHost: a\r\n\r\n"
    async with wires.connected(served, asked) as (reader, _):
        await reader.readline()  # the answer has begun, and goes on no further

        await asyncio.wait_for(served.ingress.drain(0.5), 5)

        assert served.ingress.listener.connections == 0
