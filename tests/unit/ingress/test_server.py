"""The webhook endpoints over real sockets: every answer, in its order."""

import asyncio
import hashlib
import re
import uuid

import orjson
import pytest

from tests.unit.ingress import conftest, support
from worker import errors, ingress

_PROBLEM = "application/problem+json"


async def test_accepted(serve: conftest.Serve) -> None:
    """An authentic callback is published, and answered with its event's id."""
    served = await serve()

    reply = await served.send()

    [event] = served.sink.events
    assert reply.status == 200
    assert reply.headers["Content-Type"] == "application/json"
    assert {"status": "accepted", "event_id": event.event_id} == reply.json
    assert str(uuid.UUID(event.event_id)) == event.event_id
    assert (
        event.source,
        event.provider,
        event.environment,
    ) == ("signed", "fake", "test")
    assert (
        event.session_id,
        event.provider_session_id,
    ) == (support.SESSION, support.SESSION)
    assert hashlib.sha256(support.BODY).hexdigest() == event.digest
    assert event.received_at == support.NOW_MS
    assert event.claim == {"decision": "approved"}


async def test_trace_starts_here(serve: conftest.Serve) -> None:
    """A traceparent from the internet is not trusted."""
    served = await serve()
    theirs = "00-" + "a" * 32 + "-" + "b" * 16 + "-01"

    await served.send(headers=support.signed() | {"traceparent": theirs})
    await served.send()

    ours = [event.traceparent for event in served.sink.events]
    assert theirs not in ours
    assert len(set(ours)) == 2
    assert all(re.fullmatch(r"00-[0-9a-f]{32}-[0-9a-f]{16}-01", t or "") for t in ours)


async def test_each_delivery_is_an_event_of_its_own(serve: conftest.Serve) -> None:
    """A repeated callback is a second event with the same digest."""
    served = await serve()

    await served.send()
    await served.send()

    first, second = served.sink.events
    assert first.event_id != second.event_id
    assert first.digest == second.digest


async def test_ignored(serve: conftest.Serve) -> None:
    """An authentic message that decides nothing is answered so, and not published."""
    served = await serve()
    body = b'{"kind":"ignore"}'

    reply = await served.send(body=body)

    assert (reply.status, reply.json) == (200, {"status": "ignored"})
    assert served.sink.events == []
    assert ingress.Result.IGNORED is served.observer.last.result


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/webhooks",
        "/webhooks/",
        "/webhooks//",
        "/webhooks/unknown",
        "/webhooks/unknown/token",
        "/webhooks/SIGNED",
        "/webhooks/signed/",
        "/webhooks/signed/token",
        "/webhooks/by_url/a/b",
        "/webhooks/%73igned",
        "/webhooks/signed%2f",
        "/webhooks/..%2fwebhooks/signed",
        "/Webhooks/signed",
        "//webhooks/signed",
        "/livez",
    ],
)
async def test_unknown_path(serve: conftest.Serve, path: str) -> None:
    """What is no endpoint is 404, and so is a token where none is in use."""
    served = await serve()

    reply = await served.raw(
        f"POST {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
        f"Content-Length: 0\r\n\r\n".encode()
    )

    assert reply.startswith(b"HTTP/1.1 404 ")
    assert _PROBLEM.encode() in reply
    assert served.sink.events == []


async def test_unknown_source_has_one_label(serve: conftest.Serve) -> None:
    """Outsiders choose no metric label, whatever name they try."""
    served = await serve()

    await served.send("a_name_of_theirs")

    assert served.observer.last.source == "unknown"
    assert "a_name_of_theirs" not in repr(served.observer.reports)


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "OPTIONS"])
async def test_unlisted_method(serve: conftest.Serve, method: str) -> None:
    """An unlisted method is 405 with Allow, before any authentication."""
    served = await serve()

    reply = await served.send(method=method, headers={})

    assert reply.status == 405
    assert reply.headers["Allow"] == "POST"
    assert reply.headers["Content-Type"] == _PROBLEM


