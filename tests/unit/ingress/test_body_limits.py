"""Bodies over real sockets: too long, encoded, not one JSON object, and just right."""

import asyncio
import hashlib

import orjson
import pytest

from tests.unit.ingress import conftest, support
from worker import errors, http_server, ingress

_PROBLEM = "application/problem+json"


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


async def test_a_text_that_was_cut_within_an_emoji(serve: conftest.Serve) -> None:
    """Half a surrogate pair in a text that is not read refuses no callback."""
    served = await serve()
    body = b'{"session":"a","comment":"well done \\ud83d"}'

    reply = await served.send(body=body)

    assert reply.status == 200
    assert [each.session_id for each in served.sink.events] == ["a"]
    assert served.sink.events[0].digest == hashlib.sha256(body).hexdigest()


async def test_a_session_that_was_cut_within_an_emoji(serve: conftest.Serve) -> None:
    """What is read and cannot be is told like any other unmappable callback."""
    served = await serve()

    reply = await served.send(body=b'{"session":"\\ud800"}')

    assert reply.status == 503
    assert [each.reason for each in served.sink.letters] == ["unmappable"]


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
    bounds = ingress.Limits(
        connections=http_server.ConnectionLimits(linger_timeout_s=0.05)
    )
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
