"""The wire of the fault tests and the chaos: what becomes of a request on it."""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator

import pytest

from tests.support import ports, proxy, wire

_Link = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class _Broker:
    """A server that keeps every request, and answers with the request."""

    def __init__(self) -> None:
        self.heard: list[bytes] = []
        self.news = asyncio.Event()
        self._writers: list[asyncio.StreamWriter] = []

    async def serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Answer one connection until it ends."""
        self._writers.append(writer)
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            while True:
                said = await _request(reader)
                self.heard.append(said)
                self.news.set()
                writer.write(_framed(said))

    async def hears(self, count: int) -> None:
        """Return once *count* requests have come."""
        while len(self.heard) < count:
            self.news.clear()
            await self.news.wait()

    async def close(self) -> None:
        """End all connections."""
        for writer in self._writers:
            writer.transport.abort()
            with contextlib.suppress(OSError):
                await writer.wait_closed()


def _framed(said: bytes) -> bytes:
    return len(said).to_bytes(4) + said


async def _request(reader: asyncio.StreamReader) -> bytes:
    return await reader.readexactly(int.from_bytes(await reader.readexactly(4)))


async def _silent(reader: asyncio.StreamReader) -> bool:
    """Return whether nothing comes for a while, neither bytes nor an end."""
    try:
        async with asyncio.timeout(0.05):
            await reader.read(1)
    except TimeoutError:
        return True
    return False


async def _ends(reader: asyncio.StreamReader) -> bool:
    """Return whether the connection ends without a byte."""
    with contextlib.suppress(ConnectionResetError):
        return await reader.read() == b""
    return True


@pytest.fixture(name="broker")
async def _broker() -> _Broker:
    return _Broker()


@pytest.fixture(name="link")
async def _link(broker: _Broker) -> AsyncIterator[wire.Wire]:
    """Yield a wire to *broker*."""
    target, port = ports.free(), ports.free()
    async with proxy.between([(port, target)], wire.Wire) as (link,):
        server = await asyncio.start_server(broker.serve, "127.0.0.1", target)
        yield link
        server.close()
    await broker.close()


@pytest.fixture(name="client")
async def _client(link: wire.Wire) -> AsyncIterator[_Link]:
    """Yield a connection over the wire that has worked once."""
    reader, writer = await asyncio.open_connection("127.0.0.1", link.port)
    writer.write(_framed(b"first"))
    assert await _request(reader) == b"first"
    yield reader, writer
    writer.transport.abort()
    with contextlib.suppress(OSError):
        await writer.wait_closed()


def _hurt(link: wire.Wire, fate: wire.Fate) -> None:
    """Hurt every request from now on."""
    link.weather = wire.Weather(hurt_share=1, fates=(fate,), late_s=(0.1, 0.1))


async def test_requests_pass_whole_and_in_order(
    link: wire.Wire, broker: _Broker, client: _Link
) -> None:
    """However they are cut into pieces on their way; a slow wire takes its time."""
    reader, writer = client
    link.weather = wire.Weather(latency_s=0.01)
    large = b"x" * 200_000
    whole = _framed(large) + _framed(b"last")
    for start in range(0, len(whole), 70_001):
        writer.write(whole[start : start + 70_001])
        await writer.drain()

    assert await _request(reader) == large
    assert await _request(reader) == b"last"
    assert broker.heard == [b"first", large, b"last"]


async def test_a_held_request_arrives_after_its_client_was_reset(
    link: wire.Wire, broker: _Broker, client: _Link
) -> None:
    """The client may ask again on a new connection, and the first copy comes later."""
    reader, writer = client
    _hurt(link, wire.Fate.HELD_AND_RESET)
    writer.write(_framed(b"held"))

    assert await _ends(reader)
    link.clear()
    again, more = await asyncio.open_connection("127.0.0.1", link.port)
    more.write(_framed(b"again"))
    assert await _request(again) == b"again"
    await broker.hears(3)
    assert broker.heard == [b"first", b"again", b"held"]
    assert link.counts["late requests delivered"] == 1
    more.transport.abort()


async def test_a_request_held_in_silence_arrives_after_its_client_has_gone(
    link: wire.Wire, broker: _Broker, client: _Link
) -> None:
    """Nothing is said until the client's own time-out; then all it sent arrives."""
    reader, writer = client
    _hurt(link, wire.Fate.HELD_IN_SILENCE)
    writer.write(_framed(b"held"))

    assert await _silent(reader)
    writer.write(_framed(b"too"))
    assert broker.heard == [b"first"]
    writer.close()
    await broker.hears(3)
    assert broker.heard == [b"first", b"held", b"too"]


async def test_an_answer_that_never_comes(
    link: wire.Wire, broker: _Broker, client: _Link
) -> None:
    """The request is delivered at once."""
    reader, writer = client
    _hurt(link, wire.Fate.UNANSWERED)
    writer.write(_framed(b"done"))

    await broker.hears(2)
    assert await _silent(reader)


async def test_a_reset_between_request_and_answer(
    link: wire.Wire, broker: _Broker, client: _Link
) -> None:
    """The request is delivered, and the client does not know."""
    reader, writer = client
    _hurt(link, wire.Fate.RESET_UNANSWERED)
    writer.write(_framed(b"done"))

    assert await _ends(reader)
    await broker.hears(2)
    assert link.counts[wire.Fate.RESET_UNANSWERED] == 1


async def test_what_a_black_hole_swallowed_of_a_client_that_went_arrives_late(
    link: wire.Wire, broker: _Broker, client: _Link
) -> None:
    """As a network does that has lost every packet for longer than the client waits."""
    _, writer = client
    link.weather = wire.Weather(late_s=(0.0, 0.0))
    link.black_hole()
    writer.write(_framed(b"lost"))
    writer.close()
    await writer.wait_closed()
    assert broker.heard == [b"first"]

    await link.heal()

    await broker.hears(2)
    assert broker.heard == [b"first", b"lost"]


async def test_the_same_seed_hurts_the_same_requests() -> None:
    """A share of them, by every fate; and few of those that change nothing."""
    drawn = [
        [weather.fate(api_key=26) for _ in range(2000)]
        for weather in (
            wire.Weather(chance=random.Random(7), hurt_share=0.1),
            wire.Weather(chance=random.Random(7), hurt_share=0.1),
        )
    ]

    assert drawn[0] == drawn[1]
    assert set(drawn[0]) == {None, *wire.Fate}
    assert 150 < 2000 - drawn[0].count(None) < 250
    weather = wire.Weather(chance=random.Random(7), hurt_share=0.1)
    fetches = [weather.fate(api_key=1) for _ in range(2000)]
    assert 5 < 2000 - fetches.count(None) < 50
    ends = wire.Weather(hurt_share=1, keys=frozenset({wire.END_TXN}))
    assert ends.fate(api_key=0) is None
    assert ends.fate(wire.END_TXN) is not None
