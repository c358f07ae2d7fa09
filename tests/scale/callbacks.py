"""Send good callbacks at a fixed rate, and take the time of each answer."""

import asyncio
import contextlib
import dataclasses
from collections.abc import Sequence

from tests.support import load_client
from tests.unit.ingress import support

#: each so-many-th on a connection of its own
_FRESH = 5
_PATIENCE_S = 10.0
_SIGNATURE = support.signed()[support.SCHEME.header]
_CALLBACK = (
    f"POST /webhooks/signed HTTP/1.1\r\nHost: a\r\n"
    f"{support.SCHEME.header}: {_SIGNATURE}\r\n"
    f"Content-Length: {len(support.BODY)}\r\n\r\n"
).encode() + support.BODY

_Wire = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclasses.dataclass(slots=True)
class Client:
    """
    Sends at its times, whether or not what was sent before is answered.

    A time runs from when a callback was due, so that what waits for its turn counts.
    """

    port: int
    #: why callbacks had no 200, the statuses among it
    failures: list[str] = dataclasses.field(default_factory=list)
    _kept: list[_Wire] = dataclasses.field(default_factory=list)
    _sent: int = 0

    async def one(self, due: float) -> float:
        """Send one that was *due* on the loop's clock; return the seconds it took."""
        self._sent += 1
        now = asyncio.get_running_loop().time
        wire: _Wire | None = None
        try:
            async with asyncio.timeout(_PATIENCE_S):
                wire = await self._wire()
                wire[1].write(_CALLBACK)
                got = await load_client.answer(wire[0], due)
            if got.status != 200:
                self.failures.append(str(got.status))
        except (OSError, EOFError, TimeoutError) as failure:
            self.failures.append(type(failure).__name__)
            if wire is not None:
                wire[1].transport.abort()
        else:
            self._kept.append(wire)
        return now() - due

    async def _wire(self) -> _Wire:
        """Return a connection that is free, or a new one."""
        fresh = self._sent % _FRESH == 0
        while self._kept:
            wire = self._kept.pop()
            if not fresh and not wire[0].at_eof() and not wire[1].is_closing():
                return wire
            wire[1].close()
            if fresh:
                break
        return await asyncio.open_connection("127.0.0.1", self.port)

    async def close(self) -> None:
        """Close the connections that are kept."""
        for _, writer in self._kept:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()
        self._kept.clear()


async def send(
    clients: Sequence[Client], callbacks: int, per_second: float
) -> list[list[float]]:
    """Have each of *clients* send *callbacks*, in turns; return their seconds."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    running: list[list[asyncio.Task[float]]] = [[] for _ in clients]
    for number in range(callbacks * len(clients)):
        due = began + number / per_second / len(clients)
        await asyncio.sleep(due - loop.time())
        which = number % len(clients)
        running[which].append(asyncio.create_task(clients[which].one(due)))
    return [list(await asyncio.gather(*each)) for each in running]
