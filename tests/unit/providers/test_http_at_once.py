"""How many requests the HTTP client of the providers makes at once."""

import asyncio

from aiohttp import web

from tests.unit.providers import test_http
from worker.providers import _http


async def test_only_the_gate_bounds_the_requests_at_once(
    serve: test_http.Serve, clock: object
) -> None:
    """More than aiohttp's own hundred connections may be waiting at a time."""
    many, waiting, all_there = 120, 0, asyncio.Event()

    async def handler(_: web.Request) -> web.Response:
        nonlocal waiting
        waiting += 1
        if waiting == many:
            all_there.set()
        await all_there.wait()
        return web.Response()

    client = _http.Http(
        base_url=await serve(handler),
        timeout_ms=5_000,
        limit_bytes=1_000,
        clock=clock,  # type: ignore[arg-type]  # -- the fixture's clock is one
    )
    answers = await asyncio.gather(*(client.request("GET", "/") for _ in range(many)))
    await client.close()

    assert [200] * many == [answer.status for answer in answers]
