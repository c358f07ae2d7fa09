"""Own one ledger partition: fence others off, restore it, commit to it, let it go."""

import asyncio
import collections
import contextlib
import dataclasses
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import aiokafka

from worker import cancellation, codec, errors, model, ports, settings
from worker.kafka import (
    aiokafka_patches,
    error_mapping,
    hanging_transactions,
    reader,
    record_format,
    topics,
)

#: Called for every ledger record but the position: key, and value or tombstone.
Handle = Callable[[str, bytes | None], None]

# A record's key, value and headers may take this share of max.message.bytes; the
# rest is for Kafka's framing.
_SHARE = 7 / 8


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """What a restore found, besides what it handed over."""

    position: model.Position | None  #: None: nothing was ever committed
    records: int


class LedgerPartition:
    """
    One ledger partition's owner: implements ports.Committer.

    ``fence``, ``restore``, then ``commit``, one at a time. After any failed or
    cancelled commit, and at the end, ``discard``; then it may be fenced again.
    """

    def __init__(self, kafka: settings.Kafka, partition: int) -> None:
        self.partition = partition
        self._kafka = kafka
        self._deadline_s = kafka.commit_deadline / 1000
        self._producer: aiokafka.AIOKafkaProducer | None = None
        self._ends: aiokafka_patches.EndTxnMonitor | None = None
        self._whole = False

    async def fence(self) -> None:
        """
        Cut off every earlier owner; on return its open transaction is aborted.

        Raises errors.KafkaUnavailable after ``commit_deadline`` at the latest,
        errors.TransactionHangs when a restore would not see all that was committed,
        and errors.TopicMismatch where a topic is gone or is another one now.
        """
        await self.discard()
        producer = self._producer = _new_producer(self._kafka, self.partition)
        self._ends = aiokafka_patches.EndTxnMonitor(producer)
        try:
            with error_mapping.as_unavailable("fencing"):
                async with asyncio.timeout(self._deadline_s):
                    await producer.start()
                    names = [self._kafka.topic(name) for name in WRITTEN]
                    # First: any other question for a topic may create it.
                    await topics.recheck(producer.client, self._kafka, names)
                    await _load_metadata(producer, names)
                    number, client = self.partition, producer.client
                    await hanging_transactions.check(client, names, number)
        except BaseException:
            await self.discard()
            raise
        self._whole = True

    async def restore(self, handle: Handle) -> Restored:
        """
        Hand over every record of the ledger, oldest first, but the position.

        Later records of a key replace earlier ones. Call it after ``fence``: the end
        is taken now, so that it holds all that any earlier owner committed. Raises
        errors.KafkaUnavailable after ``request_timeout`` without records,
        errors.UnknownVersion for the position, errors.LedgerUnreadable, and what
        *handle* raises.
        """
        if not self._whole:
            raise RuntimeError("a partition is restored after it is fenced")
        position, count = None, 0
        topic = self._kafka.topic("ledger")
        batches = reader.read_to_end(self._kafka, topic, self.partition)
        async with contextlib.aclosing(batches):
            async for records in batches:
                count += len(records)
                for record in records:
                    if isinstance(record, record_format.Undecodable):
                        raise _unreadable(record.place, record.why)
                    key = _key(record)
                    if key == model.POSITION_KEY:
                        position = _position(record)
                    else:
                        handle(key, record.value)
                # A full buffer never suspends: let heartbeats and others run.
                await asyncio.sleep(0)
        return Restored(position=position, records=count)

    async def commit(self, batch: ports.Batch) -> None:
        """
        Write *batch* in one transaction; on return all of it is committed.

        Raises errors.RecordTooLarge before anything is begun: the log stays good.
        Raises errors.ProducerRetired, also before anything is begun, after a commit
        whose EndTxn request was sent more than once. Raises errors.OwnershipLost or
        errors.CommitInDoubt, after ``commit_deadline`` at the latest, or
        errors.RecordTooLarge from the broker: then only ``discard`` is left.
        """
        producer = self._producer
        if producer is None or not self._whole:
            raise errors.CommitInDoubt("an earlier commit failed")
        if self._ends is not None and self._ends.unanswered:
            raise errors.ProducerRetired("an EndTxn request of it was not answered")
        records = self._records(batch)
        self._check_sizes(records)
        self._whole = False
        try:
            with cancellation.contained():
                async with asyncio.timeout(self._deadline_s):
                    await producer.begin_transaction()
                    await self._send_all(producer, records)
                    await producer.commit_transaction()
        except Exception as error:
            raise error_mapping.map_commit_error(
                error, aiokafka_patches.sender_error(producer)
            ) from error
        self._whole = True

    async def discard(self) -> None:
        """Let go at once, whatever Kafka does; does nothing twice, never raises."""
        self._whole = False
        producer, self._producer = self._producer, None
        if producer is not None:
            await aiokafka_patches.discard_producer(producer)

    def _records(self, batch: ports.Batch) -> dict[str, list[codec.Record]]:
        """Return everything that *batch* writes, by topic."""
        found: dict[str, list[codec.Record]] = collections.defaultdict(list)
        latest = self._kafka.topic("decisions")
        ledger = found[self._kafka.topic("ledger")]
        ledger += [codec.session_record(key, value) for key, value in batch.sessions]
        ledger.append(codec.position_record(batch.position))
        for decision in batch.decisions:
            record = codec.decision_record(decision)
            found[latest].append(record)
            found[f"{latest}.{decision.verdict.outcome}"].append(record)
        for key in batch.deleted_sessions:
            found[latest].append(codec.decision_tombstone(key))
        for letter in batch.dead_letters:
            found[self._kafka.topic("dlq")].append(codec.dead_letter_record(letter))
        return found

    def _check_sizes(self, records: Mapping[str, Sequence[codec.Record]]) -> None:
        bound = max_record_bytes(self._kafka)
        for topic, written in records.items():
            check_size(topic, max(record.size_bytes for record in written), bound)

    async def _send_all(
        self,
        producer: aiokafka.AIOKafkaProducer,
        records: Mapping[str, Sequence[codec.Record]],
    ) -> None:
        """
        Send *records* and return when each of them is acknowledged.

        This is the only way into a transaction: aiokafka commits one although a
        batch in it failed, so every single future is awaited.
        """
        futures: list[asyncio.Future[object]] = []
        try:
            for topic, written in records.items():
                for batch in _batches(producer, written):
                    sent = await producer.send_batch(
                        batch, topic, partition=self.partition
                    )
                    futures.append(sent)
            await asyncio.gather(*futures)
        except BaseException:
            for future in futures:
                future.add_done_callback(_consume_exception)
            raise


