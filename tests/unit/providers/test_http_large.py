"""How many bytes of large answers one source holds at once."""

import asyncio

from aiohttp import web

from tests.unit.providers import test_http
from worker.providers import _body_budget, _http

_LARGE = 200_000


async def test_large_answers_wait_for_each_other_and_small_ones_do_not(
    serve: test_http.Serve, clock: object
) -> None:
    """Of three that are dripped two are read; a small one comes all the same."""
    rest = asyncio.Event()

    async def handler(request: web.Request) -> web.StreamResponse:
        if request.path == "/small":
            return web.Response(body=b"small")
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"x" * (_LARGE - 1))
        await rest.wait()
        await response.write(b"x")
        return response

    client = _http.Http(
        base_url=await serve(handler),
        timeout_ms=5_000,
        limit_bytes=_LARGE,
        large_bytes=2 * _LARGE,
        clock=clock,  # type: ignore[arg-type]  # -- the fixture's clock is one
    )
    asked = [asyncio.create_task(client.request("GET", "/large")) for _ in range(3)]
    try:
        async with asyncio.timeout(5):
            while client.reserved_bytes < 2 * _LARGE:  # noqa: ASYNC110 -- nothing tells
                await asyncio.sleep(0)
        small = await client.request("GET", "/small")
        assert small.body == b"small"
        assert client.reserved_bytes == 2 * _LARGE
    finally:
        rest.set()
    answers = await asyncio.gather(*asked)
    await client.close()

    assert [len(answer.body) for answer in answers] == [_LARGE] * 3
    assert client.reserved_bytes == 0


async def test_who_asks_first_is_first() -> None:
    """One that needs much is not overtaken for ever by those that need little."""
    budget, order = _body_budget.Budget(10), []

    async def take(name: str, size: int) -> None:
        async with budget.reserved(size):
            order.append(name)
            await asyncio.sleep(0)

    async with budget.reserved(4):
        tasks = [
            asyncio.create_task(take(name, size))
            for name, size in (("much", 8), ("little", 2), ("too much", 99))
        ]
        for _ in range(5):
            await asyncio.sleep(0)
        assert order == []
    await asyncio.gather(*tasks)

    assert order == ["much", "little", "too much"]
    assert budget.reserved_bytes == 0


async def test_who_gives_up_gives_back() -> None:
    """A reader that is cancelled while it waits, or while it holds, leaves nothing."""
    budget = _body_budget.Budget(10)

    async def take() -> None:
        async with budget.reserved(10):
            await asyncio.Event().wait()

    tasks = [asyncio.create_task(take()) for _ in range(3)]
    await asyncio.sleep(0)
    for task in reversed(tasks):
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)

    assert budget.reserved_bytes == 0
    async with asyncio.timeout(1), budget.reserved(10):
        pass
