"""One-time messages to a real server: delivered, or not, and never elsewhere."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
import yarl
from aiohttp import web

from worker import ingress
from worker.ingress import forward

_MESSAGE = {"type": "one-time-password-request", "text": "Your code is 6867"}
_Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


@contextlib.asynccontextmanager
async def _listening(handler: _Handler) -> AsyncIterator[str]:
    """Serve *handler*, and yield its address."""
    server = web.Server(handler, access_log=None)
    listener = await asyncio.get_running_loop().create_server(server, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}/messages"
    finally:
        listener.close()
        await server.shutdown(0.1)
        await listener.wait_closed()


@contextlib.asynccontextmanager
async def _forwarder(timeout_s: float = 2.0) -> AsyncIterator[ingress.AiohttpForwarder]:
    forwarder = ingress.AiohttpForwarder(timeout_s=timeout_s)
    try:
        yield forwarder
    finally:
        await forwarder.close()


async def test_delivered() -> None:
    """The message is posted as JSON, and a 2xx is a delivery."""
    received: list[tuple[str, str, Any]] = []

    async def handler(request: web.BaseRequest) -> web.Response:
        received.append((request.method, request.content_type, await request.json()))
        return web.Response(status=204)

    async with _listening(handler) as url, _forwarder() as forwarder:
        assert await forwarder.forward(url, _MESSAGE)

    assert received == [("POST", "application/json", _MESSAGE)]


@pytest.mark.parametrize("status", [301, 307, 400, 401, 404, 500, 503])
async def test_not_delivered(status: int) -> None:
    """Any other answer is no delivery, and a redirect is not followed."""
    asked: list[str] = []

    async def handler(request: web.BaseRequest) -> web.Response:
        asked.append(request.path)
        return web.Response(status=status, headers={"Location": "/elsewhere"})

    async with _listening(handler) as url, _forwarder() as forwarder:
        assert not await forwarder.forward(url, _MESSAGE)

    assert asked == ["/messages"]


async def test_silence() -> None:
    """An address that does not answer in time is no delivery."""
    gate = asyncio.Event()

    async def handler(_request: web.BaseRequest) -> web.Response:
        await gate.wait()
        return web.Response()

    async with _listening(handler) as url, _forwarder(0.05) as forwarder:
        assert not await asyncio.wait_for(forwarder.forward(url, _MESSAGE), 2)
        gate.set()


async def test_nobody_there() -> None:
    """A refused connection is no delivery."""

    async def handler(_request: web.BaseRequest) -> web.Response:
        return web.Response()

    async with _listening(handler) as url:
        pass
    async with _forwarder() as forwarder:
        assert not await forwarder.forward(url, _MESSAGE)


async def test_unwritable_message() -> None:
    """A message that cannot be written again is no delivery, and no fault."""
    deep: dict[str, Any] = {}
    for _ in range(300):
        deep = {"a": deep}

    async with _forwarder() as forwarder:
        assert not await forwarder.forward("https://a.example.com", deep)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://messages.example.com/kyc", True),
        ("http://127.0.0.1:8000/", True),
        ("http://[::1]:8000/", True),
        ("http://localhost/", True),
        ("http://messages.example.com/", False),
        ("http://10.0.0.1/", False),
        ("http://localhost.example.com/", False),
        ("ftp://127.0.0.1/", False),
        ("/messages", False),
        ("", False),
    ],
)
def test_safe_addresses(url: str, *, expected: bool) -> None:
    """One-time codes leave this machine under TLS only."""
    assert expected == forward.is_safe(yarl.URL(url))


async def test_unsafe_address_is_not_asked() -> None:
    """An address without TLS gets nothing."""
    async with _forwarder() as forwarder:
        assert not await forwarder.forward("http://192.0.2.1/", _MESSAGE)
        assert forwarder._session is None
