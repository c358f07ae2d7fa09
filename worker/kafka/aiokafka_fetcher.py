"""
Let aiokafka's consumers hand out what they cannot decode, instead of raising.

aiokafka 0.14 raises what its decoder raised out of every ``getmany``, for ever: one
header key that is not UTF-8, one codec that it lacks, and no partition of the consumer
goes on. It also inflates a batch to whatever size. So its decoder of a fetched
partition is replaced by this one. All that is used of its inner parts stands here.
"""

import dataclasses
from collections.abc import Iterator
from typing import TypeAlias

import aiokafka
from aiokafka.consumer import fetcher

from worker.kafka import record_batches, record_format

Fetched: TypeAlias = aiokafka.ConsumerRecord | record_format.Undecodable

_AbortedTransactions = list[tuple[int, int]]


class FetchedBatches:
    """Stands for aiokafka's MemoryRecords: what a fetch has of one partition."""

    def __init__(self, data: bytes | None) -> None:
        self.data = data or b""

    def has_next(self) -> bool:
        """Return whether there is anything, be it no whole batch."""
        return bool(self.data)

    def size_in_bytes(self) -> int:
        """Return its size, which is never too large: the first batch comes whole."""
        return len(self.data)


class FetchedRecords:
    """
    Stands for aiokafka's PartitionRecords: iterates over the records of one partition.

    Aborted transactions and control batches are passed over. What cannot be decoded
    is a record_format.Undecodable in its place, and ``next_fetch_offset`` is past it.
    """

    def __init__(  # noqa: PLR0917 -- aiokafka's own order
        self,
        tp: aiokafka.TopicPartition,
        records: FetchedBatches,
        aborted_transactions: _AbortedTransactions | None,
        fetch_offset: int,
        key_deserializer: object,
        value_deserializer: object,
        check_crcs: bool,  # noqa: FBT001 -- aiokafka's own order
        isolation_level: int,
    ) -> None:
        del check_crcs  # always
        if key_deserializer or value_deserializer:
            raise NotImplementedError("records are bytes here")
        self.next_fetch_offset: int = fetch_offset
        self._tp = tp
        self._committed_only = isolation_level == fetcher.READ_COMMITTED
        self._starts = sorted(aborted_transactions or [], key=lambda each: each[1])
        self._aborted: set[int] = set()
        self._records = self._read(records.data)

    def __iter__(self) -> Iterator[Fetched]:
        return self._records

    def __next__(self) -> Fetched:
        return next(self._records)

    def _read(self, data: bytes) -> Iterator[Fetched]:
        whole = False
        for batch in record_batches.split(data):
            whole = True
            why = record_batches.fault(batch)
            for found in [self._faulty(batch, why)] if why else self._of(batch):
                self.next_fetch_offset = _last(found) + 1
                yield found
            if why is None and batch.last_offset >= self.next_fetch_offset:
                # The last records of a batch may be compacted away.
                self.next_fetch_offset = batch.last_offset + 1
        if not whole:  # its length cannot be true: only the one offset is sure
            offset = self.next_fetch_offset
            found = record_format.Undecodable(
                offset=offset,
                last_offset=offset,
                timestamp=0,
                why=record_format.DecodeFailure.FRAME,
            )
            placed = self._placed(found)
            self.next_fetch_offset = offset + 1
            yield placed

    def _faulty(
        self, batch: record_batches.Batch, why: record_format.DecodeFailure
    ) -> record_format.Undecodable:
        """Return what stands for a *batch* that is not what was written."""
        # Where it ends may be as wrong as the rest: it is believed only if the number
        # of its records says the same.
        first, last = self.next_fetch_offset, batch.last_offset
        if last - batch.base_offset + 1 != batch.records:
            last = first
        return self._placed(batch.undecodable(why, first, last))

    def _of(self, batch: record_batches.Batch) -> list[Fetched]:
        """Return what *batch* holds from the position on."""
        if self._passed_over(batch):
            return []
        at_least = self.next_fetch_offset
        topic, partition = self._tp
        return [
            aiokafka.ConsumerRecord(
                topic,
                partition,
                each.offset,
                each.timestamp,
                each.timestamp_type,
                key := each.key,
                value := each.value,
                each.checksum,
                -1 if key is None else len(key),
                -1 if value is None else len(value),
                tuple(each.headers),
            )
            if not isinstance(each, record_format.Undecodable)
            else self._placed(each)
            for each in record_batches.decode(batch)
            if each.offset >= at_least or _last(each) >= at_least
        ]

    def _placed(self, found: record_format.Undecodable) -> record_format.Undecodable:
        """Return *found* with its whole place, from the position on."""
        return dataclasses.replace(
            found,
            topic=self._tp.topic,
            partition=self._tp.partition,
            offset=max(found.offset, self.next_fetch_offset),
        )

    def _passed_over(self, batch: record_batches.Batch) -> bool:
        """Return whether a reader never sees *batch*."""
        if self._committed_only and batch.producer_id >= 0:
            while self._starts and self._starts[0][1] <= batch.base_offset:
                self._aborted.add(self._starts.pop(0)[0])
            if batch.control and record_batches.is_abort(batch):
                self._aborted.discard(batch.producer_id)
            elif batch.transactional and batch.producer_id in self._aborted:
                return True
        return batch.control


def _last(found: Fetched | record_batches.Decoded) -> int:
    """Return the last offset that *found* stands for."""
    if isinstance(found, record_format.Undecodable):
        return found.last_offset
    return found.offset


#: What is replaced.
THEIRS = (fetcher.MemoryRecords, fetcher.PartitionRecords)


def install() -> None:
    """Have every consumer of this process decode by this file; idempotent."""
    fetcher.MemoryRecords = FetchedBatches
    fetcher.PartitionRecords = FetchedRecords