async def test_head_is_refused_without_a_body(serve: conftest.Serve) -> None:
    """A HEAD gets the status and no body."""
    served = await serve()

    reply = await served.send(method="HEAD", headers={}, body=None)

    assert (reply.status, reply.body) == (405, b"")


@pytest.mark.parametrize(
    "encoding",
    ["gzip", "deflate", "br", "zstd", "identity, gzip", "identity, identity"],
)
async def test_content_encoding(serve: conftest.Serve, encoding: str) -> None:
    """An encoded body is 415: the signature covers the bytes on the wire."""
    served = await serve()
    # A list, so that the client sends the header without encoding anything.
    head = (
        f"POST /webhooks/signed HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
        f"Content-Encoding: {encoding}\r\nContent-Length: {len(support.BODY)}\r\n"
        f"{support.SCHEME.header}: {support.signed()[support.SCHEME.header]}\r\n\r\n"
    )

    reply = await served.raw(head.encode() + support.BODY)

    assert reply.startswith(b"HTTP/1.1 415 ")
    assert served.sink.events == []


async def test_identity_encoding(serve: conftest.Serve) -> None:
    """``identity`` says that there is no encoding."""
    served = await serve()
    headers = support.signed() | {"Content-Encoding": "Identity"}

    reply = await served.send(headers=headers)

    assert reply.status == 200


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"null",
        b"true",
        b"1",
        b'"text"',
        b"[]",
        b"[{}]",
        b"{",
        b"{}{}",
        b"{} x",
        b"\xff\xfe{}",
        b"\xef\xbb\xbf{}",
        b'{"session":"\xff"}',
        b'{"session":"\\ud800"}',
        b'{"session":NaN}',
        b'{"session":Infinity}',
        b'{"session":1e999}',
        b'{"session":' + b"9" * 5000 + b"}",
        b'{"session":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"a":' * 20_000 + b"1" + b"}" * 20_000,
        b"session=a",
        b"<xml/>",
        b"{'session': 'a'}",
        b'{"session":"a",}',
        b'\x00{"session":"a"}',
    ],
)
async def test_not_one_json_object(serve: conftest.Serve, body: bytes) -> None:
    """An authentic body that is not one JSON object is 400."""
    served = await serve()

    reply = await served.send(body=body)

    assert reply.status == 400
    assert reply.headers["Content-Type"] == _PROBLEM
    assert reply.json["detail"] == "The body is not one JSON object."
    assert served.sink.events == []


async def test_repeated_key(serve: conftest.Serve) -> None:
    """Of a repeated key the last counts, for everything that reads the document."""
    served = await serve()

    await served.send(body=b'{"session":"first","session":"second"}')

    assert served.sink.events[0].session_id == "second"


@pytest.mark.parametrize("chunked", [False, True])
async def test_body_over_the_limit(serve: conftest.Serve, *, chunked: bool) -> None:
    """A body over the source's limit is 413, with and without Content-Length."""
    served = await serve(support.source(max_body_bytes=len(support.BODY)))
    body = support.BODY + b" "
    headers = support.signed(body)

    if chunked:
        reply = await served.raw(_chunked(body, headers))
    else:
        reply = await served.raw(_sized(body, headers))

    assert reply.startswith(b"HTTP/1.1 413 ")
    assert b"Connection: close" in reply
    assert served.sink.events == []


@pytest.mark.parametrize("chunked", [False, True])
async def test_body_at_the_limit(serve: conftest.Serve, *, chunked: bool) -> None:
    """A body of exactly the limit passes."""
    served = await serve(support.source(max_body_bytes=len(support.BODY)))
    make = _chunked if chunked else _sized

    reply = await served.raw(make(support.BODY, support.signed(), close=True))

    assert reply.startswith(b"HTTP/1.1 200 ")


