"""Read what is committed, once and as it comes: how much, of whom, and when."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator

import aiokafka

from tests.bench import figures
from worker import settings

_LOOK_S = 0.01


class Tally:
    """The records of one topic that a reader of committed ones has seen."""

    def __init__(self) -> None:
        self.records = 0
        self.bytes = 0
        #: when the last record was readable, by ``time.monotonic``
        self.last_at = 0.0
        #: when the first record of each key was readable, by ``time.monotonic``
        self.first: dict[bytes, float] = {}

    def take(self, record: aiokafka.ConsumerRecord, at: float) -> None:
        """Count one record."""
        self.records += 1
        self.bytes += len(record.value or b"")
        self.last_at = at
        self.first.setdefault(record.key or b"", at)

    async def reached(self, records: int, timeout_s: float) -> None:
        """Return once there are so many *records*; raises figures.Untrue otherwise."""
        end = time.monotonic() + timeout_s
        while self.records < records:
            if time.monotonic() > end:
                raise figures.Untrue(
                    f"{self.records} records in Kafka after {timeout_s:.0f} s, where"
                    f" {records} were to be"
                )
            await asyncio.sleep(_LOOK_S)

    def must_be(self, records: int, what: str) -> None:
        """Raise figures.Untrue unless there are *records*, each of another key."""
        if (self.records, len(self.first)) != (records, records):
            raise figures.Untrue(
                f"{self.records} {what} of {len(self.first)} keys in Kafka, where"
                f" {records} were to be"
            )


@contextlib.asynccontextmanager
async def of(
    kafka: settings.Kafka, topic: str, *, wait_ms: int = 100
) -> AsyncIterator[Tally]:
    """
    Count *topic* (short name) from its beginning while the body runs.

    *wait_ms* is how long the broker may keep an answer that has nothing to tell; what
    comes in the meantime ends the wait, so that it bounds no more than rare delays.
    """
    name = kafka.topic(topic)
    consumer = aiokafka.AIOKafkaConsumer(
        **kafka.client_args(),
        group_id=None,
        isolation_level="read_committed",
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        fetch_max_wait_ms=wait_ms,
    )
    consumer.assign(
        [aiokafka.TopicPartition(name, number) for number in range(kafka.partitions)]
    )
    found = Tally()
    await consumer.start()
    reading = asyncio.create_task(_read(consumer, found))
    try:
        yield found
    finally:
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
        await consumer.stop()


async def _read(consumer: aiokafka.AIOKafkaConsumer, found: Tally) -> None:
    while True:
        batches = await consumer.getmany(timeout_ms=1_000)
        at = time.monotonic()
        for batch in batches.values():
            for record in batch:
                found.take(record, at)


async def count(kafka: settings.Kafka, topic: str, expected: int) -> Tally:
    """Return what *topic* holds, a little after it holds *expected* records."""
    async with of(kafka, topic) as found:
        await found.reached(expected, 60.0)
        # One too many is as wrong as one too few.
        await asyncio.sleep(0.5)
        return found
