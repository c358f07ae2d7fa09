"""Probes and metrics over a real socket."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import aiohttp
import prometheus_client
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

    def metrics(self) -> prometheus_client.CollectorRegistry:
        """Return one metric."""
        registry = prometheus_client.CollectorRegistry()
        prometheus_client.Gauge("kyc_kafka_reachable", "1: yes.", registry=registry)
        return registry


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


async def _metrics(
    accept: dict[str, str], query: str = ""
) -> tuple[int, dict[str, str], str]:
    async with (
        _served(_Process()) as server,
        aiohttp.ClientSession(auto_decompress=True) as http,
        http.get(
            f"http://127.0.0.1:{server.port}/metrics{query}", headers=accept
        ) as response,
    ):
        return response.status, dict(response.headers), await response.text()


async def test_metrics() -> None:
    """A client that asks for nothing gets Prometheus's text format, uncompressed."""
    status, headers, text = await _metrics({"Accept-Encoding": "identity"})

    assert status == 200
    assert headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert headers["Server"] == "kyc-worker"
    assert "Content-Encoding" not in headers
    assert text.splitlines()[-1] == "kyc_kafka_reachable 0.0"


async def test_metrics_for_prometheus() -> None:
    """What Prometheus 3 asks for is OpenMetrics, with gzip."""
    status, headers, text = await _metrics(
        {
            "Accept": "application/openmetrics-text;version=1.0.0;q=0.5,"
            "text/plain;version=0.0.4;q=0.3,*/*;q=0.1",
            "Accept-Encoding": "gzip",
        }
    )

    assert status == 200
    assert headers["Content-Type"].startswith("application/openmetrics-text")
    assert headers["Content-Encoding"] == "gzip"
    assert text.splitlines()[-2:] == ["kyc_kafka_reachable 0.0", "# EOF"]


async def test_metrics_can_be_selected() -> None:
    """``name[]`` restricts the response to what is asked for."""
    status, _, text = await _metrics({}, "?name[]=kyc_other")

    assert (status, text) == (200, "")


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
    long = prometheus_client.CollectorRegistry()
    prometheus_client.Gauge("kyc_long", "a" * (16 << 20), registry=long)
    server = await admin.serve(
        "127.0.0.1", 0, ready=process.ready, live=process.live, metrics=lambda: long
    )
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n")
    await reader.readline()

    await asyncio.wait_for(server.close(0.2), 5)

    writer.transport.abort()
