"""
Be the floor: what the chosen parts cost without us, each in a process of its own.

    python -m tests.bench.floors handler PORT
    python -m tests.bench.floors client PORT COUNT AT_ONCE
    python -m tests.bench.floors sender SERVERS TOPIC PARTITIONS COUNT RATE BYTES
    python -m tests.bench.floors reader SERVERS TOPIC PARTITIONS

A bare aiohttp handler, a bare aiohttp client loop, a bare ``send`` of aiokafka, a bare
reader that parses what it reads. Each runs in the event loop that the product's own
services run in, whichever that is.
"""

import asyncio
import random
import sys
import time
from collections.abc import Iterator

import aiohttp
import aiokafka
import orjson
from aiohttp import web

from tests.bench import pace, provider, report
from worker.app import lifecycle
from worker.cli import _common

#: as many as there are connections to the ingress
_SENDERS = 64


async def handler(port: int) -> None:
    """Read each body and answer."""

    async def take(request: web.Request) -> web.Response:
        await request.read()
        return web.Response(text='{"status":"accepted"}')

    app = web.Application()
    app.router.add_post("/webhooks/{source}", take)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port, backlog=4096).start()
    report.write()
    await asyncio.Event().wait()


async def client(port: int, count: int, at_once: int) -> None:
    """Fetch and parse *count* results, *at_once* at a time; tell the CPU seconds."""
    url = f"http://127.0.0.1:{port}{provider.PATH}"
    connector = aiohttp.TCPConnector(limit=at_once)
    async with aiohttp.ClientSession(connector=connector) as session:

        async def loop(left: Iterator[int]) -> None:
            for number in left:
                query = {"session_id": f"{number:036}", "flow_api_key": "x" * 40}
                async with session.get(url, params=query) as response:
                    orjson.loads(await response.read())

        # The first requests connect.
        await asyncio.gather(*map(loop, [iter(range(2 * at_once))] * at_once))
        started = time.process_time()
        await asyncio.gather(*map(loop, [iter(range(count))] * at_once))
        used = time.process_time() - started
    report.write({"cpu_s": used})


async def sender(
    servers: str, topic: str, partitions: int, count: int, rate: float, size: int
) -> None:
    """Send *count* records at *rate*, each acknowledged; tell how long they took."""
    chance = random.Random(1)
    value = chance.randbytes(size)
    producer = aiokafka.AIOKafkaProducer(
        bootstrap_servers=servers, enable_idempotence=True, acks="all", linger_ms=0
    )
    await producer.start()
    # A latency is measured: no collection of garbage is to be what it shows.
    lifecycle.tune_gc()
    try:

        async def send(_: int) -> None:
            place = chance.randrange(partitions)
            await (await producer.send(topic, value, partition=place))

        await pace.run(partitions * 4, 0, [send] * _SENDERS)
        taken = await pace.run(count, rate, [send] * _SENDERS)
    finally:
        await producer.stop()
    report.write(taken.result())


async def reader(servers: str, topic: str, partitions: int) -> None:
    """Read and parse all of *topic*; tell the records and the CPU seconds."""
    consumer = aiokafka.AIOKafkaConsumer(
        bootstrap_servers=servers,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        isolation_level="read_committed",
    )
    places = [aiokafka.TopicPartition(topic, each) for each in range(partitions)]
    consumer.assign(places)
    await consumer.start()
    try:
        left = sum((await consumer.end_offsets(places)).values())
        records, started = left, time.process_time()
        while left > 0:
            for batch in (await consumer.getmany(timeout_ms=100)).values():
                left -= len(batch)
                for record in batch:
                    orjson.loads(record.value)
        used = time.process_time() - started
    finally:
        await consumer.stop()
    report.write({"records": records, "cpu_s": used})


def main() -> None:
    """Be the floor that the arguments name."""
    match sys.argv[1:]:
        case ["handler", port]:
            _common.run(handler(int(port)))
        case ["client", *numbers]:
            port_, count, at_once = map(int, numbers)
            _common.run(client(port_, count, at_once))
        case ["sender", servers, topic, partitions, count_, rate, size]:
            _common.run(
                sender(
                    *(servers, topic, int(partitions)),
                    *(int(count_), float(rate), int(size)),
                )
            )
        case ["reader", servers, topic, partitions]:
            _common.run(reader(servers, topic, int(partitions)))
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main()
