"""
Be the provider that the worker and the bare client fetch from: it approves everybody.

    python -m tests.bench.provider PORT LATENCY_S

SIGUSR1 makes it hold its answers back, SIGUSR2 makes it give them. By hand, as the
generator: it must not be what limits the rate.
"""

import asyncio
import signal
import sys

from tests.bench import report

PATH = "/api/v1/flows/session/result/"
#: What Biometric.kz answers for a session that has passed, less its id.
_RESULT = (
    b'"status":"FINISHED","technologies":[{"code":"LDHP","name":"Liveness Head Position'
    b'","description":"Detect liveness by photo and head position"}],"liveness_result":'
    b'{"result":true,"eye_closed":false,"prediction":"0.9980","face_center":true,'
    b'"face_direction":"forward"},"flow_session_result":true}'
)
_HEAD = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
)


class Pause:
    """When answers are given."""

    def __init__(self, latency_s: float) -> None:
        self._latency_s = latency_s
        self._held: list[tuple[asyncio.Transport, bytes]] | None = None

    def answer(self, transport: asyncio.Transport, answer: bytes) -> None:
        """Give *answer* when it is time."""
        if self._held is not None:
            self._held.append((transport, answer))
        elif self._latency_s:
            loop = asyncio.get_running_loop()
            loop.call_later(self._latency_s, transport.write, answer)
        else:
            transport.write(answer)

    def hold(self) -> None:
        """Give no answer until ``release``."""
        self._held = self._held or []

    def release(self) -> None:
        """Give every answer that was held, and all others at their time."""
        held, self._held = self._held or [], None
        for transport, answer in held:
            transport.write(answer)


class Connection(asyncio.Protocol):
    """One connection of a client, that sends nothing but GET requests."""

    def __init__(self, pause: Pause) -> None:
        self._pause = pause
        self._buffer = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer every request that is whole."""
        assert self._transport is not None
        self._buffer += data
        while True:
            head, found, rest = self._buffer.partition(b"\r\n\r\n")
            if not found:
                return
            self._buffer = rest
            line = head.partition(b" HTTP/")[0]
            session_id = line.partition(b"session_id=")[2].partition(b"&")[0]
            body = b'{"id":"' + session_id + b'",' + _RESULT
            self._pause.answer(self._transport, _HEAD % len(body) + body)


async def main(port: int, latency_s: float) -> None:
    """Serve until this process is ended."""
    pause = Pause(latency_s)
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGUSR1, pause.hold)
    loop.add_signal_handler(signal.SIGUSR2, pause.release)
    await loop.create_server(lambda: Connection(pause), "127.0.0.1", port, backlog=4096)
    report.write()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), float(sys.argv[2])))
