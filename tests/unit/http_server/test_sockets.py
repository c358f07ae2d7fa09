"""Where a service listens, and for how many connections there are descriptors."""

import asyncio
import resource
import socket

import pytest
from aiohttp import web

from worker import http_server
from worker.http_server import listener


def _answers(host: str, port: int) -> bool:
    try:
        socket.create_connection((host, port), timeout=2).close()
    except OSError:
        return False
    return True


@pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="a machine without IPv6")
async def test_everywhere_is_both_families() -> None:
    """``::`` takes IPv4, too: a load balancer, or a probe, may know one only."""
    [listening] = await listener.listening("::", 0)
    port = listening.getsockname()[1]

    assert [_answers(host, port) for host in ("::1", "127.0.0.1")] == [True, True]
    listening.close()


async def test_one_address_is_one_family() -> None:
    """What was asked for, and nothing beside it."""
    [listening] = await listener.listening("127.0.0.1", 0)

    assert listening.getsockname()[0] == "127.0.0.1"
    listening.close()


async def test_a_name_has_one_port() -> None:
    """Each of its addresses listens on the same one."""
    made = await listener.listening("localhost", 0)

    assert len({each.getsockname()[1] for each in made}) == 1
    for each in made:
        each.close()


async def test_what_cannot_be_had_is_an_error() -> None:
    """A port that is taken, or an address that is not ours."""
    [taken] = await listener.listening("127.0.0.1", 0)
    with pytest.raises(OSError, match="in use"):
        await listener.listening("127.0.0.1", taken.getsockname()[1])
    with pytest.raises(OSError, match="assign"):
        await listener.listening("192.0.2.1", 0)
    taken.close()
    await asyncio.sleep(0)


def test_connections_have_descriptors() -> None:
    """Never more of them than files may be open, less what all the rest needs."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if hard == resource.RLIM_INFINITY:  # then there is no such bound
        return
    assert listener.affordable(hard + 1000) == hard - 256
    assert listener.affordable(16) == 16


async def test_a_listener_says_what_it_can_hold(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As many connections as are asked for, or as there are descriptors for."""
    monkeypatch.setattr(listener, "affordable", lambda asked: min(asked, 100))
    found = []
    for asked in (50, 4000):
        server = http_server.Listener(
            _no_answer,
            malformed=lambda status: web.Response(status=status),
            bounds=http_server.ConnectionLimits(max_connections=asked),
        )
        await server.start("127.0.0.1", 0)
        found.append(server.max_connections)
        await server.drain(0.1)

    assert found == [50, 100]


async def _no_answer(_request: web.BaseRequest) -> web.Response:
    return web.Response()
