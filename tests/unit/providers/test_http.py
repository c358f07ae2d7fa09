"""The HTTP client of the providers: bounded, patient, and silent about secrets."""

import asyncio
import gzip
import traceback
from collections.abc import Awaitable, Callable, Iterator

import aiohttp
import multidict
import pytest
from aiohttp import web

from worker import errors
from worker.providers import _http

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


def _all_subclasses(root: type[BaseException]) -> Iterator[type[BaseException]]:
    yield root
    for child in root.__subclasses__():
        yield from _all_subclasses(child)


def _answer(
    status: int = 200, *, received_at: int = 0, **headers: str
) -> _http.HttpAnswer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return _http.HttpAnswer(
        status=status,
        headers=multidict.CIMultiDictProxy(multidict.CIMultiDict(named)),
        body=b"",
        received_at=received_at,
    )


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

    told = "".join(traceback.format_exception(error)) + repr(error)
    assert error.reason == "unreachable"
    assert _SECRET not in told
    assert "127.0.0.1" not in told
    assert error.__cause__ is None
    assert error.__context__ is None


async def test_a_credential_that_cannot_be_sent_is_refused(
    serve: Serve, clock: object
) -> None:
    """A line break in a header is our account's fault, and is not told."""

    async def handler(_: web.Request) -> web.Response:
        return web.Response()

    client = _client(await serve(handler), clock)
    with pytest.raises(errors.AccountRefused) as caught:
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

    assert (await _refused(client)).detail == "closed"


@pytest.mark.parametrize(
    "failure", sorted(set(_all_subclasses(aiohttp.ClientError)), key=str)
)
def test_every_client_error_has_a_place(failure: type[BaseException]) -> None:
    """No error of the client library is left to the last resort but its root."""
    mapped = _http.mapped_failure(failure.__new__(failure))

    unknown = failure is aiohttp.ClientError
    assert unknown == (mapped.detail == "unknown")
    assert isinstance(mapped, errors.FetchError)


@pytest.mark.parametrize(
    ("failure", "expected"),
    [
        (TimeoutError(), errors.ProviderTimeout),
        (aiohttp.ServerTimeoutError(), errors.ProviderTimeout),
        (aiohttp.ConnectionTimeoutError(), errors.ProviderTimeout),
        (aiohttp.ServerDisconnectedError(), errors.ProviderUnreachable),
        (aiohttp.ClientOSError(), errors.ProviderUnreachable),
        (aiohttp.ClientPayloadError(), errors.ProviderUnreachable),
        (ConnectionResetError(), errors.ProviderUnreachable),
        (OSError(), errors.ProviderUnreachable),
        (aiohttp.InvalidURL(_SECRET), errors.BadAnswer),
        (UnicodeEncodeError("ascii", _SECRET, 0, 1, "why"), errors.AccountRefused),
    ],
)
def test_failures_map_by_what_they_mean(
    failure: BaseException, expected: type[errors.FetchError]
) -> None:
    """Timeouts before connections, and none of the texts survives."""
    mapped = _http.mapped_failure(failure)

    assert expected is type(mapped)
    assert _SECRET not in str(mapped)


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (429, errors.RateLimited),
        (401, errors.AccountRefused),
        (403, errors.AccountRefused),
        (500, errors.ProviderFault),
        (503, errors.ProviderFault),
        (599, errors.ProviderFault),
        (204, errors.BadAnswer),
        (400, errors.BadAnswer),
        (404, errors.BadAnswer),
        (600, errors.BadAnswer),
    ],
)
def test_a_status_has_one_meaning(
    status: int, expected: type[errors.FetchError]
) -> None:
    """Each status that is no result becomes its own error."""
    assert expected is type(_http.refusal(_answer(status)))


def test_a_refusal_carries_the_word_and_the_wait() -> None:
    """The detail is the table's word, and Retry-After comes along."""
    refusal = _http.refusal(_answer(503, Retry_After="7"), detail="BUSY")

    assert (refusal.detail, refusal.retry_after_ms) == ("BUSY", 7_000)
    assert _http.refusal(_answer(429, Retry_After="7")).retry_after_ms == 7_000


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0", 0),
        ("120", 120_000),
        (" 5 ", 5_000),
        ("86400", 86_400_000),
        ("86401", 86_400_000),
        ("9" * 40, 86_400_000),
        ("Thu, 01 Jan 2026 00:01:00 GMT", 60_000),
        ("Wed, 31 Dec 2025 23:59:00 GMT", 0),
        ("Fri, 01 Jan 2027 00:00:00 GMT", 86_400_000),
        ("", None),
        ("-5", None),
        ("1.5", None),
        ("soon", None),
        ("\u0665", None),
        ("Thu, 01 Jan 99999 00:01:00 GMT", None),
        ("Thu, 99 Jan 2026 00:01:00 GMT", None),
    ],
)
def test_retry_after_is_read_exactly(text: str, expected: int | None) -> None:
    """Seconds or a date against the answer's time; capped at a day, else ignored."""
    answer = _answer(503, received_at=1_767_225_600_000, Retry_After=text)

    assert expected == _http.retry_after_ms(answer)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>busy</html>",
        b'{"a": 1',
        b'{"a": NaN}',
        b'{"a": Infinity}',
        b"[]",
        b'"text"',
        b"1",
        b"null",
        b'{"a": "\xff"}',
        b"\xef\xbb\xbf{}",
        b'{"a":' * 5_000 + b"1" + b"}" * 5_000,
        b"{} {}",
    ],
)
def test_only_one_object_is_an_object(body: bytes) -> None:
    """Everything else is a bad answer that keeps nothing of the body."""
    with pytest.raises(errors.BadAnswer) as caught:
        _http.parse_object(body)

    assert caught.value.detail == "not_an_object"
    assert caught.value.__context__ is None


def test_an_object_is_parsed() -> None:
    """An object comes back as it is."""
    assert _http.parse_object(b' {"a": [1, null]} ') == {"a": [1, None]}


def test_an_answer_keeps_its_body_out_of_repr() -> None:
    """Headers and body may hold secrets and persons."""
    told = repr(_answer(200, Authorization=_SECRET))

    assert _SECRET not in told
