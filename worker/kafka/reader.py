"""Read topics without a group: to their end, or on and on; committed records only."""

import asyncio
import collections
import contextlib
import dataclasses
import enum
from collections.abc import (
    AsyncGenerator,
    AsyncIterator,
    Callable,
    Iterable,
    Iterator,
    Sequence,
)

import aiokafka
import structlog

from worker import clock as clocks
from worker import codec, errors, settings
from worker.kafka import (
    aiokafka_fetcher,
    aiokafka_patches,
    connectivity,
    error_mapping,
    record_format,
)

_log = structlog.get_logger()
_throttle = connectivity.once_a_minute(clocks.SystemClock())

# So that the event loop breathes between two batches.
_MAX_RECORDS = 2000
# With 4 MiB a restore was no faster, and what its buffers leave behind in the process
# was more: one reader a partition, all at once (measured 2026-11-21).
_PARTITION_BYTES = 1 << 20
# How long one wait for records takes: at the end of a log that closes with
# transaction markers the last one is in vain.
_POLL_MS = 50
_FOLLOW_POLL_MS = 500
_HISTORY_MAX = 1000


class ReadRange(enum.Enum):
    """What part of the topics is read."""

    FROM_END = enum.auto()  #: what is written from now on, for ever
    FROM_BEGINNING = enum.auto()  #: all there is, and what is written later
    UNTIL_END = enum.auto()  #: all there is now, then stop


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ConsumedRecord:
    """A record and where it stood; *timestamp_ms* is when the broker took it."""

    topic: str
    partition: int
    offset: int
    timestamp_ms: int
    record: codec.Record


async def follow(
    kafka: settings.Kafka,
    topics: Sequence[str],
    span: ReadRange,
    *,
    partitions: Iterable[int] | None = None,
    since_ms: int | None = None,
    caught_up: Callable[[], None] | None = None,
) -> AsyncGenerator[ConsumedRecord, None]:
    """
    Yield the records of *topics* (full names), in order within a partition.

    With *since_ms* it begins with what the broker took then, not with the beginning.
    *caught_up* is called once all that there was at the start has been yielded.
    Close it (``contextlib.aclosing``) when leaving early. While it follows on, an
    outage of Kafka only makes it wait; a start, or a read until the end, that gets
    nowhere for ``request_timeout`` raises errors.KafkaUnavailable. What cannot be
    decoded is passed over, with a line in the log.
    """
    numbers = range(kafka.partitions) if partitions is None else partitions
    places = [
        aiokafka.TopicPartition(topic, number) for topic in topics for number in numbers
    ]
    async with _consumer(kafka, places) as consumer:
        begins, ends = await _bounds(kafka, consumer, places)
        start = ends if span is ReadRange.FROM_END else begins
        if since_ms is not None:
            start = await _since(kafka, consumer, since_ms, ends)
        for place in places:
            consumer.seek(place, start[place])
        batches = (
            _until(kafka, consumer, ends)
            if span is ReadRange.UNTIL_END
            else _tail(consumer, ends, caught_up)
        )
        async for batch in batches:
            for record in decodable(batch):
                yield _fetched(record)


def decodable(
    batch: Iterable[aiokafka_fetcher.Fetched],
) -> Iterator[aiokafka.ConsumerRecord]:
    """Yield the records of *batch*; log, once a minute, what cannot be decoded."""
    for each in batch:
        if not isinstance(each, record_format.Undecodable):
            yield each
        elif _throttle.admits(each.topic):
            _log.warning("record.undecodable", place=each.place, reason=each.why)


async def read_to_end(
    kafka: settings.Kafka, topic: str, partition: int
) -> AsyncGenerator[list[aiokafka_fetcher.Fetched], None]:
    """
    Yield what *partition* holds now, in batches, as fast as it comes.

    What cannot be decoded is in its place.

    The end is taken by this reader after its start. Raises errors.KafkaUnavailable
    when nothing comes for ``request_timeout``.
    """
    place = aiokafka.TopicPartition(topic, partition)
    async with _consumer(kafka, [place]) as consumer:
        begins, ends = await _bounds(kafka, consumer, [place])
        consumer.seek(place, begins[place])
        async for batch in _until(kafka, consumer, ends):
            yield batch


async def read_key_history(
    kafka: settings.Kafka, topic: str, partition: int, key: bytes
) -> list[ConsumedRecord]:
    """Return what *partition* still holds of *key*, the last thousand, oldest first."""
    found: collections.deque[ConsumedRecord] = collections.deque(maxlen=_HISTORY_MAX)
    async with contextlib.aclosing(read_to_end(kafka, topic, partition)) as batches:
        async for batch in batches:
            found.extend(
                _fetched(record) for record in decodable(batch) if record.key == key
            )
            await asyncio.sleep(0)
    return list(found)


async def end_offsets(kafka: settings.Kafka, topic: str) -> dict[int, int]:
    """
    Return the offset after the last committed record of each partition of *topic*.

    Raises errors.KafkaUnavailable.
    """
    places = [
        aiokafka.TopicPartition(topic, number) for number in range(kafka.partitions)
    ]
    async with _consumer(kafka, places) as consumer:
        _, ends = await _bounds(kafka, consumer, places)
    return {place.partition: offset for place, offset in ends.items()}


