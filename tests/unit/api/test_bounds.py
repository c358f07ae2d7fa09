"""What the api bounds: bodies, what is no HTTP, and how many at once."""

import asyncio
from typing import Any

import aiohttp
import pytest

from tests.unit.api import kit
from worker import model
from worker.api import responses
from worker.telemetry import labels


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"[]", b'"x"', b"{", b"null", b"\xff", b'{"a":1}{"b":2}'),
        b'{"a":' * 280 + b"1" + b"}" * 280,
        b'{"reference": "\\ud800"}',
        b'{"reference": NaN}',
    ],
)
async def test_a_body_that_is_no_object(desk: kit.Desk, body: bytes) -> None:
    """400 or 422, whatever the bytes."""
    headers = {"Authorization": f"Bearer {kit.KEY}"}
    async with desk.client.post(
        f"{desk.url}/sessions/one", data=body, headers=headers
    ) as response:
        assert response.status in {400, 422}
        assert b"reference" not in body or response.status == 400


async def test_a_body_that_is_too_large(desk: kit.Desk) -> None:
    """413, told or not how large it is."""

    async def pieces() -> Any:  # noqa: ANN401 -- a generator
        for _ in range(30):
            yield b" " * 100

    headers = {"Authorization": f"Bearer {kit.KEY}"}
    url = f"{desk.url}/sessions/one"
    for data in (b" " * 2001, pieces()):
        async with desk.client.post(url, data=data, headers=headers) as response:
            assert response.status == 413
    assert desk.observer.results == [labels.ApiResult.TOO_LARGE] * 2


async def test_a_body_that_does_not_come(desk: kit.Desk) -> None:
    """408 after the time for it."""
    reader, writer = await asyncio.open_connection("127.0.0.1", int(desk.url[-5:]))
    writer.write(
        b"POST /sessions/one HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n"
        b"Authorization: Bearer " + kit.KEY.encode() + b"\r\n\r\n"
    )
    head = await reader.readline()
    writer.close()
    await writer.wait_closed()

    assert b"408" in head


@pytest.mark.parametrize(
    "raw", [b"\x00\x01\x02\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"POST\r\n\r\n"]
)
async def test_what_is_not_http(desk: kit.Desk, raw: bytes) -> None:
    """400 as a problem document, and no page of a library's."""
    reader, writer = await asyncio.open_connection("127.0.0.1", int(desk.url[-5:]))
    writer.write(raw)
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()

    assert answer.startswith((b"HTTP/1.1 400", b"HTTP/1.0 400"))
    assert b"application/problem+json" in answer


async def test_too_many_at_once(desk: kit.Desk) -> None:
    """Beyond the bound 503 at once, with the time to wait."""
    held = asyncio.Event()
    begin = desk.beginner.begin

    async def slow(request: model.BeginRequest) -> model.StartedSession:
        await held.wait()
        return await begin(request)

    desk.beginner.begin = slow  # type: ignore[method-assign] # -- a slow provider
    asking = [asyncio.create_task(desk.begin()) for _ in range(100)]
    while len(desk.kafka.list_open()) < 100:  # noqa: ASYNC110 -- nobody tells
        await asyncio.sleep(0)
    async with aiohttp.ClientSession(trust_env=False) as another:
        headers = {"Authorization": f"Bearer {kit.KEY}"}
        async with another.post(
            f"{desk.url}/sessions/one", json=kit.GOOD, headers=headers
        ) as response:
            assert (response.status, response.headers["Retry-After"]) == (503, "5")
    held.set()
    assert {status for status, _ in await asyncio.gather(*asking)} == {201}


def test_every_result_has_an_answer() -> None:
    """Whatever is reported was answered by a document of ours."""
    good = {labels.ApiResult.STARTED, labels.ApiResult.REGISTERED}

    assert set(labels.ApiResult) - good == set(responses.PROBLEMS)
