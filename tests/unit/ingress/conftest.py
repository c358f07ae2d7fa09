"""Start an ingress on a socket of its own."""

import contextlib
import ipaddress
from collections.abc import AsyncIterator, Awaitable, Callable

import aiohttp
import pytest

from tests.unit.ingress import support
from worker import ingress
from worker.settings import types


def networks(*written: str) -> tuple[types.Network, ...]:
    """Return the networks that are *written* so."""
    return tuple(ipaddress.ip_network(each) for each in written)


Serve = Callable[..., Awaitable[support.Served]]


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    """Return what starts an ingress with the sources given; it ends with the test."""
    async with contextlib.AsyncExitStack() as stack:

        async def start(
            *sources: ingress.IngressSource,
            bounds: ingress.Limits | None = None,
            trusted_proxies: tuple[types.Network, ...] = (),
            forwarder: support.Forwarder | None = None,
            pages: ingress.ExtraRoutes | None = None,
        ) -> support.Served:
            sink, observer = support.Sink(), support.Telemetry()
            clock, forwarder = support.Clock(), forwarder or support.Forwarder()
            served = ingress.Ingress(
                sources or (support.source(), support.url_source()),
                sink,
                observer=observer,
                clock=clock,
                forwarder=forwarder,
                bounds=bounds,
                trusted_proxies=trusted_proxies,
                pages=pages,
            )
            port = await served.start("127.0.0.1", 0)
            stack.push_async_callback(served.drain, 1.0)
            http = await stack.enter_async_context(
                aiohttp.ClientSession(auto_decompress=False)
            )
            return support.Served(
                port=port,
                ingress=served,
                sink=sink,
                observer=observer,
                clock=clock,
                forwarder=forwarder,
                http=http,
            )

        yield start
