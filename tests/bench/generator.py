"""
Send signed callbacks to one port, from a process of its own.

    python -m tests.bench.generator '{"port": 8080, "path": "/webhooks/…", …}'

Speaks HTTP by hand: on two cores a client library would cost more than what is
measured. Tells ``{}`` when it is about to begin, and then one JSON line.
"""

import asyncio
import collections
import dataclasses
import pathlib
import sys
import uuid
from collections.abc import Callable, Coroutine
from typing import Any

import orjson

from tests.bench import pace, report
from worker.providers import idbeyond

_BODY_BYTES = 1024


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is sent where."""

    port: int
    #: with the token, for ``biometric``
    path: str
    count: int
    connections: int
    #: a second; 0 for as fast as the answers come
    rate: float = 0.0
    provider: str = "idbeyond"
    #: what signs the body, for ``idbeyond``
    secret: str = ""
    #: where it is written when each session's callback was answered
    answered: str = ""

    def argument(self) -> str:
        """Return what the process is started with."""
        return orjson.dumps(self).decode()


def idbeyond_body(session_id: str) -> bytes:
    """Return a callback of 1 KiB that says the session is approved."""
    document = {
        "event": "verification.completed",
        "verificationSessionId": session_id,
        "externalUserId": "user_123",
        "decision": "approved",
        "reviewStatus": "approved",
        "timestamp": "2026-11-21T12:00:00.000Z",
        "rationale": "",
    }
    missing = _BODY_BYTES - len(orjson.dumps(document))
    return orjson.dumps(document | {"rationale": "x" * missing})


def biometric_body(session_id: str) -> bytes:
    """Return the callback that ends a session."""
    result = {"session_id": session_id, "status": "FINISHED"}
    return orjson.dumps(
        {
            "id": str(uuid.uuid4()),
            "event": "flow.end",
            "session_id": session_id,
            "created": 1_795_255_810,
            "success": True,
            "flow_name": "Head position",
            "metadata": {},
            "data": {"session_result": result | {"flow_session_result": True}},
        }
    )


def request_of(plan: Plan, session_id: str) -> bytes:
    """Return a whole request, as the provider sends it."""
    signature = ""
    if plan.provider == "idbeyond":
        body = idbeyond_body(session_id)
        signed = idbeyond.SIGNATURE.sign(plan.secret.encode(), body)
        signature = f"{idbeyond.SIGNATURE.header}: {signed}\r\n"
    else:
        body = biometric_body(session_id)
    head = (
        f"POST {plan.path} HTTP/1.1\r\nHost: 127.0.0.1:{plan.port}\r\n"
        "User-Agent: bench\r\nAccept: */*\r\nContent-Type: application/json\r\n"
        f"{signature}Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


class Client(asyncio.Protocol):
    """One connection: a request, its answer, and so on."""

    def __init__(self) -> None:
        self._answered: asyncio.Future[int] | None = None
        self._buffer = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Finish the request in flight once its answer is whole."""
        self._buffer += data
        head, found, rest = self._buffer.partition(b"\r\n\r\n")
        if not found:
            return
        length = int(head.lower().partition(b"content-length: ")[2].split(b"\r")[0])
        if len(rest) >= length and self._answered is not None:
            self._buffer = b""
            self._answered.set_result(int(head[9:12]))

    def connection_lost(self, exc: Exception | None) -> None:
        """Fail the request in flight."""
        if self._answered is not None and not self._answered.done():
            self._answered.set_exception(exc or ConnectionError("closed"))

    async def send(self, request: bytes) -> int:
        """Return the status that *request* is answered with."""
        assert self._transport is not None
        self._answered = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return await self._answered


def _write(plan: Plan, answered: dict[str, float]) -> None:
    if plan.answered:
        pathlib.Path(plan.answered).write_bytes(orjson.dumps(answered))


async def main(plan: Plan) -> None:
    """Send, and print what came of it."""
    sessions = [str(uuid.uuid4()) for _ in range(plan.count)]
    requests = [request_of(plan, session_id) for session_id in sessions]
    statuses: collections.Counter[int] = collections.Counter()
    answered: dict[str, float] = {}
    loop = asyncio.get_running_loop()

    async def connected() -> Callable[[int], Coroutine[Any, Any, None]]:
        _, client = await loop.create_connection(Client, "127.0.0.1", plan.port)

        async def send(number: int) -> None:
            statuses[await client.send(requests[number])] += 1
            answered[sessions[number]] = loop.time()

        return send

    senders = [await connected() for _ in range(plan.connections)]
    report.write()  # whoever started this reads the clock now
    taken = await pace.run(plan.count, plan.rate, [*senders])
    _write(plan, answered)
    report.write(taken.result() | {"accepted": statuses[200]})


if __name__ == "__main__":
    asyncio.run(main(Plan(**orjson.loads(sys.argv[1]))))
