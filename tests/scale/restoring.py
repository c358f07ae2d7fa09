"""
Restore a ledger as a worker does, alone in a process, and tell what it took.

    python -m tests.scale.restoring '{"servers": …, "prefix": …, "partitions": 24, …}'

Memory is the growth of the whole process, keys and all, once everything is restored.
"""

import asyncio
import gc
import sys
import time

import orjson

from tests.scale import history
from worker import settings
from worker.kafka import ledger_partition, reader
from worker.pipeline import session_store


def resident() -> int:
    """Return the bytes of memory that this process holds."""
    gc.collect()
    with open("/proc/self/statm") as held:  # noqa: PTH123 -- no file
        return int(held.read().split()[1]) * 4096


async def _one(
    kafka: settings.Kafka, number: int, version: int
) -> tuple[session_store.SessionStore, int, int]:
    """Fence, restore and settle one partition, as its owner does."""
    log = ledger_partition.LedgerPartition(kafka, number)
    try:
        await log.fence()
        loader = session_store.SessionStore(version)
        restored = await log.restore(loader.load)
        due = loader.finish_restore(0)
    finally:
        await log.discard()
    return loader, restored.records, len(due)


async def restore(plan: history.Plan) -> dict[str, float]:
    """Restore every partition at once; return the figures."""
    before, begun, used = resident(), time.monotonic(), time.process_time()
    kafka = plan.kafka
    each = await asyncio.gather(
        *(_one(kafka, number, plan.version) for number in range(plan.partitions))
    )
    seconds, cpu = time.monotonic() - begun, time.process_time() - used
    sessions = sum(len(loader) for loader, _, _ in each)
    return {
        "sessions": sessions,
        "open": sum(loader.open for loader, _, _ in each),
        "records": sum(records for _, records, _ in each),
        "seconds": seconds,
        "cpu_seconds": cpu,
        "memory_bytes": resident() - before,
    }


async def bare(plan: history.Plan) -> dict[str, float]:
    """Read every partition and keep nothing: what the client alone takes."""
    kafka, begun, used = plan.kafka, time.monotonic(), time.process_time()

    async def one(number: int) -> int:
        count = 0
        async for batch in reader.read_to_end(kafka, kafka.topic("ledger"), number):
            count += len(batch)
            await asyncio.sleep(0)
        return count

    each = await asyncio.gather(*(one(number) for number in range(plan.partitions)))
    return {
        "records": sum(each),
        "seconds": time.monotonic() - begun,
        "cpu_seconds": time.process_time() - used,
    }


if __name__ == "__main__":
    asked = history.Plan(**orjson.loads(sys.argv[2]))
    measure = {"restore": restore, "bare": bare}[sys.argv[1]]
    found = asyncio.run(measure(asked))
    sys.stdout.write(orjson.dumps(found).decode() + "\n")
