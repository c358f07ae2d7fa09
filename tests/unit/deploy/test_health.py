"""Test what the image's health check asks."""

import asyncio
import importlib.util
import socket
import types

import prometheus_client
import pytest

from tests.lint import deploy
from worker import settings
from worker.http_server import admin


@pytest.fixture(name="health", scope="module")
def _health() -> types.ModuleType:
    """Load the script that is copied into the image."""
    spec = importlib.util.spec_from_file_location("health", deploy.DEPLOY / "health.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.mark.parametrize("live", [True, False])
async def test_a_service_is_as_well_as_it_says(
    health: types.ModuleType, *, live: bool
) -> None:
    """Of two ports, the one that is served decides."""
    server = await admin.serve(
        "127.0.0.1",
        0,
        ready=lambda: True,
        live=lambda: live,
        metrics=prometheus_client.CollectorRegistry,
    )
    try:
        ports = [_closed_port(), server.port]
        assert live is await asyncio.to_thread(health.healthy, ports)
    finally:
        await server.close()


@pytest.mark.parametrize("host", ["::", "::1"])
async def test_a_service_of_the_other_family_is_found(
    health: types.ModuleType, host: str
) -> None:
    """It is asked where it listens."""
    if not socket.has_dualstack_ipv6():
        pytest.skip("a machine without IPv6")
    server = await admin.serve(
        host,
        0,
        ready=lambda: True,
        live=lambda: True,
        metrics=prometheus_client.CollectorRegistry,
    )
    try:
        assert await asyncio.to_thread(health.healthy, [server.port]) is True
    finally:
        await server.close()


async def test_nobody_is_not_well(health: types.ModuleType) -> None:
    """A service that does not listen is not healthy."""
    assert await asyncio.to_thread(health.healthy, [_closed_port()]) is False


def test_every_service_is_asked(health: types.ModuleType) -> None:
    """A container of any command, at the ports that it has by itself."""
    services = (settings.Ingress(), settings.Worker(), settings.Api())

    assert {each.admin_port for each in services} == set(health._USUAL_PORTS)
