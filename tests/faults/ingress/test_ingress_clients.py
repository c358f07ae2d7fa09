"""Clients that are slow, silent, greedy or endless cost an ingress little."""

import asyncio
import contextlib
import pathlib
import resource
from collections.abc import AsyncIterator

import pytest

from tests.support import load_client, system
from worker.devkit import broker

_HOST = "127.0.0.1"
_READ_S, _KEEPALIVE_S = 1.0, 3.0
#: the rest of a body is read for this long before the connection is cut
_LINGER_S = 1.0
_SLACK_S = 4.0
_IDLE = 2000
_IDLE_BYTES_MAX = 64 << 10
_PIPELINED_BYTES = 64 << 20
_PIPELINE_GROWTH_MAX = 16 << 20
#: of a request among slow ones, on a busy machine
_QUICK_S = 2.0


@pytest.fixture(name="ingress")
async def _ingress(
    cluster: broker.Cluster,
    topic_prefix: str,
    tmp_path: pathlib.Path,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[tuple[system.Process, bytes]]:
    """Yield an ingress that is patient for a short time, and a callback for it."""
    monkeypatch.setenv("KYC_INGRESS__READ_TIMEOUT", f"{_READ_S:.0f}s")
    monkeypatch.setenv("KYC_INGRESS__KEEPALIVE_TIMEOUT", f"{_KEEPALIVE_S:.0f}s")
    monkeypatch.setenv("KYC_INGRESS__LINGER_TIMEOUT", f"{_LINGER_S:.0f}s")
    async with system.System(
        cluster.bootstrap_servers, topic_prefix, tmp_path
    ) as running:
        process = running.start("ingress")
        await running.ready(process)
        yield process, load_client.payload(running)


async def _dripped(port: int, head: bytes, drops: bytes) -> tuple[float, bytes]:
    """Send *head*, then *drops* one by one; return how long that was let happen."""
    now = asyncio.get_running_loop().time
    reader, writer = await asyncio.open_connection(_HOST, port)
    began = now()
    writer.write(head)
    reading = asyncio.create_task(reader.read())
    for drop in drops:
        if reading.done():
            break
        with contextlib.suppress(OSError):
            writer.write(bytes([drop]))
        await asyncio.wait({reading}, timeout=0.1)
    reply = b""
    with contextlib.suppress(ConnectionError):
        reply = await reading
    writer.close()
    return now() - began, reply


async def test_slow_clients_are_ended_and_hold_nobody_up(
    ingress: tuple[system.Process, bytes],
) -> None:
    """A head or a body that comes byte by byte has its time, and no more."""
    process, payload = ingress
    head, _, body = payload.partition(b"\r\n\r\n")
    lines = head + b"\r\n" + b"X-Drip: " + b"a" * 400
    quick = load_client.Hammer(process.port, payload, pause_s=0.05)
    quick.start(4)
    slow = await asyncio.gather(
        *(_dripped(process.port, b"", lines) for _ in range(100)),
        *(_dripped(process.port, head + b"\r\n\r\n", body) for _ in range(100)),
    )
    await quick.stop()
    heads, bodies = slow[:100], slow[100:]
    gone = await _dripped(process.port, b"GET /", b"")

    assert max(seconds for seconds, _ in heads) < _KEEPALIVE_S + _SLACK_S
    assert max(seconds for seconds, _ in bodies) < _READ_S + _LINGER_S + _SLACK_S
    # Who goes on sending may lose the answer to a reset.
    found = [reply[:12] for _, reply in bodies if reply]
    assert {b"HTTP/1.1 408"} == set(found)
    assert len(found) > len(bodies) / 2
    assert {b""} == {reply for _, reply in heads} == {gone[1]}
    assert {200} == {each.status for each in quick.answers}
    assert load_client.percentile([a.seconds for a in quick.answers], 0.99) < _QUICK_S
    assert quick.lost == []


def _idle_connections() -> int:
    """Return how many connections a process here may have, 2,000 if it can be."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    return min(_IDLE, most // 4)


async def test_idle_connections_are_cheap(
    ingress: tuple[system.Process, bytes], tmp_path: pathlib.Path
) -> None:
    """Two thousand of them take little memory, hold nobody up, and are closed."""
    process, payload = ingress
    count = _idle_connections()
    quick = load_client.Hammer(process.port, payload, pause_s=0.02)
    quick.start(4)
    await asyncio.sleep(0.5)
    before = load_client.resident_bytes(process.popen.pid)
    opened = []
    for _ in range(count // 100):
        opened += await asyncio.gather(
            *(asyncio.open_connection(_HOST, process.port) for _ in range(100))
        )
    quick.take()
    await asyncio.sleep(0.5)
    each = (load_client.resident_bytes(process.popen.pid) - before) / len(opened)
    ends = await asyncio.gather(*(_end(reader) for reader, _ in opened))
    await quick.stop()
    for _, writer in opened:
        writer.close()

    load_client.log_of({"connections": len(opened), "bytes each": each}, tmp_path)
    assert {b""} == set(ends)
    assert each < _IDLE_BYTES_MAX
    assert {200} == {one.status for one in quick.answers}
    assert load_client.percentile([a.seconds for a in quick.answers], 0.99) < _QUICK_S
    assert quick.lost == []


async def _end(reader: asyncio.StreamReader) -> bytes:
    """Return what comes before the other side closes, in time."""
    async with asyncio.timeout(_KEEPALIVE_S + _SLACK_S):
        return await reader.read()


async def test_a_pipeline_is_answered_in_order_and_held_back(
    ingress: tuple[system.Process, bytes], tmp_path: pathlib.Path
) -> None:
    """Many requests in one segment; then without an end, by who reads no answer."""
    process, payload = ingress
    bad = payload.replace(b"/webhooks/biometric/", b"/webhooks/biometric/x", 1)
    reader, writer = await asyncio.open_connection(_HOST, process.port)
    writer.write((payload + bad) * 20)
    answers = [await load_client.answer(reader, 0) for _ in range(40)]
    before = load_client.resident_bytes(process.popen.pid)
    sent = 0
    many = bad * 200
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(4):
            while sent < _PIPELINED_BYTES:
                writer.write(many)
                sent += len(many)
                await writer.drain()
    grown = load_client.resident_bytes(process.popen.pid) - before
    others = await load_client.Hammer(process.port, payload).once(5)
    writer.transport.abort()

    load_client.log_of(
        {"sent MiB": sent / 2**20, "growth MiB": grown / 2**20}, tmp_path
    )
    assert [each.status for each in answers] == [200, 401] * 20
    assert grown < _PIPELINE_GROWTH_MAX
    assert sent < _PIPELINED_BYTES  # it was held back
    assert {200} == {each.status for each in others}


_POST = b"POST /webhooks/biometric HTTP/1.1\r\nHost: a\r\n"


_OVERSIZED = {
    "url": b"POST /" + b"a" * 1_000_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
    "value": _POST + b"X-Long: " + b"a" * 1_000_000 + b"\r\n\r\n",
    "name": _POST + b"X-" + b"a" * 1_000_000 + b": a\r\n\r\n",
    "headers": _POST + b"".join(b"X-%d: a\r\n" % n for n in range(50_000)) + b"\r\n",
    "body": _POST + b"Content-Length: 5000000\r\n\r\n" + b"a" * 5_000_000,
    "chunks": _POST
    + b"Transfer-Encoding: chunked\r\n\r\n"
    + b"10000\r\n%s\r\n" % (b"a" * 65_536) * 80,
}
#: who sends more after the answer may lose it to a reset: HTTP has no help for that
_ATTEMPTS = 10


async def test_what_is_too_large_is_refused_quickly(
    ingress: tuple[system.Process, bytes],
) -> None:
    """A 4xx in our form, and the connection is over."""
    process, payload = ingress
    refusals = {}
    for name, oversized in _OVERSIZED.items():
        for _ in range(_ATTEMPTS):
            async with asyncio.timeout(_LINGER_S + _SLACK_S):
                refusals[name] = await _sent(process.port, oversized)
            if refusals[name]:
                break
    after = await load_client.Hammer(process.port, payload).once(5)

    for name, reply in refusals.items():
        assert (name, b"HTTP/1", b" 4") == (name, reply[:6], reply[8:10])
        assert b"application/problem+json" in reply
    assert {200} == {each.status for each in after}


async def _sent(port: int, request: bytes) -> bytes:
    """Return all that *request* is answered, until the connection is over."""
    reader, writer = await asyncio.open_connection(_HOST, port)
    reply = b""
    with contextlib.suppress(ConnectionError):
        writer.write(request)
        await writer.drain()
    with contextlib.suppress(ConnectionError):
        while piece := await reader.read(1024):
            reply += piece
    writer.close()
    return reply
