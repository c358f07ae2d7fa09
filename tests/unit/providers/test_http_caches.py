"""The HTTP client of the providers, and what caches between it and them answer."""

from collections.abc import Awaitable, Callable

import pytest
from aiohttp import web

from worker import clock as clocks
from worker import errors
from worker.providers import _http

Serve = Callable[
    [Callable[[web.Request], Awaitable[web.StreamResponse]]], Awaitable[str]
]


def _client(base_url: str, clock: clocks.Clock) -> _http.Http:
    return _http.Http(
        base_url=base_url, clock=clock, timeout_ms=5_000, limit_bytes=1_000
    )


async def test_every_request_asks_caches_to_ask_the_provider(
    serve: Serve, clock: clocks.Clock
) -> None:
    """What stands between us and the provider is told not to answer by itself."""
    seen: list[web.Request] = []

    async def handler(request: web.Request) -> web.Response:
        seen.append(request)
        return web.Response(body=b"{}")

    client = _client(await serve(handler), clock)
    await client.request("GET", "/result", headers={"X-Ask": "this"})
    await client.close()

    assert seen[0].headers["Cache-Control"] == "no-cache"
    assert seen[0].headers["Pragma"] == "no-cache"


@pytest.mark.parametrize(
    ("age", "cached"),
    [("0", False), ("1", False), ("2", True), ("9" * 30, True), ("x", False)],
)
@pytest.mark.parametrize("status", [200, 404])
async def test_what_a_cache_had_before_the_question_is_no_answer(
    serve: Serve,
    clock: clocks.Clock,
    age: str,
    cached: bool,  # noqa: FBT001 -- a parameter
    status: int,
) -> None:
    """An answer, or a denial, that is older than its request is refused."""

    async def handler(_: web.Request) -> web.Response:
        return web.Response(status=status, body=b"{}", headers={"Age": age})

    client = _client(await serve(handler), clock)
    try:
        if not cached:
            assert status == (await client.request("GET", "/result")).status
            return
        with pytest.raises(errors.InvalidResponse, match="cached"):
            await client.request("GET", "/result")
    finally:
        await client.close()
