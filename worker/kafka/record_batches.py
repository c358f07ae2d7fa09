"""Decode Kafka's record batches: what cannot be decoded is named, and bounded."""

import contextlib
import struct
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from aiokafka.record import default_records, legacy_records

from worker.kafka import decompression, record_format
from worker.kafka.record_format import DecodeFailure

#: The most records that one batch may hold: a million empty ones, which fit into one,
#: are half a gigabyte here.
BATCH_RECORDS = 50_000
#: What is larger once it is inflated is decoded here, where headers are counted before
#: they are made: of three bytes each, two million of them are 200 MiB.
_TRUSTED_BYTES = 1 << 20

# Base offset, length, leader epoch, magic, checksum, attributes, last offset delta,
# first and highest timestamp, producer id and epoch, base sequence, record count.
_HEAD = struct.Struct(">qiibIhiqqqhii")
_BASE_AND_LENGTH = struct.Struct(">qi")
_LEAST_LENGTH = 14
_MAGIC_AT = 16
_LEGACY, _MAGIC = (0, 1), 2
_CODEC, _LOG_APPEND_TIME, _TRANSACTIONAL, _CONTROL = 0x07, 0x08, 0x10, 0x20
_MARKER = struct.Struct(">hh")
_ABORT = (0, 0)


class Batch(NamedTuple):
    """One batch as the broker sent it; nothing in it is decoded, or believed."""

    data: memoryview
    magic: int
    base_offset: int
    last_offset: int
    attributes: int = 0
    first_timestamp: int = 0
    max_timestamp: int = 0
    producer_id: int = -1
    records: int = 1

    @property
    def control(self) -> bool:
        """Return whether the broker wrote it, as the end of a transaction."""
        return bool(self.attributes & _CONTROL)

    @property
    def transactional(self) -> bool:
        """Return whether it belongs to a transaction."""
        return bool(self.attributes & _TRANSACTIONAL)

    def undecodable(
        self, why: DecodeFailure, first: int, last: int
    ) -> record_format.Undecodable:
        """Return what stands in its place from *first* to *last*, for *why*."""
        return record_format.Undecodable(
            offset=first,
            last_offset=max(first, last),
            timestamp=max(self.max_timestamp, 0),
            why=why,
        )


#: A record as aiokafka returns it, ours in the same form, or what is neither.
Decoded = record_format.Record | record_format.Undecodable


def split(data: bytes) -> Iterator[Batch]:
    """
    Yield the batches that *data* holds whole.

    A broker cuts the last one off where the limit of a fetch is, but never the first.
    """
    view, start = memoryview(data), 0
    while start + _BASE_AND_LENGTH.size <= len(data):
        base, length = _BASE_AND_LENGTH.unpack_from(data, start)
        end = start + _BASE_AND_LENGTH.size + length
        if length < _LEAST_LENGTH or end > len(data):
            return
        yield _batch(base, view[start:end])
        start = end


def _batch(base: int, data: memoryview) -> Batch:
    magic = data[_MAGIC_AT]
    if magic != _MAGIC or len(data) < _HEAD.size:
        return Batch(
            data=data,
            magic=magic if magic in _LEGACY else -1,
            base_offset=base,
            last_offset=base,
            attributes=data[_MAGIC_AT + 1] & _CODEC,
        )
    _, _, _, _, _, attributes, last, first_ms, max_ms, producer, _, _, records = (
        _HEAD.unpack_from(data)
    )
    return Batch(
        data, magic, base, base + last, attributes, first_ms, max_ms, producer, records
    )


def fault(batch: Batch) -> DecodeFailure | None:
    """Return why *batch* is not what was written, None where it is; raises nothing."""
    try:
        if batch.magic == _MAGIC:
            decoder = default_records.DefaultRecordBatch(batch.data)
        elif batch.magic in _LEGACY:
            decoder = legacy_records.LegacyRecordBatch(batch.data, batch.magic)
        else:
            return DecodeFailure.FRAME
        return None if decoder.validate_crc() else DecodeFailure.CHECKSUM
    except Exception:  # noqa: BLE001 -- whatever it is, it is no batch
        return DecodeFailure.FRAME


def decode(batch: Batch) -> Sequence[Decoded]:
    """
    Return the records of *batch*, which has no fault, in order; raises nothing.

    One that cannot be decoded stands there as such, and so does the rest where a
    record's end cannot be found. Memory is bounded, whatever the batch claims to hold.
    """
    last = batch.last_offset
    try:
        if batch.magic in _LEGACY:
            return _legacy(batch)
        plain = _inflated(batch)
    except record_format.DecodeError as error:
        return [batch.undecodable(error.why, batch.base_offset, last)]
    if plain is batch.data or len(plain) <= _TRUSTED_BYTES:
        # Whatever it raises, the records are then looked for one by one.
        with contextlib.suppress(Exception):
            return list(default_records.DefaultRecordBatch(plain))
    return list(_one_by_one(batch, memoryview(plain)[_HEAD.size :]))


def is_abort(batch: Batch) -> bool:
    """
    Return whether a control *batch* says that its producer's transaction was aborted.

    One that cannot be read is taken as such: every transaction has one marker.
    """
    key = getattr(next(iter(decode(batch)), None), "key", None)
    if key is None or len(key) < _MARKER.size:
        return True
    return bool(_MARKER.unpack_from(key) == _ABORT)


def _legacy(batch: Batch) -> Sequence[Decoded]:
    """Return the one record of a format that no broker since 3.0 writes."""
    if batch.attributes & _CODEC:
        raise record_format.DecodeError(DecodeFailure.COMPRESSION)
    try:
        return list(legacy_records.LegacyRecordBatch(batch.data, batch.magic))
    except Exception as error:
        raise record_format.DecodeError(DecodeFailure.RECORD) from error


def _inflated(batch: Batch) -> bytes | memoryview:
    """Return *batch* without compression; its checksum is not made anew."""
    if not 0 <= batch.records <= BATCH_RECORDS:
        raise record_format.DecodeError(DecodeFailure.TOO_MANY)
    codec = batch.attributes & _CODEC
    if codec == 0:
        return batch.data
    plain = decompression.inflate(codec, batch.data[_HEAD.size :])
    head = list(_HEAD.unpack_from(batch.data))
    head[1] = len(plain) + _HEAD.size - _BASE_AND_LENGTH.size
    head[5] &= ~_CODEC
    return _HEAD.pack(*head) + plain


def _one_by_one(batch: Batch, body: memoryview) -> Iterator[Decoded]:
    """Yield the records of *body*; only those that cannot be decoded are lost."""
    broker_ms = batch.max_timestamp if batch.attributes & _LOG_APPEND_TIME else None
    start, offset = 0, batch.base_offset
    for _ in range(batch.records):
        try:
            begin, start = record_format.frame(body, start)
        except record_format.DecodeError as error:
            yield batch.undecodable(error.why, offset, batch.last_offset)
            return
        try:
            found = record_format.record(
                body[begin:start],
                base=batch.base_offset,
                first_ms=batch.first_timestamp,
                broker_ms=broker_ms,
            )
        except record_format.DecodeError as error:
            yield batch.undecodable(error.why, offset, offset)
            offset += 1
            continue
        if offset <= found.offset <= batch.last_offset:
            yield found
            offset = found.offset + 1
        else:
            yield batch.undecodable(DecodeFailure.RECORD, offset, offset)
            offset += 1
