"""Hold many slow connections, and open again what was closed, at a bounded rate."""

import asyncio
import contextlib
import itertools
import socket
import sys
from typing import NamedTuple

#: opened, at first and again; what bounds the processor time of this process
_OPENED_PER_S = 200
_AT_ONCE = 5
_PATH = b"POST /webhooks/signed HTTP/1.1\r\nHost: a\r\n"
_SIGNED = b"X-Verification-Signature: " + b"0" * 64 + b"\r\n"
_BODY = _PATH + _SIGNED + b"Content-Length: 1000000\r\n\r\n"
_SHORT = b"GET /webhooks/signed HTTP/1.1\r\nHost: a\r\n\r\n"


class _Kind(NamedTuple):
    """How a connection is slow, and how many of two hundred are."""

    share: int
    first: bytes
    #: sent again and again
    more: bytes
    every_s: float
    reads: bool = True


_KINDS = (
    _Kind(98, _PATH, b"X-Filler: a\r\n", 10),  # a head that does not end
    _Kind(48, b"", b"", 10),  # nothing at all
    _Kind(40, _BODY + b" " * 1024, b" ", 4),  # a body that hardly comes
    _Kind(13, _BODY + b" " * 100_000, b"", 4),  # one that stops after much of it
    _Kind(1, _SHORT * 1000, b"", 10, reads=False),  # answers that are not read
)


class _Silent(asyncio.Protocol):
    """Reads what comes, if it reads at all, and remembers the end."""

    def __init__(self, kind: _Kind) -> None:
        self._kind = kind
        self.ended = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Stop reading, where answers are not to be read."""
        if not self._kind.reads and isinstance(transport, asyncio.ReadTransport):
            transport.pause_reading()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 -- asyncio's
        """Say that it is over."""
        if not self.ended.done():
            self.ended.set_result(None)


def _socket(kind: _Kind) -> socket.socket:
    made = socket.socket()
    made.setblocking(False)  # noqa: FBT003 -- its only argument
    if not kind.reads:
        # Else the kernel takes megabytes of answers over the loopback.
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 536)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2304)
    return made


async def _one(port: int, kind: _Kind, turn: asyncio.Semaphore) -> None:
    """Be slow on one connection after the other."""
    loop = asyncio.get_running_loop()
    while True:
        await turn.acquire()
        made = _socket(kind)
        try:
            await loop.sock_connect(made, ("127.0.0.1", port))
            wire, protocol = await loop.create_connection(
                lambda: _Silent(kind), sock=made
            )
        except OSError:
            made.close()
            continue
        try:
            wire.write(kind.first)
            while not protocol.ended.done():
                with contextlib.suppress(TimeoutError):
                    waiting = asyncio.shield(protocol.ended)
                    await asyncio.wait_for(waiting, kind.every_s)
                    break
                wire.write(kind.more)
        finally:
            wire.abort()


async def main(port: int, connections: int) -> None:
    """Hold *connections* until the input ends; say when all were opened once."""
    turn = asyncio.Semaphore(0)
    all_of_them = [kind for kind in _KINDS for _ in range(kind.share)]
    kinds = itertools.cycle(
        all_of_them[7 * n % len(all_of_them)] for n in range(len(all_of_them))
    )
    tasks = [
        asyncio.create_task(_one(port, next(kinds), turn)) for _ in range(connections)
    ]
    loop = asyncio.get_running_loop()
    ended = asyncio.ensure_future(asyncio.to_thread(sys.stdin.read))
    opened, due = 0, loop.time()
    while not ended.done():
        if turn.locked():  # nothing is saved up while all are open
            for _ in range(_AT_ONCE):
                turn.release()
            opened += _AT_ONCE
        if connections <= opened < connections + _AT_ONCE:
            sys.stdout.write("all\n")
            sys.stdout.flush()
            opened += _AT_ONCE
        due = max(due + _AT_ONCE / _OPENED_PER_S, loop.time())
        await asyncio.sleep(due - loop.time())
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), int(sys.argv[2])))
