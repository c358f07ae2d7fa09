"""Biometric.kz: the result call as documented, and its key seen by nobody else."""

import logging
import traceback
from collections.abc import Awaitable, Callable

import orjson
import pytest
from aiohttp import web

from tests.support import adapters
from worker import clock as clocks
from worker import errors
from worker.providers import biometric

Serve = Callable[
    [Callable[[web.Request], Awaitable[web.StreamResponse]]], Awaitable[str]
]
_KEY = "planted-flow-key/+&=?%"


def _adapter(base_url: str, clock: clocks.Clock) -> biometric.Adapter:
    settings = biometric.Settings.model_validate(
        {"environment": "test", "flow_api_key": _KEY, "base_url": base_url}
    )
    return biometric.Adapter("a", settings, clock)


async def _error(adapter: biometric.Adapter, spelling: str) -> errors.FetchError:
    with pytest.raises(errors.FetchError) as caught:
        await adapter.fetch(adapters.key(), spelling)
    await adapter.close()
    return caught.value


async def test_the_call_is_the_documented_one(
    serve: Serve, clock: clocks.Clock
) -> None:
    """One GET with the session as spelt and the flow's key, both in the query."""
    seen: list[web.Request] = []

    async def handler(request: web.Request) -> web.Response:
        seen.append(request)
        return web.Response(body=orjson.dumps({"id": adapters.UUID}))

    adapter = _adapter(await serve(handler), clock)
    spelling = adapters.UUID.upper()
    answer = await adapter.fetch(adapters.key(), spelling)
    await adapter.close()
    assert answer.document == {"id": adapters.UUID}
    assert clock.now_ms() == answer.observed_at
    assert [(request.method, request.path) for request in seen] == [
        ("GET", "/api/v1/flows/session/result/")
    ]
    assert {"session_id": spelling, "flow_api_key": _KEY} == dict(seen[0].query)


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (404, errors.SessionNotFound),
        (401, errors.ProviderAuthFailed),
        (403, errors.ProviderAuthFailed),
        (429, errors.RateLimited),
        (500, errors.ProviderFault),
        (503, errors.ProviderFault),
        (400, errors.InvalidResponse),
        (201, errors.InvalidResponse),
        (302, errors.InvalidResponse),
    ],
)
async def test_another_status_is_no_result_and_tells_no_key(
    serve: Serve,
    clock: clocks.Clock,
    caplog: pytest.LogCaptureFixture,
    status: int,
    error: type[errors.FetchError],
) -> None:
    """Each status has its error; neither it nor any log line holds the key."""
    caplog.set_level(logging.DEBUG)

    async def handler(request: web.Request) -> web.Response:
        headers = {"Location": str(request.url)} if status == 302 else {}
        body = orjson.dumps({"id": adapters.UUID, "asked": str(request.url)})
        return web.Response(status=status, body=body, headers=headers)

    raised = await _error(_adapter(await serve(handler), clock), adapters.UUID)
    assert error is type(raised)
    found = "".join(traceback.format_exception(raised)) + caplog.text + repr(raised)
    assert "planted" not in found
    assert "flow_api_key=" not in found


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"[]", b"null", b'{"id":', b'{"a":NaN}', b"\xff", b'"x"']
)
async def test_what_is_no_object_is_a_bad_answer(
    serve: Serve, clock: clocks.Clock, body: bytes
) -> None:
    """HTML, cut or other JSON is retried, never mapped."""

    async def handler(_: web.Request) -> web.Response:
        return web.Response(body=body)

    raised = await _error(_adapter(await serve(handler), clock), adapters.UUID)
    assert errors.InvalidResponse is type(raised)


@pytest.mark.parametrize("spelling", ["", "../x", "a&flow_api_key=x", "\ud800", "x\n"])
async def test_an_id_that_can_be_no_session_is_not_asked_for(
    clock: clocks.Clock, spelling: str
) -> None:
    """No call is made for it: nothing listens at this address."""
    raised = await _error(_adapter("http://127.0.0.1:1", clock), spelling)
    assert (errors.SessionNotFound, "malformed_id") == (type(raised), raised.detail)
