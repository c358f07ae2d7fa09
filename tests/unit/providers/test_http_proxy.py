"""Calls to a provider through an HTTP proxy, which may ask for a password."""

import asyncio
import base64
import contextlib
import traceback
from collections.abc import AsyncIterator

import pytest

from worker import errors
from worker.providers import _http, _http_responses
from worker.settings import types

_PASSWORD = "planted-proxy-password"
_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


class _Proxy:
    """Answers every request itself, and keeps the heads that it was sent."""

    def __init__(self, answer: bytes) -> None:
        self._answer = answer
        self.heads: list[str] = []
        self.port = 0

    @property
    def url(self) -> types.Secret:
        """Return its address, as it stands in the configuration."""
        return types.Secret(f"http://user:{_PASSWORD}@127.0.0.1:{self.port}")

    async def serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Answer one connection."""
        with contextlib.suppress(asyncio.IncompleteReadError):
            self.heads.append((await reader.readuntil(b"\r\n\r\n")).decode())
            writer.write(self._answer)
            await writer.drain()
        writer.close()


@contextlib.asynccontextmanager
async def _serving(answer: bytes = _ANSWER) -> AsyncIterator[_Proxy]:
    proxy = _Proxy(answer)
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    async with server:
        proxy.port = server.sockets[0].getsockname()[1]
        yield proxy


def _client(
    base_url: str, clock: object, proxy: types.Secret | None, *, attempts: int = 1
) -> _http.Http:
    return _http.Http(
        base_url=base_url,
        timeout_ms=5_000,
        limit_bytes=1_000,
        clock=clock,  # type: ignore[arg-type]  # -- the fixture's clock is one
        attempts=attempts,
        proxy=proxy,
    )


async def test_a_call_goes_through_the_proxy(clock: object) -> None:
    """The proxy is asked for the provider's address, with its own password."""
    async with _serving() as proxy:
        client = _client("http://provider.example", clock, proxy.url)
        answer = await client.request("GET", "/result", query={"a": "b"})
        await client.close()

    [head] = proxy.heads
    credentials = base64.b64encode(f"user:{_PASSWORD}".encode()).decode()
    assert (answer.status, answer.body) == (200, b"{}")
    assert head.startswith("GET http://provider.example/result?a=b HTTP/1.1\r\n")
    assert f"Proxy-Authorization: Basic {credentials}\r\n" in head


@pytest.mark.parametrize("status", ["407 Proxy Authentication Required", "403 No"])
async def test_a_proxy_that_refuses_is_no_answer_of_the_provider(
    clock: object, status: str
) -> None:
    """No byte has reached the provider: whatever was asked for was not begun."""
    refusal = f"HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n".encode()
    async with _serving(refusal) as proxy:
        client = _client("https://provider.example", clock, proxy.url)
        with pytest.raises(errors.ProviderUnreachable) as caught:
            await client.request("POST", "/begin", body=b"{}")
        await client.close()

    assert proxy.heads[0].startswith("CONNECT provider.example:443 ")
    assert caught.value.detail == _http_responses.NOT_CONNECTED
    assert not caught.value.answered
    found = "".join(traceback.format_exception(caught.value))
    assert _PASSWORD not in found


async def test_a_proxy_that_is_away_is_told_without_its_password(
    clock: object,
) -> None:
    """Nothing listens there any more."""
    async with _serving() as proxy:
        url = proxy.url
    client = _client("https://provider.example", clock, url)
    with pytest.raises(errors.ProviderUnreachable) as caught:
        await client.request("GET", "/result")
    await client.close()

    assert caught.value.detail == _http_responses.NOT_CONNECTED
    assert _PASSWORD not in "".join(traceback.format_exception(caught.value))


async def test_a_proxy_of_the_environment_is_not_used(
    clock: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What leaves the machine follows from the configuration alone."""
    async with _serving() as proxy, _serving() as provider:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url.reveal())
        client = _client(f"http://127.0.0.1:{provider.port}", clock, None)
        await client.request("GET", "/result")
        await client.close()

    assert (len(provider.heads), proxy.heads) == (1, [])
