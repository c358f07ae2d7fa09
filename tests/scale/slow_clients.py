"""Hold many slow connections to an ingress, and open again what it closes."""

import asyncio
import contextlib
import itertools
import sys

#: opened at first, and then again where the ingress has closed one
_OPENED_PER_S = 300
_AGAIN_PER_S = 50
_DRIP_S = 5.0
_PATH = "POST /webhooks/signed HTTP/1.1\r\nHost: a\r\n"
_SIGNED = "X-Verification-Signature: " + "0" * 64 + "\r\n"
_BODY = f"{_PATH}{_SIGNED}Content-Length: 1000000\r\n\r\n".encode()
#: what each sends at first, and then again and again
_KINDS = (
    (_PATH.encode(), b"X-Filler: a\r\n"),  # a head that does not end
    (_BODY + b" " * 1024, b" "),  # a body that hardly comes
    (_BODY + b" " * 100_000, b""),  # one that came fast, and goes on no further
    (b"", b""),  # nothing at all
    # answers that are not read
    (f"{_PATH}Content-Length: 0\r\n\r\n".encode() * 10, b""),
)


async def _one(port: int, kind: tuple[bytes, bytes], turn: asyncio.Semaphore) -> None:
    """Be slow on one connection after the other."""
    first, more = kind
    while True:
        await turn.acquire()
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            reader, writer = await asyncio.open_connection(
                "127.0.0.1", port, limit=1024
            )
            try:
                writer.write(first)
                while not writer.transport.is_closing() and not reader.at_eof():
                    await asyncio.sleep(_DRIP_S)
                    writer.write(more)
            finally:
                writer.transport.abort()


async def main(port: int, connections: int) -> None:
    """Hold *connections* until the input ends; say when all were opened once."""
    turn = asyncio.Semaphore(0)
    kinds = itertools.cycle(_KINDS)
    tasks = [
        asyncio.create_task(_one(port, next(kinds), turn)) for _ in range(connections)
    ]
    ended = asyncio.create_task(asyncio.to_thread(sys.stdin.read))
    for number in itertools.count(1):
        turn.release()
        if number == connections:
            sys.stdout.write("all\n")
            sys.stdout.flush()
        if number % 20 == 0:
            pace = _OPENED_PER_S if number < connections else _AGAIN_PER_S
            await asyncio.sleep(20 / pace)
        if ended.done():
            break
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), int(sys.argv[2])))
