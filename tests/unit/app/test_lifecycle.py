"""What every process measures of itself."""

import asyncio

import aiohttp
from aiohttp import web

from tests.unit.telemetry import kit
from worker import http_server
from worker.app import lifecycle
from worker.telemetry import labels, metrics


async def test_the_gauges_of_a_service_follow_its_listener() -> None:
    """A request is in flight until it has its response; its connection is open."""
    counters, respond = metrics.Metrics([]), asyncio.Event()
    handling = asyncio.Event()

    async def handle(_request: web.BaseRequest) -> web.Response:
        handling.set()
        await respond.wait()
        return web.Response()

    listener = http_server.Listener(
        handle,
        malformed=lambda status: web.Response(status=status),
        bounds=http_server.ConnectionLimits(),
    )

    def measured() -> tuple[float | None, float | None, float | None]:
        lifecycle.count_http(counters, labels.Service.API, listener)
        return (
            kit.value(counters, "kyc_http_requests_in_flight", service="api"),
            kit.value(counters, "kyc_http_connections"),
            kit.value(counters, "kyc_http_buffered_bytes"),
        )

    assert measured() == (0, 0, 0)
    port = await listener.start("127.0.0.1", 0)
    async with aiohttp.ClientSession() as client:
        waiting = asyncio.create_task(client.get(f"http://127.0.0.1:{port}/"))
        await handling.wait()
        assert measured() == (1, 1, 0)
        respond.set()
        async with await waiting:
            assert measured() == (0, 1, 0)
    await listener.drain(1)
