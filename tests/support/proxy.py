"""Stand between one process and one broker, and let as much through as a test wants."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterable
from typing import Self, TypeVar

_HOST = "127.0.0.1"
_CHUNK = 1 << 16


class Proxy:
    """
    One port that forwards to one other, until it is told to do otherwise.

    A black hole accepts and forwards nothing, as a network does that loses every
    packet: what was sent meanwhile arrives once it is ``healed``.
    """

    def __init__(self, port: int, target: int) -> None:
        self.port = port
        #: connections that were accepted, and bytes that were let through
        self.accepted = 0
        self.passed = 0
        self._host = _HOST
        self._target = target
        self._server: asyncio.Server | None = None
        self._links: set[asyncio.Task[None]] = set()
        self._open = asyncio.Event()
        self._open.set()
        self._bytes_per_s: float | None = None

    async def __aenter__(self) -> Self:
        await self._listen()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.refuse()

    def black_hole(self) -> None:
        """Go on accepting, and forward nothing in either direction."""
        self._open.clear()

    def throttle(self, bytes_per_s: float) -> None:
        """Let only so much of each connection through, in each direction."""
        self._bytes_per_s = bytes_per_s

    async def cut(self) -> None:
        """Reset every connection there is; new ones are welcome."""
        links = list(self._links)
        for link in links:
            link.cancel()
        await asyncio.gather(*links, return_exceptions=True)

    async def refuse(self) -> None:
        """Reset every connection, and refuse new ones."""
        server, self._server = self._server, None
        if server is not None:
            server.close()
        await self.cut()

    async def heal(self) -> None:
        """Be nothing but a wire again."""
        self._bytes_per_s = None
        self._open.set()
        await self._listen()

    async def _listen(self) -> None:
        if self._server is None:
            self._server = await asyncio.start_server(self._accept, _HOST, self.port)

    def _accept(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.accepted += 1
        link = asyncio.create_task(self._join(reader, writer))
        self._links.add(link)
        link.add_done_callback(self._links.discard)
        # Also of one that is cut before it begins.
        link.add_done_callback(lambda _: writer.transport.abort())

    async def _join(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Forward in both directions until either side ends."""
        forth: asyncio.StreamWriter | None = None
        pumps: list[asyncio.Task[None]] = []
        try:
            await self._open.wait()
            back, forth = await asyncio.open_connection(_HOST, self._target)
            pumps = [
                asyncio.create_task(self._pump(reader, forth)),
                asyncio.create_task(self._pump(back, writer)),
            ]
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        except OSError:  # the broker is not there: the client sees a reset
            pass
        finally:
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)
            if forth is not None:
                forth.transport.abort()

    async def _pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(_CHUNK):
                if self._bytes_per_s is not None:
                    await asyncio.sleep(len(data) / self._bytes_per_s)
                await self._open.wait()
                writer.write(data)
                await writer.drain()
                self.passed += len(data)


_Kind = TypeVar("_Kind", bound=Proxy)


@contextlib.asynccontextmanager
async def between(
    places: Iterable[tuple[int, int]], kind: type[_Kind]
) -> AsyncIterator[list[_Kind]]:
    """Hold a proxy for each port and what it forwards to, in their order."""
    async with contextlib.AsyncExitStack() as stack:
        found = [kind(port, target) for port, target in places]
        for each in found:
            await stack.enter_async_context(each)
        yield found