def _key(record: aiokafka.ConsumerRecord) -> str:
    """Return the key of a ledger record; raises errors.LedgerUnreadable."""
    try:
        return str(record.key, "utf-8")
    except (TypeError, UnicodeDecodeError) as error:
        raise _unreadable(_place(record), "key") from error


def _position(record: aiokafka.ConsumerRecord) -> model.Position:
    try:
        return codec.read_position(record.value)
    except codec.MalformedRecord as error:
        raise _unreadable(_place(record), error.field) from error


def _place(record: aiokafka.ConsumerRecord) -> str:
    return f"{record.topic}:{record.partition}:{record.offset}"


def _unreadable(place: str, why: str) -> errors.LedgerUnreadable:
    return errors.LedgerUnreadable(
        f"the ledger's record at {place} cannot be read ({why}): its partition is"
        " blocked until the record is gone; only workers may write there, see"
        " docs/operations/runbook.md, ledger_unreadable"
    )


def _batches(
    producer: aiokafka.AIOKafkaProducer, records: Iterable[codec.Record]
) -> Iterator[Any]:
    """
    Yield *records* in aiokafka's batches, in order; no record is left out.

    A ``send`` of each costs three times the CPU: a future, and a look at the metadata.
    """
    batch = producer.create_batch()
    for record in records:
        if not _append(batch, record):
            yield batch
            batch = producer.create_batch()
            if not _append(batch, record):
                # An empty batch takes any record (aiokafka 0.14, seen 2026-11-21).
                raise errors.RecordTooLarge("an empty batch has no room for a record")
    yield batch


def _append(batch: Any, record: codec.Record) -> bool:  # noqa: ANN401 -- aiokafka's, untyped
    """Return whether *record* had room in *batch*."""
    added = batch.append(
        timestamp=None, key=record.key, value=record.value, headers=record.headers
    )
    return added is not None


#: What a worker's transaction writes to.
WRITTEN = (
    "ledger",
    "decisions",
    *(f"decisions.{outcome}" for outcome in model.Outcome),
    "dlq",
)


async def _load_metadata(
    producer: aiokafka.AIOKafkaProducer, names: Sequence[str]
) -> None:
    """Have the metadata of all topics now: no ``send`` waits for them later."""
    await producer.client.set_topics(names)
    for name in names:
        await producer.partitions_for(name)


def max_record_bytes(kafka: settings.Kafka) -> int:
    """Return the most bytes that key, value and headers of one record may take."""
    return int(kafka.max_message_bytes * _SHARE)


def check_size(topic: str, size_bytes: int, bound: int) -> None:
    """Raise errors.RecordTooLarge for a record beyond *bound* (``record_bound``)."""
    if size_bytes > bound:
        sentence = f"a record of {size_bytes} bytes for {topic}: {bound} are allowed"
        raise errors.RecordTooLarge(sentence)


def _consume_exception(future: "asyncio.Future[object]") -> None:
    """Read a failure that came second, or asyncio reports it as never retrieved."""
    if not future.cancelled():
        future.exception()


def _new_producer(kafka: settings.Kafka, partition: int) -> aiokafka.AIOKafkaProducer:
    """Return the producer of a partition: its id names what it guards."""
    producer = aiokafka.AIOKafkaProducer(
        **kafka.client_args(),
        transactional_id=f"{kafka.topic('ledger')}.{partition}",
        transaction_timeout_ms=kafka.transaction_timeout,
        acks="all",
        linger_ms=0,
        max_batch_size=min(kafka.max_batch_bytes, max_record_bytes(kafka)),
        max_request_size=kafka.max_message_bytes,
        request_timeout_ms=kafka.answer_timeout,
        retry_backoff_ms=kafka.retry_backoff,
        metadata_max_age_ms=kafka.metadata_max_age,
    )
    aiokafka_patches.preset_transaction_waiter(producer)
    return producer
