"""The HTTP client of the providers: bounded, patient, and silent about secrets."""

import asyncio
import gzip
import traceback
from collections.abc import Awaitable, Callable

import pytest
from aiohttp import web

from worker import errors
from worker.providers import _http, _http_responses

Serve = Callable[
    [Callable[[web.Request], Awaitable[web.StreamResponse]]], Awaitable[str]
]
_SECRET = "planted-key-9f8e7d"


def _client(base_url: str, clock: object, **changes: int) -> _http.Http:
    given = {"timeout_ms": 5_000, "limit_bytes": 1_000, **changes}
    return _http.Http(base_url=base_url, clock=clock, **given)  # type: ignore[arg-type]  # -- the fixture's clock is one


async def _refused(client: _http.Http, **request: object) -> errors.FetchError:
    """Return the error of a GET with a secret in the query and a header."""
    with pytest.raises(errors.FetchError) as caught:
        await client.request(
            "GET",
            "/result",
            query={"flow_api_key": _SECRET},
            headers={"X-API-LOGIN-TOKEN": _SECRET},
            **request,  # type: ignore[arg-type]  # -- limits only
        )
    await client.close()
    return caught.value


async def test_an_answer_is_returned_whole(serve: Serve, clock: object) -> None:
    """Status, headers, body and the clock's time come back; the request is as asked."""
    seen: list[web.Request] = []

    async def handler(request: web.Request) -> web.Response:
        seen.append(request)
        assert await request.read() == b"body"
        return web.Response(status=418, body=b"x" * 1_000, headers={"X-Say": "yes"})

    client = _client(await serve(handler), clock)
    answer = await client.request(
        "POST", "/a%2Fb", query={"k": "v&w"}, body=b"body", headers={"X-Ask": "this"}
    )
    await client.close()

    assert (
        answer.status,
        answer.body,
        answer.headers["x-say"],
    ) == (418, b"x" * 1_000, "yes")
    assert answer.received_at == 1_767_225_600_000
    assert seen[0].raw_path == "/a%2Fb?k=v%26w"
    assert seen[0].headers["X-Ask"] == "this"
    assert seen[0].headers["User-Agent"].startswith("kyc-worker/")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_no_redirect_is_followed(
    serve: Serve, clock: object, status: int
) -> None:
    """A redirect is a bad answer, and nobody goes there with our credentials."""
    paths: list[str] = []

    async def handler(request: web.Request) -> web.Response:
        paths.append(request.path)
        return web.Response(status=status, headers={"Location": "/elsewhere"})

    error = await _refused(_client(await serve(handler), clock))

    assert (error.reason, error.detail) == ("bad_answer", "redirect")
    assert paths == ["/result"]


