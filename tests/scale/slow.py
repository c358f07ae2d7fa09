"""Measure what many slow connections cost the callbacks beside them."""

import asyncio
import contextlib
import dataclasses
import pathlib
import resource
import sys
import time
from collections.abc import AsyncIterator

import psutil

from tests.scale import isolation
from tests.support import hammer
from tests.unit.ingress import support

_ROOT = pathlib.Path(__file__).parents[2]
_PACE_S = 0.004
#: each so-many-th on a connection of its own
_FRESH = 5
_SPARE_FILES = 500


@dataclasses.dataclass(kw_only=True)
class Found:
    """What was measured; times in seconds."""

    connections: int
    alone: list[float]
    disturbed: list[float]
    #: that had no 200
    failed: int
    rss_before: int
    rss_most: int


async def measure(connections: int, callbacks: int) -> Found:
    """Send *callbacks* alone, and as many beside *connections* slow ones."""
    connections = min(connections, _affordable())
    async with _running("tests.scale.slow_server") as server:
        port = int(await _line(server))
        process = psutil.Process(server.pid)
        client = _Client(port)
        await client.send(callbacks // 4)  # warm
        alone = await client.send(callbacks)
        before = most = process.memory_info().rss
        asked = ("tests.scale.slow_clients", str(port), str(connections))
        async with _running(*asked) as slow:
            opened = asyncio.create_task(_line(slow))
            disturbed: list[float] = []
            while not opened.done() or len(disturbed) < callbacks:
                if opened.done():
                    disturbed += await client.send(100)
                else:
                    await asyncio.sleep(0.1)
                most = max(most, process.memory_info().rss)
            await client.close()
        return Found(
            connections=connections,
            alone=alone,
            disturbed=disturbed,
            failed=client.failed,
            rss_before=before,
            rss_most=most,
        )


def lines(found: Found) -> list[str]:
    """Return what a person reads."""

    def figures(seconds: list[float]) -> str:
        p50, p99 = (isolation.quantile(seconds, each) * 1000 for each in (0.5, 0.99))
        return f"p50 {p50:.2f} ms, p99 {p99:.2f} ms of {len(seconds)}"

    return [
        f"alone      {figures(found.alone)}",
        f"disturbed  {figures(found.disturbed)}, {found.failed} without a 200",
        (
            f"memory     {found.rss_before >> 20} MiB, at most"
            f" {found.rss_most >> 20} MiB with {found.connections} slow connections"
        ),
    ]


def _affordable() -> int:
    """Return how many connections one process may hold; raises its limit."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard - _SPARE_FILES


class _Client:
    """Sends good callbacks at a pace, and takes the time of each answer."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._kept: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self.failed = 0

    async def send(self, callbacks: int) -> list[float]:
        """Return how long each took, from before its connection is opened."""
        return [await self._one(fresh=n % _FRESH == 0) for n in range(callbacks)]

    async def _one(self, *, fresh: bool) -> float:
        await asyncio.sleep(_PACE_S)
        began = time.perf_counter()
        try:
            if fresh or self._kept is None:
                await self.close()
                self._kept = await asyncio.open_connection("127.0.0.1", self._port)
            reader, writer = self._kept
            writer.write(_CALLBACK)
            got = await asyncio.wait_for(hammer.answer(reader, began), 10)
            self.failed += got.status != 200
        except (OSError, EOFError, TimeoutError):
            self.failed += 1
            await self.close()
        return time.perf_counter() - began

    async def close(self) -> None:
        """Close the connection that is kept."""
        kept, self._kept = self._kept, None
        if kept is not None:
            kept[1].close()


_SIGNATURE = support.signed()[support.SCHEME.header]
_CALLBACK = (
    f"POST /webhooks/signed HTTP/1.1\r\nHost: a\r\n"
    f"{support.SCHEME.header}: {_SIGNATURE}\r\n"
    f"Content-Length: {len(support.BODY)}\r\n\r\n"
).encode() + support.BODY


@contextlib.asynccontextmanager
async def _running(*asked: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run a module of the tests; it ends when its input does."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        *asked,
        cwd=_ROOT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        yield process
    finally:
        if process.stdin is not None:
            process.stdin.close()
        try:
            await asyncio.wait_for(process.wait(), 20)
        except TimeoutError:
            process.kill()
            await process.wait()


async def _line(process: asyncio.subprocess.Process) -> str:
    """Return the next line that *process* writes."""
    if process.stdout is None:
        raise RuntimeError("its output is not read")
    return (await process.stdout.readline()).decode().strip()
