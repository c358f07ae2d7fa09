"""
Be the chosen parts alone, put together with nothing of ours: the least it could cost.

    python -m tests.bench.parts ingress PORT SERVERS TOPIC PARTITIONS
    python -m tests.bench.parts worker PORT SERVERS PREFIX PARTITIONS COUNT AT_ONCE

The first reads a body, makes the one digest, parses, sends to Kafka, and answers when
that has acknowledged. The second reads events, fetches and parses a result for each,
writes a state and a decision, and commits them with its offsets. Neither normalises,
checks, logs, counts or remembers anything. Both collect garbage as the product does.
"""

import asyncio
import hmac
import random
import sys
import time
from typing import Any

import aiohttp
import aiokafka
import orjson
from aiohttp import web

from tests.bench import provider, report
from worker.app import lifecycle
from worker.cli import _common

_KEY = b"k" * 32
_EVENT_BYTES, _STATE_BYTES = 600, 300
_HEADERS = [(f"ce_{number}", b"x" * 16) for number in range(6)]
_GROUP = "parts"


async def ingress(port: int, servers: str, topic: str, partitions: int) -> None:
    """Take callbacks until this process is ended."""
    chance = random.Random(1)
    producer = aiokafka.AIOKafkaProducer(
        bootstrap_servers=servers, enable_idempotence=True, acks="all", linger_ms=0
    )
    await producer.start()

    async def take(request: web.BaseRequest) -> web.Response:
        raw = await request.read()
        hmac.digest(_KEY, raw, "sha256")
        document = orjson.loads(raw)
        sent = await producer.send(
            topic,
            raw[:_EVENT_BYTES],
            key=document["verificationSessionId"].encode(),
            headers=_HEADERS,
            partition=chance.randrange(partitions),
        )
        await sent
        return web.Response(text='{"status":"accepted"}')

    lifecycle.tune_gc()
    loop = asyncio.get_running_loop()
    await loop.create_server(
        web.Server(take, access_log=None), "127.0.0.1", port, backlog=4096
    )
    report.write()
    await asyncio.Event().wait()


class Worker:
    """Reads, fetches, writes, commits; *at_once* fetches at a time."""

    def __init__(self, servers: str, prefix: str, partitions: int) -> None:
        self._prefix = prefix
        self._places = [
            aiokafka.TopicPartition(f"{prefix}.events", number)
            for number in range(partitions)
        ]
        self._consumer = aiokafka.AIOKafkaConsumer(
            bootstrap_servers=servers,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            isolation_level="read_committed",
        )
        self._producer = aiokafka.AIOKafkaProducer(
            bootstrap_servers=servers,
            transactional_id=f"{prefix}.{_GROUP}",
            acks="all",
            linger_ms=0,
        )

    async def run(self, url: str, count: int, at_once: int) -> float:
        """Decide *count* events, which are there; return the CPU seconds."""
        self._consumer.assign(self._places)
        await self._consumer.start()
        await self._producer.start()
        lifecycle.tune_gc()
        connector = aiohttp.TCPConnector(limit=at_once)
        try:
            async with aiohttp.ClientSession(connector=connector) as session:
                begun = time.process_time()
                while count > 0:
                    # As many as the product has in a transaction at its greatest rate.
                    found = await self._consumer.getmany(timeout_ms=100, max_records=80)
                    events = [each for batch in found.values() for each in batch]
                    count -= len(events)
                    if events:
                        await self._decide(session, url, events)
                return time.process_time() - begun
        finally:
            await self._consumer.stop()
            await self._producer.stop()

    async def _decide(
        self, session: aiohttp.ClientSession, url: str, events: list[Any]
    ) -> None:
        """Commit what the provider says of *events*, in one transaction."""

        async def fetched(event: Any) -> bytes:  # noqa: ANN401 -- aiokafka's record
            document = orjson.loads(event.value)
            query = {"session_id": document["session_id"]}
            async with session.get(url, params=query) as response:
                return orjson.dumps(orjson.loads(await response.read()))

        results = await asyncio.gather(*map(fetched, events))
        async with self._producer.transaction():
            sent = [
                await self._producer.send(
                    f"{self._prefix}.{topic}",
                    result[:size],
                    key=event.key,
                    headers=_HEADERS,
                    partition=event.partition,
                )
                for event, result in zip(events, results, strict=True)
                for topic, size in (
                    ("ledger", _STATE_BYTES),
                    ("decisions.approved", _EVENT_BYTES),
                )
            ]
            await asyncio.gather(*sent)
            offsets = {
                aiokafka.TopicPartition(each.topic, each.partition): each.offset + 1
                for each in events
            }
            await self._producer.send_offsets_to_transaction(offsets, _GROUP)


async def worker(
    port: int, servers: str, prefix: str, partitions: int, count: int, at_once: int
) -> None:
    """Decide what is there; tell the CPU seconds."""
    url = f"http://127.0.0.1:{port}{provider.PATH}"
    used = await Worker(servers, prefix, partitions).run(url, count, at_once)
    report.write({"cpu_s": used})


def main() -> None:
    """Be the parts that the arguments name."""
    match sys.argv[1:]:
        case ["ingress", port, servers, topic, partitions]:
            _common.run(ingress(int(port), servers, topic, int(partitions)))
        case ["worker", port, servers, prefix, *numbers]:
            partitions_, count, at_once = map(int, numbers)
            _common.run(worker(int(port), servers, prefix, partitions_, count, at_once))
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main()
