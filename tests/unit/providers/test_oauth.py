"""Access tokens: cached, shared, renewed once, and never believed too long."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import orjson
import pytest
from aiohttp import web

from tests.unit.providers import conftest
from worker import errors
from worker.providers import _http, _http_responses, _oauth
from worker.settings import types

Serve = Callable[[Any], Awaitable[str]]
_BASIC = "Basic Y2xpZW50OnNlY3JldC00YzFkOWU="


class _Endpoint:
    """A token endpoint and an API that believes the latest token only."""

    def __init__(self, **changes: object) -> None:
        self.changes = changes
        self.status = 200
        self.body: bytes | None = None
        self.forms: list[Mapping[str, Any]] = []
        self.calls = 0
        self.refuse = 0  #: how many calls of the API are answered with 401

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Answer one request of either kind."""
        if request.path == "/token":
            self.forms.append(await request.post())
            assert request.headers["Authorization"] == _BASIC
            await asyncio.sleep(0)
            found = {"access_token": f"t{len(self.forms)}", "token_type": "Bearer"}
            body = (
                orjson.dumps(found | self.changes) if self.body is None else self.body
            )
            return web.Response(status=self.status, body=body)
        self.calls += 1
        if (
            self.refuse
            or request.headers["Authorization"] != f"Bearer t{len(self.forms)}"
        ):
            self.refuse -= 1
            return web.Response(status=401)
        return web.Response(body=b"{}")


class _Client:
    """A client of the endpoint."""

    def __init__(self, base: str, clock: conftest.HandClock, **more: Any) -> None:  # noqa: ANN401 -- settings
        self.http = _http.Http(
            base_url=base, timeout_ms=2000, limit_bytes=1 << 16, clock=clock
        )
        self.token = _oauth.ClientCredentials(
            _http.Http(
                base_url=base, timeout_ms=2000, limit_bytes=1 << 16, clock=clock
            ),
            "/token",
            client_id=types.Secret("client"),
            client_secret=types.Secret("secret-4c1d9e"),
            clock=clock,
            **more,
        )

    async def call(self) -> int:
        async def request(
            header: Mapping[str, str],
        ) -> _http_responses.HttpResponse:
            return await self.http.request("GET", "/api", headers=header)

        return (await self.token.call(request)).status

    async def close(self) -> None:
        await self.token.close()
        await self.http.close()


async def test_one_token_serves_all_until_shortly_before_it_expires(
    serve: Serve, clock: conftest.HandClock
) -> None:
    """Ten callers at once, one request; a minute before the end, another one."""
    endpoint = _Endpoint(expires_in=3600)
    client = _Client(await serve(endpoint.answer), clock, scope="kyc")
    assert set(await asyncio.gather(*(client.call() for _ in range(10)))) == {200}
    assert [dict(form) for form in endpoint.forms] == [
        {"grant_type": "client_credentials", "scope": "kyc"}
    ]
    clock.now += 3_539_000
    assert await client.call() == 200
    assert len(endpoint.forms) == 1
    clock.now += 1_000
    assert await client.call() == 200
    assert len(endpoint.forms) == 2
    await client.close()


@pytest.mark.parametrize(("refuse", "status", "calls"), [(1, 200, 2), (2, 401, 2)])
async def test_a_refused_token_is_renewed_once(
    serve: Serve, clock: conftest.HandClock, refuse: int, status: int, calls: int
) -> None:
    """A second 401 is the account's affair, and no loop."""
    endpoint = _Endpoint(expires_in=3600)
    endpoint.refuse = refuse
    client = _Client(await serve(endpoint.answer), clock)
    assert await client.call() == status
    assert (len(endpoint.forms), endpoint.calls) == (2, calls)
    await client.close()


@pytest.mark.parametrize(
    ("expires_in", "used_ms"),
    [
        (3600, 3_540_000),
        ("3600", 3_540_000),
        (60, 30_000),
        (None, 300_000),
        (0, 300_000),
        (-1, 300_000),
        (True, 300_000),
        (1.5, 300_000),
        ("soon", 300_000),
        (10**12, 24 * 3_600_000 - 60_000),
    ],
)
async def test_a_token_is_used_no_longer_than_it_says(
    serve: Serve, clock: conftest.HandClock, expires_in: object, used_ms: int
) -> None:
    """Absent, wrong and huge lifetimes are bounded."""
    endpoint = _Endpoint(expires_in=expires_in)
    client = _Client(await serve(endpoint.answer), clock)
    await client.call()
    clock.now += used_ms - 1
    await client.call()
    assert len(endpoint.forms) == 1
    clock.now += 1
    await client.call()
    assert len(endpoint.forms) == 2
    await client.close()


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (400, b'{"error":"invalid_client"}', errors.ProviderAuthFailed),
        (401, b"", errors.ProviderAuthFailed),
        (403, b"<html>", errors.ProviderAuthFailed),
        (200, b'{"error":"invalid_client"}', errors.ProviderAuthFailed),
        (200, b"<html>", errors.InvalidResponse),
        (200, b"[]", errors.InvalidResponse),
        (200, b"{}", errors.InvalidResponse),
        (200, b'{"access_token":""}', errors.InvalidResponse),
        (200, b'{"access_token":"a b"}', errors.InvalidResponse),
        (200, b'{"access_token":"a\\r\\nX: y"}', errors.InvalidResponse),
        (200, b'{"access_token":7}', errors.InvalidResponse),
        (200, b'{"access_token":"t","token_type":"mac"}', errors.InvalidResponse),
        (200, b'{"access_token":"t","token_type":7}', errors.InvalidResponse),
        (404, b"{}", errors.InvalidResponse),
        (429, b"{}", errors.RateLimited),
        (503, b"{}", errors.ProviderFault),
    ],
)
async def test_an_endpoint_that_gives_no_token_says_why(
    serve: Serve,
    clock: conftest.HandClock,
    status: int,
    body: bytes,
    error: type[errors.FetchError],
) -> None:
    """A 404 of the endpoint is no session that is not found; no secret is repeated."""
    endpoint = _Endpoint()
    endpoint.status, endpoint.body = status, body
    client = _Client(await serve(endpoint.answer), clock)
    with pytest.raises(errors.FetchError) as caught:
        await client.call()
    assert type(caught.value) is error
    assert "4c1d9e" not in str(caught.value)
    assert endpoint.calls == 0
    await client.close()
