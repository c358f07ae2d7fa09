"""Slow, half-closed and malformed clients, and the end of the service."""

import asyncio

import aiohttp
import pytest

from tests.unit.ingress import conftest, support
from worker import http_server, ingress

_HEAD = b"POST /webhooks/signed HTTP/1.1\r\nHost: a\r\n"
_LENGTH = b"Content-Length: 10\r\n\r\n"
#: of nothing, and well-formed: the body is read before it is known to be wrong
_SIGNED = b"X-Verification-Signature: " + b"0" * 64 + b"\r\n"


async def test_slow_body(serve: conftest.Serve) -> None:
    """A body that does not arrive in time is 408, and its place is free again."""
    bounds = ingress.Limits(
        read_timeout_s=0.05,
        connections=http_server.ConnectionLimits(linger_timeout_s=0.05),
    )
    served = await serve(bounds=bounds)

    reply = await asyncio.wait_for(served.raw(_HEAD, _SIGNED + _LENGTH + b"{"), 2)

    assert reply.startswith(b"HTTP/1.1 408 ")
    assert b"application/problem+json" in reply
    assert served.ingress.in_flight == 0


async def test_slow_head(serve: conftest.Serve) -> None:
    """A connection whose request head does not come is closed."""
    served = await serve(
        bounds=ingress.Limits(
            connections=http_server.ConnectionLimits(keepalive_timeout_s=0.05)
        )
    )

    assert await asyncio.wait_for(served.raw(_HEAD), 2) == b""


async def test_idle_connection(serve: conftest.Serve) -> None:
    """A connection that is kept open for nothing is closed."""
    served = await serve(
        bounds=ingress.Limits(
            connections=http_server.ConnectionLimits(keepalive_timeout_s=0.05)
        )
    )
    request = _HEAD + b"Content-Length: 2\r\n\r\n{}"

    reply = await asyncio.wait_for(served.raw(request), 2)

    assert reply.startswith(b"HTTP/1.1 401 ")


async def test_half_closed_within_the_body(serve: conftest.Serve) -> None:
    """A client that closes its side before the body is whole gets no 2xx."""
    served = await serve()

    reply = await asyncio.wait_for(
        served.raw(_HEAD + _SIGNED + _LENGTH + b"{", end=True), 2
    )
    await asyncio.wait_for(served.observer.reported.wait(), 2)

    assert not reply.startswith(b"HTTP/1.1 2")
    assert ingress.Result.ABORTED is served.observer.last.result
    assert served.ingress.in_flight == 0
    assert served.sink.events == []


async def test_gone_while_kafka_is_asked(serve: conftest.Serve) -> None:
    """A client that goes away does not stop what was begun for it."""
    served = await serve()
    served.sink.gate = asyncio.Event()
    signature = support.signed()[support.SCHEME.header].encode()
    _, writer = await asyncio.open_connection("127.0.0.1", served.port)
    writer.write(
        _HEAD
        + b"X-Verification-Signature: %s\r\nContent-Length: %d\r\n\r\n%s"
        % (signature, len(support.BODY), support.BODY)
    )
    await served.sink.entered.wait()

    writer.transport.abort()
    served.sink.gate.set()
    await asyncio.wait_for(served.observer.reported.wait(), 2)

    assert len(served.sink.events) == 1
    assert served.ingress.in_flight == 0


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 TLS where it is not spoken",
        b"NOT HTTP AT ALL\r\n\r\n",
        b"\x00\x00\x00\x00\r\n\r\n",
        b"POST /webhooks/signed HTTP/9.9\r\n\r\n",
        _HEAD + b"X-Long: " + b"a" * 20_000 + b"\r\n\r\n",
        b"POST /" + b"a" * 20_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
        _HEAD + b"".join(b"X-%d: a\r\n" % n for n in range(500)) + b"\r\n",
        _HEAD + b"Content-Length: -1\r\n\r\n",
        _HEAD + b"Content-Length: 1e3\r\n\r\n",
        _HEAD + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n{}",
        _HEAD + b"Content-Length: 99999999999999999999999\r\n\r\n",
        _HEAD + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}",
        _HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n",
        _HEAD + b"Transfer-Encoding: chunked\r\n\r\n-2\r\n{}\r\n0\r\n\r\n",
        _HEAD + b"No colon\r\n\r\n",
        _HEAD + b"Bad\x00Name: a\r\n\r\n",
        _HEAD + b"X-Split: a\nb: c\rd\r\n\r\n",
    ],
)
async def test_malformed_http(serve: conftest.Serve, request_bytes: bytes) -> None:
    """What is not HTTP is 400, a problem document that quotes nothing."""
    served = await serve()

    reply = await asyncio.wait_for(served.raw(request_bytes), 4)

    assert reply.split(b" ", 2)[1] == b"400"
    assert b"application/problem+json" in reply
    assert reply.endswith(
        (
            b'"detail":"The request is malformed."}',
            b'"detail":"The request is malformed.","instance":"/webhooks/{source}"}',
        )
    )
    assert ingress.Result.MALFORMED_REQUEST is served.observer.last.result


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"CONNECT example.com:443 HTTP/1.1\r\nHost: a\r\n\r\n",
        b"OPTIONS * HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        b"POST http://[::1/webhooks/signed HTTP/1.1\r\nHost: a\r\n\r\n",
        b"POST /webhooks/signed HTTP/1.0\r\nContent-Length: 2\r\n\r\n{}",
        b"POST http://a/webhooks/signed HTTP/1.0\r\nContent-Length: 2\r\n\r\n{}",
        _HEAD + b"Upgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nContent-Length: 2\r\n\r\n{}",
        b"POST /webhooks/signed\r\n\r\n",  # HTTP/0.9
        _HEAD.replace(b"1.1", b"1.0") + b"Expect: 100-continue\r\n" + _LENGTH + b"{",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"POST /webhooks/%ff%fe%00 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        b"POST /webhooks/signed?%ff=%00;& HTTP/1.0\r\n\r\n",
        b"POST /webhooks/\xff\xfe HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    ],
)
async def test_strange_http(serve: conftest.Serve, request_bytes: bytes) -> None:
    """What is HTTP and no callback is a 4xx."""
    bounds = ingress.Limits(
        read_timeout_s=0.2,
        connections=http_server.ConnectionLimits(
            keepalive_timeout_s=0.2, linger_timeout_s=0.2
        ),
    )
    served = await serve(bounds=bounds)

    reply = await asyncio.wait_for(served.raw(request_bytes), 4)

    assert reply.split(b" ", 2)[1].startswith(b"4")
    assert served.sink.events == []