async def test_long_body_is_not_read(serve: conftest.Serve) -> None:
    """A Content-Length over the limit is refused before a byte of the body is sent."""
    bounds = ingress.Limits(linger_timeout_s=0.05)
    served = await serve(bounds=bounds)

    reply = await served.raw(
        b"POST /webhooks/signed HTTP/1.1\r\nHost: a\r\n"
        b"Content-Length: 99999999999\r\nExpect: 100-continue\r\n\r\n"
    )

    assert reply.startswith(b"HTTP/1.1 413 ")


async def test_client_that_asks_first(serve: conftest.Serve) -> None:
    """A client with ``Expect: 100-continue`` is told to go on."""
    served = await serve()
    headers = support.signed() | {"Expect": "100-continue", "Connection": "close"}
    whole = _sized(support.BODY, headers)
    head, body = whole.split(b"\r\n\r\n", 1)
    reader, writer = await asyncio.open_connection("127.0.0.1", served.port)

    writer.write(head + b"\r\n\r\n")
    first = await reader.readuntil(b"\r\n\r\n")
    writer.write(body)
    rest = await reader.read()
    writer.close()

    assert first == b"HTTP/1.1 100 Continue\r\n\r\n"
    assert rest.startswith(b"HTTP/1.1 200 ")


async def test_authentication_stands_before_the_parser(serve: conftest.Serve) -> None:
    """Who is not authentic learns nothing about what the body should be."""
    served = await serve()

    reply = await served.send(body=b"not json", headers={})

    assert reply.status == 401


async def test_signature_over_a_re_encoded_body(serve: conftest.Serve) -> None:
    """A right signature over the same document in other bytes is wrong."""
    served = await serve()
    other = orjson.dumps(support.DOCUMENT, option=orjson.OPT_INDENT_2)

    reply = await served.send(body=other, headers=support.signed(support.BODY))

    assert reply.status == 401
    assert errors.AuthCause.WRONG_SIGNATURE is served.observer.last.cause


async def test_one_answer_for_every_cause(serve: conftest.Serve) -> None:
    """Nothing in a 401 tells what was wrong; the report does."""
    by_url = support.url_source(
        authenticators=frozenset({"signed_url", "basic", "hmac_body", "body_key"}),
        basic_credentials=(b"user:password",),
        body_key_field="key",
        body_keys=(b"body key",),
    )
    served = await serve(by_url)
    right = f"by_url/{support.token('by_url')}"
    basic = {"Authorization": "Basic dXNlcjpwYXNzd29yZA=="}

    replies = [
        await served.send("by_url", headers={}),
        await served.send("by_url/wrong", headers={}),
        await served.send(right, headers={}),
        await served.send(right, headers={"Authorization": "Basic eDp5"}),
        await served.send(right, headers=basic),
        await served.send(right, headers=basic | {support.SCHEME.header: "zz"}),
        await served.send(right, headers=basic | {support.SCHEME.header: "0" * 64}),
        await served.send(right, headers=basic | support.signed()),
        await served.send(
            right, b'{"key":1}', headers=basic | support.signed(b'{"key":1}')
        ),
    ]

    assert [report.cause for report in served.observer.reports] == [
        "missing_token",
        "wrong_token",
        "missing_basic",
        "wrong_basic",
        "missing_signature",
        "malformed_signature",
        "wrong_signature",
        "missing_body_key",
        "wrong_body_key",
    ]
    assert len({reply.comparable for reply in replies}) == 1
    assert replies[0].status == 401
    assert replies[0].json["instance"] == "/webhooks/{source}"
    assert "WWW-Authenticate" in replies[0].headers
    assert served.sink.events == []


async def test_token_is_read_from_the_path(serve: conftest.Serve) -> None:
    """A signed URL of either secret passes, and tells which it was."""
    served = await serve()
    tokens = [support.token("by_url", key) for key in (support.KEY, support.OLD_KEY)]

    statuses = [(await served.send(f"by_url/{t}", headers={})).status for t in tokens]

    assert statuses == [200, 200]
    assert [r.matches[0].position for r in served.observer.reports] == [0, 1]
    assert served.observer.last.matches[0].authenticator == "signed_url"


