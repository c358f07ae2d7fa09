"""The proxy of the fault tests: what it lets through, and what it does not."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator

import pytest

from tests.support import ports, proxy

_Link = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class _Clients:
    """Connections through a proxy to a server that says everything back."""

    def __init__(self, link: proxy.Proxy) -> None:
        self.link = link
        self._writers: list[asyncio.StreamWriter] = []

    async def connect(self) -> _Link:
        """Return a connection that ends with the test."""
        found = await asyncio.open_connection("127.0.0.1", self.link.port)
        self._writers.append(found[1])
        return found

    async def echo(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Say back what comes."""
        self._writers.append(writer)
        with contextlib.suppress(OSError):
            while data := await reader.read(1 << 16):
                writer.write(data)

    async def close(self) -> None:
        """End all connections."""
        for writer in self._writers:
            writer.transport.abort()
        for writer in self._writers:
            with contextlib.suppress(OSError):
                await writer.wait_closed()


@pytest.fixture(name="clients")
async def _clients() -> AsyncIterator[_Clients]:
    """Yield clients of a proxy in front of a server."""
    target, port = ports.free(), ports.free()
    async with proxy.between([(port, target)], proxy.Proxy) as (link,):
        clients = _Clients(link)
        server = await asyncio.start_server(clients.echo, "127.0.0.1", target)
        yield clients
        await clients.close()
        server.close()


async def _answered(connection: _Link, said: bytes) -> bytes:
    reader, writer = connection
    writer.write(said)
    async with asyncio.timeout(0.2):
        return await reader.readexactly(len(said))


async def test_a_wire_forwards_both_ways(clients: _Clients) -> None:
    """Told nothing, it is not there."""
    connection = await clients.connect()

    assert await _answered(connection, b"hello") == b"hello"
    assert clients.link.accepted == 1
    assert clients.link.passed == 10


async def test_a_black_hole_accepts_and_says_nothing_until_healed(
    clients: _Clients,
) -> None:
    """Old and new connections stay, and what was sent arrives in the end."""
    old = await clients.connect()
    await _answered(old, b"before")
    clients.link.black_hole()
    new = await clients.connect()
    for connection in (old, new):
        with pytest.raises(TimeoutError):
            await _answered(connection, b"lost?")

    await clients.link.heal()

    for connection in (old, new):
        assert await connection[0].readexactly(5) == b"lost?"


async def test_cut_connections_end_and_new_ones_are_welcome(clients: _Clients) -> None:
    """A cut is a reset of what there is."""
    old = await clients.connect()
    await _answered(old, b"before")

    await clients.link.cut()

    with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
        await _answered(old, b"after")
    new = await clients.connect()
    assert await _answered(new, b"after") == b"after"


async def test_refusal_lasts_until_healed(clients: _Clients) -> None:
    """Nobody gets in, and nobody stays."""
    old = await clients.connect()
    await _answered(old, b"before")

    await clients.link.refuse()

    with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
        await _answered(old, b"after")
    with pytest.raises(ConnectionRefusedError):
        await clients.connect()
    await clients.link.heal()
    new = await clients.connect()
    assert await _answered(new, b"after") == b"after"


async def test_a_throttle_takes_its_time(clients: _Clients) -> None:
    """A thousand bytes there and back at 20,000 a second take a tenth of a second."""
    connection = await clients.connect()
    clients.link.throttle(20_000)
    begun = time.monotonic()

    assert await _answered(connection, b"x" * 1000) == b"x" * 1000

    assert time.monotonic() - begun >= 0.09