async def test_pipelined_requests(serve: conftest.Serve) -> None:
    """Requests sent ahead on one connection are answered in their order."""
    served = await serve()
    good = support.signed()[support.SCHEME.header].encode()
    body = b"Content-Length: %d\r\n\r\n%s" % (len(support.BODY), support.BODY)

    reply = await served.raw(
        _HEAD + b"X-Verification-Signature: %s\r\n" % good + body,
        _HEAD + b"Connection: close\r\n" + body,
    )

    statuses = [part[:3] for part in reply.split(b"HTTP/1.1 ")[1:]]
    assert statuses == [b"200", b"401"]


async def test_drain(serve: conftest.Serve) -> None:
    """What was begun is finished and answered; nothing new is taken."""
    served = await serve()
    served.sink.gate = asyncio.Event()
    assert served.ingress.ready
    begun = asyncio.ensure_future(served.send())
    await served.sink.entered.wait()

    drained = asyncio.ensure_future(served.ingress.drain(5))
    for _ in range(4):  # lets it close the door
        await asyncio.sleep(0)
    assert not served.ingress.ready
    with pytest.raises(aiohttp.ClientError):
        await served.send()
    served.sink.gate.set()
    await drained

    assert (await begun).status == 200
    assert served.forwarder.closed
    assert len(served.sink.events) == 1


async def test_drain_closes_idle_connections(serve: conftest.Serve) -> None:
    """A connection kept for later does not hold the end up."""
    served = await serve()
    await served.send()

    await asyncio.wait_for(served.ingress.drain(30), 2)
    await served.ingress.drain(30)

    assert not served.ingress.ready


async def test_drain_has_an_end(serve: conftest.Serve) -> None:
    """What does not finish in time is cut off, without a 2xx."""
    served = await serve()
    served.sink.gate = asyncio.Event()
    begun = asyncio.ensure_future(served.send())
    await served.sink.entered.wait()

    await asyncio.wait_for(served.ingress.drain(0.05), 2)

    with pytest.raises(aiohttp.ClientError):
        await begun


async def _connected(
    served: support.Served,
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Return a connection of which the ingress knows."""
    reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
    await asyncio.sleep(0.05)
    return reader, writer


async def test_drain_lets_a_body_come_in(serve: conftest.Serve) -> None:
    """A request whose body is still on its way is read, answered and the last one."""
    served = await serve()
    reader, writer = await _connected(served)
    signature = support.signed()[support.SCHEME.header].encode()
    head = b"X-Verification-Signature: %s\r\nContent-Length: %d\r\n"
    asking = b"Expect: 100-continue\r\n\r\n"
    writer.write(_HEAD + head % (signature, len(support.BODY)) + asking)
    assert b"100 Continue" in await reader.readuntil(b"\r\n\r\n")
    writer.write(support.BODY[:1])

    drained = asyncio.ensure_future(served.ingress.drain(5))
    await asyncio.sleep(0.05)
    writer.write(support.BODY[1:])
    reply = await asyncio.wait_for(reader.read(), 2)
    await drained
    writer.close()

    assert reply.startswith(b"HTTP/1.1 200 ")
    assert b"Connection: close" in reply
    assert len(served.sink.events) == 1


async def test_drain_waits_for_a_first_request(serve: conftest.Serve) -> None:
    """A connection that was accepted gets its answer, though its request came late."""
    served = await serve()
    reader, writer = await _connected(served)

    drained = asyncio.ensure_future(served.ingress.drain(5))
    await asyncio.sleep(0.05)
    writer.write(_HEAD + b"Content-Length: 2\r\n\r\n{}")
    reply = await asyncio.wait_for(reader.read(), 2)
    await drained
    writer.close()

    assert reply.startswith(b"HTTP/1.1 401 ")
