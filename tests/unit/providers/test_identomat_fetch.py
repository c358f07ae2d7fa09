"""Identomat: the result call as it goes over the wire, both ways."""

from collections.abc import Awaitable, Callable
from typing import Any

import orjson
import pytest
from aiohttp import web

from worker import clock as clocks
from worker import errors, model
from worker.providers import identomat

Serve = Callable[
    [Callable[[web.Request], Awaitable[web.StreamResponse]]], Awaitable[str]
]
_SESSION = "wwb83rh1se22wd81z0tx8bqlerljq5kgf6rxem1q"
_KEY = model.SessionKey("identomat", _SESSION)
_SECRET = "synthetic-secret-key"
_BODY = b'{"result": "approved",\n "live": false}'


async def _fetched(
    base_url: str, clock: clocks.Clock, **settings: object
) -> model.ProviderResponse:
    given = {
        "environment": "test",
        "company_key": "synthetic-company-key",
        "base_url": base_url,
        "max_answer_bytes": 1_000,
    }
    adapter = identomat.Adapter(
        "identomat", identomat.Settings.model_validate(given | settings), clock
    )
    try:
        return await adapter.fetch(_KEY, _SESSION)
    finally:
        await adapter.close()


def _signed(body: bytes, key: str = _SECRET) -> str:
    return identomat.SIGNATURE.sign(key.encode(), body)


async def test_the_result_is_asked_for_as_documented(
    serve: Serve, clock: clocks.Clock
) -> None:
    """A POST with company key and token in JSON, under the configured prefix."""
    seen: list[tuple[str, str, dict[str, Any], str | None]] = []

    async def handler(request: web.Request) -> web.Response:
        given = orjson.loads(await request.read())
        shown = request.headers.get("Authorization")
        seen.append((request.method, request.raw_path, given, shown))
        assert request.content_type == "application/json"
        return web.Response(body=_BODY)

    base = await serve(handler)
    answer = await _fetched(base, clock)
    await _fetched(base, clock, path_prefix="")

    given = {"company_key": "synthetic-company-key", "session_token": _SESSION}
    assert answer.document == {"result": "approved", "live": False}
    assert answer.observed_at == clock.now_ms()
    assert seen == [
        ("POST", "/external-api/result/", given, None),
        ("POST", "/result/", given, None),
    ]


async def test_with_a_secret_key_both_bodies_are_signed(
    serve: Serve, clock: clocks.Clock
) -> None:
    """Our signature is over the bytes sent, theirs over the bytes received."""

    async def handler(request: web.Request) -> web.Response:
        body = await request.read()
        assert request.headers["Authorization"] == _signed(body)
        assert request.headers["Accept-Encoding"] == "identity"
        return web.Response(body=_BODY, headers={"Authorization": _signed(_BODY)})

    answer = await _fetched(await serve(handler), clock, secret_key=_SECRET)

    assert answer.document["result"] == "approved"


@pytest.mark.parametrize(
    "shown",
    [
        [],
        [""],
        ["signature="],
        [_signed(_BODY, "another-key")],
        [_signed(orjson.dumps(orjson.loads(_BODY)))],
        [_signed(_BODY).replace("signature=", "")],
        [_signed(_BODY), _signed(_BODY)],
        ['signature="\xff"'],
    ],
    ids=range(8),
)
async def test_an_answer_that_is_not_rightly_signed_is_an_error(
    serve: Serve, clock: clocks.Clock, shown: list[str]
) -> None:
    """Missing, empty, forged, repeated or over other bytes: never believed."""

    async def handler(_: web.Request) -> web.Response:
        response = web.Response(body=_BODY)
        for value in shown:
            response.headers.add("Authorization", value)
        return response

    with pytest.raises(errors.BadResultSignature) as caught:
        await _fetched(await serve(handler), clock, secret_key=_SECRET)

    assert caught.value.__context__ is None


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (400, errors.InvalidResponse),
        (401, errors.ProviderAuthFailed),
        (403, errors.ProviderAuthFailed),
        (404, errors.SessionNotFound),
        (429, errors.RateLimited),
        (500, errors.ProviderFault),
        (503, errors.ProviderFault),
        (204, errors.InvalidResponse),
        (302, errors.InvalidResponse),
    ],
)
async def test_every_other_status_is_an_error(
    serve: Serve, clock: clocks.Clock, status: int, expected: type[errors.FetchError]
) -> None:
    """Failed answers carry no signature and need none to be failures."""

    async def handler(_: web.Request) -> web.Response:
        headers = {"Retry-After": "9", "Location": "/external-api/result/"}
        return web.Response(status=status, headers=headers)

    with pytest.raises(expected) as caught:
        await _fetched(await serve(handler), clock, secret_key=_SECRET)

    patient = expected in (errors.RateLimited, errors.ProviderFault)
    assert caught.value.retry_after_ms == 9_000 or not patient


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        (b"<html>down for maintenance</html>", "not_an_object"),
        (b'{"result": "appro', "not_an_object"),
        (b'["approved"]', "not_an_object"),
        (b'"approved"', "not_an_object"),
        (b"", "not_an_object"),
        (b'{"result": "approved", "x": "' + b"x" * 1_000 + b'"}', "too_large"),
    ],
    ids=range(6),
)
async def test_hostile_answers_are_bad_answers(
    serve: Serve, clock: clocks.Clock, body: bytes, detail: str
) -> None:
    """HTML, truncated, another value, too much: a bad answer, whatever its type."""

    async def handler(_: web.Request) -> web.Response:
        return web.Response(body=body, content_type="application/json")

    with pytest.raises(errors.InvalidResponse) as caught:
        await _fetched(await serve(handler), clock)

    assert caught.value.detail == detail
