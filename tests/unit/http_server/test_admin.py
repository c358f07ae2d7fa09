"""Probes and metrics over a real socket."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import aiohttp
import pytest

from worker.http_server import admin


class _Process:
    """What a process tells of itself."""

    def __init__(self) -> None:
        self.is_ready = True
        self.is_live = True

    def ready(self) -> bool:
        """Return what was set."""
        return self.is_ready

    def live(self) -> bool:
        """Return what was set."""
        return self.is_live

    def metrics(self) -> bytes:
        """Return one metric."""
        return b"kyc_kafka_reachable 1.0\n"


@contextlib.asynccontextmanager
async def _served(process: _Process) -> AsyncIterator[admin.AdminServer]:
    server = await admin.serve(
        "127.0.0.1",
        0,
        ready=process.ready,
        live=process.live,
        metrics=process.metrics,
    )
    try:
        yield server
    finally:
        await server.close()


async def _ask(
    server: admin.AdminServer, path: str, method: str = "GET"
) -> tuple[int, str, str]:
    async with (
        aiohttp.ClientSession() as http,
        http.request(method, f"http://127.0.0.1:{server.port}{path}") as response,
    ):
        return response.status, response.headers["Content-Type"], await response.text()


async def test_probes_follow_the_process() -> None:
    """Each probe tells its own thing, at each request anew."""
    process = _Process()
    async with _served(process) as server:
        assert (await _ask(server, "/livez"))[0] == 200
        assert (await _ask(server, "/readyz"))[0] == 200

        process.is_ready = False
        assert (await _ask(server, "/livez"))[0] == 200
        assert (await _ask(server, "/readyz"))[0] == 503

        process.is_live = False
        assert (await _ask(server, "/livez"))[0] == 503


async def test_metrics() -> None:
    """Metrics come as Prometheus reads them."""
    async with _served(_Process()) as server:
        status, kind, text = await _ask(server, "/metrics")

    assert status == 200
    assert kind == "text/plain; version=0.0.4; charset=utf-8"
    assert text == "kyc_kafka_reachable 1.0\n"


async def test_probe_that_raises_is_a_no(monkeypatch: pytest.MonkeyPatch) -> None:
    """A probe or a metric that fails is 503, without a word of why."""
    process = _Process()

    def fail() -> bool:
        raise RuntimeError("a marker")

    monkeypatch.setattr(process, "live", fail)
    monkeypatch.setattr(process, "metrics", fail)
    async with _served(process) as server:
        answers = [await _ask(server, path) for path in ("/livez", "/metrics")]

    assert [status for status, _, _ in answers] == [503, 503]
    assert "a marker" not in repr(answers)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 404),
        ("GET", "/metrics/a", 404),
        ("GET", "/metrics/", 200),
        ("GET", "/webhooks/a", 404),
        ("POST", "/metrics", 405),
        ("HEAD", "/livez", 200),
    ],
)
async def test_other_requests(method: str, path: str, status: int) -> None:
    """There is nothing else on this port."""
    async with _served(_Process()) as server:
        assert status == (await _ask(server, path, method))[0]


async def test_closed() -> None:
    """A closed server takes no connection, and closing it twice is no error."""
    async with _served(_Process()) as server:
        await server.close()
        with pytest.raises(aiohttp.ClientConnectorError):
            await _ask(server, "/livez")


async def test_closed_under_a_client_that_never_reads() -> None:
    """It ends in time, on every Python."""
    process = _Process()
    long = bytes(16 << 20)
    server = await admin.serve(
        "127.0.0.1", 0, ready=process.ready, live=process.live, metrics=lambda: long
    )
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n")
    await reader.readline()

    await asyncio.wait_for(server.close(0.2), 5)

    writer.transport.abort()
