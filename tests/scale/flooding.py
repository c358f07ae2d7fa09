"""
Post callbacks of invented sessions as fast as they are taken, in a process of its own.

    python -m tests.scale.flooding URL BODY SESSION COUNT

BODY is a file with a real callback of SESSION; each post names another session.
"""

import asyncio
import collections
import pathlib
import sys
import time
import uuid

import aiohttp
import orjson

_AT_ONCE = 64


async def flood(url: str, body: bytes, session_id: str, count: int) -> dict[str, float]:
    """Send *count* callbacks; return how many were taken, and in how many seconds."""
    left, begun = iter(range(count)), time.monotonic()
    statuses: collections.Counter[int] = collections.Counter()
    headers = {"Content-Type": "application/json"}

    async def post(client: aiohttp.ClientSession) -> None:
        for _ in left:
            invented = body.replace(session_id.encode(), str(uuid.uuid4()).encode())
            async with client.post(url, data=invented, headers=headers) as response:
                statuses[response.status] += 1

    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector) as client:
        await asyncio.gather(*(post(client) for _ in range(_AT_ONCE)))
    return {
        "sent": statuses.total(),
        "taken": statuses[200],
        "seconds": time.monotonic() - begun,
    }


if __name__ == "__main__":
    url_, body_, session_, count_ = sys.argv[1:]
    found = asyncio.run(
        flood(url_, pathlib.Path(body_).read_bytes(), session_, int(count_))
    )
    sys.stdout.write(orjson.dumps(found).decode() + "\n")