@pytest.mark.parametrize("chunked", [True, False])
async def test_an_answer_over_the_limit_is_refused(
    serve: Serve, clock: object, *, chunked: bool
) -> None:
    """One byte too many is too many, announced or not; the limit itself is not."""

    async def handler(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        if not chunked:
            response.content_length = 1_001
        await response.prepare(request)
        await response.write(b"x" * 1_001)
        return response

    base = await serve(handler)
    fits = _client(base, clock)
    whole = await fits.request("GET", "/result", limit_bytes=1_001)
    await fits.close()
    error = await _refused(_client(base, clock))

    assert len(whole.body) == 1_001
    assert (error.reason, error.detail) == ("bad_answer", "too_large")


async def test_the_limit_holds_for_what_is_unpacked(
    serve: Serve, clock: object
) -> None:
    """A small body that unpacks to a large one is refused on the way."""

    async def handler(_: web.Request) -> web.Response:
        return web.Response(
            body=gzip.compress(b"0" * 50_000_000), headers={"Content-Encoding": "gzip"}
        )

    error = await _refused(_client(await serve(handler), clock, limit_bytes=100_000))

    assert error.detail == "too_large"


async def test_silence_is_a_timeout(serve: Serve, clock: object) -> None:
    """No answer within the time is a timeout, which is not repeated in place."""
    calls: list[str] = []

    async def handler(request: web.Request) -> web.Response:
        calls.append(request.path)
        await asyncio.Event().wait()
        raise AssertionError

    error = await _refused(_client(await serve(handler), clock, timeout_ms=50))

    assert (error.reason, error.answered) == ("timeout", False)
    assert calls == ["/result"]


async def test_a_stalled_body_is_a_timeout(serve: Serve, clock: object) -> None:
    """The time is for the whole answer, not for its first byte."""

    async def handler(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"{")
        await asyncio.Event().wait()
        return response

    error = await _refused(_client(await serve(handler), clock, timeout_ms=50))

    assert error.reason == "timeout"


async def test_a_broken_off_answer_is_unreachable(serve: Serve, clock: object) -> None:
    """A body shorter than announced is no answer; it was asked for three times."""
    calls: list[str] = []

    async def handler(request: web.Request) -> web.StreamResponse:
        calls.append(request.path)
        response = web.StreamResponse(headers={"Content-Length": "100"})
        await response.prepare(request)
        await response.write(b"{")
        assert request.transport is not None
        request.transport.close()
        return response

    error = await _refused(_client(await serve(handler), clock))

    assert (error.reason, error.detail) == ("unreachable", "broken_off")
    assert len(calls) == 3


async def test_a_connection_that_fails_once_is_tried_again(
    serve: Serve, clock: object
) -> None:
    """The second attempt in place succeeds after a short wait of the clock's."""
    calls: list[str] = []

    async def handler(request: web.Request) -> web.Response:
        calls.append(request.path)
        if len(calls) == 1:
            assert request.transport is not None
            request.transport.abort()
        return web.Response(body=b"{}")

    client = _client(await serve(handler), clock)
    answer = await client.request("POST", "/result", body=b"x")
    await client.close()

    assert answer.body == b"{}"
    assert len(calls) == 2
    assert [0 < waited < 1 for waited in clock.slept] == [True]  # type: ignore[attr-defined]  # -- the fixture's clock


async def test_one_attempt_is_one_attempt(serve: Serve, clock: object) -> None:
    """A request that must not be repeated is not."""
    calls: list[str] = []

    async def handler(request: web.Request) -> web.Response:
        calls.append(request.path)
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    client = _client(await serve(handler), clock)
    with pytest.raises(errors.ProviderUnreachable):
        await client.request("POST", "/begin", attempts=1)
    await client.close()

    assert len(calls) == 1


async def test_nobody_listening_is_unreachable(clock: object) -> None:
    """A refused connection tells neither the URL nor a key, however it is printed."""
    error = await _refused(_client("http://127.0.0.1:1", clock))

    found = "".join(traceback.format_exception(error)) + repr(error)
    assert (error.reason, error.detail) == ("unreachable", "not_connected")
    assert _SECRET not in found
    assert "127.0.0.1" not in found
    assert error.__cause__ is None
    assert error.__context__ is None


async def test_a_credential_that_cannot_be_sent_is_refused(
    serve: Serve, clock: object
) -> None:
    """A line break in a header is our account's fault, and is not told."""

    async def handler(_: web.Request) -> web.Response:
        return web.Response()

    client = _client(await serve(handler), clock)
    with pytest.raises(errors.ProviderAuthFailed) as caught:
        await client.request("GET", "/", headers={"X-Key": f"{_SECRET}\r\nX: y"})
    await client.close()

    assert caught.value.detail == "unsendable"
    assert caught.value.__context__ is None


async def test_garbage_instead_of_http_is_a_bad_answer(clock: object) -> None:
    """A peer that speaks something else gives a closed word, not a crash."""

    async def speak(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail.example ESMTP\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(speak, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    error = await _refused(_client(f"http://127.0.0.1:{port}", clock))
    server.close()
    await server.wait_closed()

    assert (error.reason, error.detail) == ("bad_answer", "protocol")


async def test_cookies_are_forgotten(serve: Serve, clock: object) -> None:
    """What one answer sets is not sent with the next request."""
    sent: list[str | None] = []

    async def handler(request: web.Request) -> web.Response:
        sent.append(request.headers.get("Cookie"))
        return web.Response(headers={"Set-Cookie": "id=1; Path=/"})

    base = (await serve(handler)).replace("127.0.0.1", "localhost")
    client = _client(base, clock)
    await client.request("GET", "/")
    await client.request("GET", "/")
    await client.close()

    assert sent == [None, None]


async def test_nothing_is_sent_after_close(serve: Serve, clock: object) -> None:
    """A closed client refuses, and closing twice is fine."""

    async def handler(_: web.Request) -> web.Response:
        return web.Response()

    client = _client(await serve(handler), clock)
    await client.close()
    await client.close()

    assert (await _refused(client)).detail == _http_responses.NOT_CONNECTED