@contextlib.asynccontextmanager
async def _consumer(
    kafka: settings.Kafka, places: Sequence[aiokafka.TopicPartition]
) -> AsyncIterator[aiokafka.AIOKafkaConsumer]:
    """Hold a started reader of *places*, all of them at once: a second ``assign``
    would reset the first.
    """
    aiokafka_fetcher.install()
    consumer = aiokafka.AIOKafkaConsumer(
        **kafka.client_args(),
        group_id=None,
        isolation_level="read_committed",
        enable_auto_commit=False,
        # Every position is set by hand: one that is out of range is an error.
        auto_offset_reset="none",
        fetch_max_bytes=aiokafka_patches.FETCH_BYTES,
        max_partition_fetch_bytes=max(_PARTITION_BYTES, kafka.max_message_bytes),
        request_timeout_ms=kafka.answer_timeout,
        retry_backoff_ms=kafka.retry_backoff,
        metadata_max_age_ms=kafka.metadata_max_age,
    )
    consumer.assign(places)
    try:
        try:
            with error_mapping.as_unavailable("reading"):
                async with asyncio.timeout(kafka.request_timeout / 1000):
                    await consumer.start()
        except errors.KafkaUnavailable:
            await connectivity.ensure_reachable(
                kafka
            )  # says more, where it fails as well
            raise
        yield consumer
    finally:
        await aiokafka_patches.discard_consumer(consumer)


_Offsets = dict[aiokafka.TopicPartition, int]


async def _bounds(
    kafka: settings.Kafka,
    consumer: aiokafka.AIOKafkaConsumer,
    places: Sequence[aiokafka.TopicPartition],
) -> tuple[_Offsets, _Offsets]:
    """Return where *places* begin and, for a reader of committed records, end."""
    with error_mapping.as_unavailable("reading offsets"):
        async with asyncio.timeout(kafka.request_timeout / 1000):
            begins = await consumer.beginning_offsets(places)
            return begins, await consumer.end_offsets(places)


async def _since(
    kafka: settings.Kafka,
    consumer: aiokafka.AIOKafkaConsumer,
    since_ms: int,
    ends: _Offsets,
) -> _Offsets:
    """Return where the records since *since_ms* begin; their end where none is."""
    with error_mapping.as_unavailable("reading offsets"):
        async with asyncio.timeout(kafka.request_timeout / 1000):
            found = await consumer.offsets_for_times(dict.fromkeys(ends, since_ms))
    return {
        place: end if found.get(place) is None else found[place].offset
        for place, end in ends.items()
    }


async def _until(
    kafka: settings.Kafka, consumer: aiokafka.AIOKafkaConsumer, ends: _Offsets
) -> AsyncIterator[list[aiokafka_fetcher.Fetched]]:
    """
    Yield batches until every position has reached its end.

    Positions are compared and not records: a log of transactions always ends in a
    marker, which is never handed out.
    """
    loop = asyncio.get_running_loop()
    moved_at, before = loop.time(), None
    while True:
        with error_mapping.as_unavailable("reading"):
            positions = [await consumer.position(place) for place in ends]
            if all(map(int.__ge__, positions, ends.values())):
                return
            if positions != before:
                moved_at, before = loop.time(), positions
            elif loop.time() - moved_at > kafka.request_timeout / 1000:
                raise errors.KafkaUnavailable("reading: nothing comes")
            found = await _poll(consumer, _POLL_MS)
        for place, batch in found.items():
            end = ends[place]
            if batch[-1].offset < end:
                yield batch
            elif wanted := [each for each in batch if each.offset < end]:
                yield wanted


async def _tail(
    consumer: aiokafka.AIOKafkaConsumer,
    ends: _Offsets,
    caught_up: Callable[[], None] | None,
) -> AsyncIterator[list[aiokafka_fetcher.Fetched]]:
    behind = caught_up
    while True:
        with error_mapping.as_unavailable("reading"):
            if behind is not None and await _reached(consumer, ends):
                behind()
                behind = None
            poll_ms = _FOLLOW_POLL_MS if behind is None else _POLL_MS
            found = await _poll(consumer, poll_ms)
        for batch in found.values():
            yield batch


async def _reached(consumer: aiokafka.AIOKafkaConsumer, ends: _Offsets) -> bool:
    """Return whether all that was yielded ends at *ends* or later."""
    return all([await consumer.position(place) >= end for place, end in ends.items()])


async def _poll(
    consumer: aiokafka.AIOKafkaConsumer, timeout_ms: int
) -> dict[aiokafka.TopicPartition, list[aiokafka_fetcher.Fetched]]:
    found: dict[aiokafka.TopicPartition, list[aiokafka_fetcher.Fetched]]
    found = await consumer.getmany(timeout_ms=timeout_ms, max_records=_MAX_RECORDS)
    return found


def _fetched(record: aiokafka.ConsumerRecord) -> ConsumedRecord:
    return ConsumedRecord(
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        timestamp_ms=record.timestamp,
        record=codec.Record(
            key=record.key or b"", value=record.value, headers=list(record.headers)
        ),
    )