async def test_percent_encoded_token_is_wrong(serve: conftest.Serve) -> None:
    """The token is compared as the text that stands in the path."""
    served = await serve()
    token = support.token("by_url")
    path = f"/webhooks/by_url/%{ord(token[0]):02x}{token[1:]}"

    reply = await served.raw(
        f"POST {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
        f"Content-Length: {len(support.BODY)}\r\n\r\n".encode()
        + support.BODY
    )

    assert reply.startswith(b"HTTP/1.1 401 ")


async def test_problem_names_the_template(serve: conftest.Serve) -> None:
    """A problem document has its five members, and never the path."""
    served = await serve()
    token = support.token("by_url")

    reply = await served.send(f"by_url/{token}", b"[]", headers={})

    assert reply.json == {
        "type": "about:blank",
        "title": "Bad Request",
        "status": 400,
        "detail": "The body is not one JSON object.",
        "instance": "/webhooks/{source}/{token}",
    }
    assert token.encode() not in reply.body


async def test_get_with_the_session_in_the_query(serve: conftest.Serve) -> None:
    """A GET without a body wakes, where the source says which parameter to read."""
    of = support.url_source(methods=("POST", "GET"), session_id_query="session")
    served = await serve(of)
    path = f"by_url/{support.token('by_url')}?session={support.SESSION}&other=1"

    reply = await served.send(path, None, method="GET", headers={})

    assert reply.status == 200
    assert served.sink.events[0].session_id == support.SESSION


@pytest.mark.parametrize("query", ["", "?session=a&session=b", "?other=a"])
async def test_get_without_one_session(serve: conftest.Serve, query: str) -> None:
    """A GET that names no session, or two, is authentic and not mappable."""
    of = support.url_source(methods=("GET",), session_id_query="session")
    served = await serve(of)
    path = f"by_url/{support.token('by_url')}{query}"

    reply = await served.send(path, None, method="GET", headers={})

    assert reply.status == 503
    assert served.sink.events == []


async def test_signature_over_no_body_proves_no_query(serve: conftest.Serve) -> None:
    """Where the body is what is signed, a request without one is 400."""
    of = support.source(methods=("GET",), session_id_query="session")
    served = await serve(of)

    reply = await served.send("signed?session=a", b"", method="GET")

    assert reply.status == 400
    assert served.sink.events == []


async def test_fault_of_ours(serve: conftest.Serve) -> None:
    """An exception that nobody foresaw is 503, and only its class and place told."""
    served = await serve()

    reply = await served.send(body=b'{"kind":"crash","session":"a marker"}')

    assert reply.status == 503
    assert served.ingress.in_flight == 0
    report = served.observer.last
    assert ingress.Result.FAILED is report.result
    assert (report.fault or "").startswith("KeyError in tests.unit.ingress.support:")
    assert "a marker" not in repr(report)


def _sized(body: bytes, headers: dict[str, str], *, close: bool = False) -> bytes:
    """Return a request with Content-Length."""
    return _head(headers | {"Content-Length": str(len(body))}, close=close) + body


def _chunked(body: bytes, headers: dict[str, str], *, close: bool = False) -> bytes:
    """Return a request in chunks of ten bytes."""
    pieces = [body[at : at + 10] for at in range(0, len(body), 10)]
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces)
    head = _head(headers | {"Transfer-Encoding": "chunked"}, close=close)
    return head + chunks + b"0\r\n\r\n"


def _head(headers: dict[str, str], *, close: bool) -> bytes:
    """Return a request's head."""
    if close:
        headers = headers | {"Connection": "close"}
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"POST /webhooks/signed HTTP/1.1\r\nHost: a\r\n{lines}\r\n".encode()
