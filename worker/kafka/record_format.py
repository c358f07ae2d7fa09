"""Decode one record by Kafka's format of it, and name what cannot be decoded."""

import dataclasses
import enum
from typing import NamedTuple

#: The most headers of one record: each of three bytes becomes a hundred here.
HEADERS = 1000


class DecodeFailure(enum.StrEnum):
    """Why a record, or a whole batch, cannot be decoded."""

    CHECKSUM = "checksum"  #: the bytes are not those that were written
    FRAME = "batch_frame"  #: no batch of a format that we know
    COMPRESSION = "compression"  #: an unknown codec, or not what it says
    TOO_LARGE = "batch_inflates_too_far"
    TOO_MANY = "too_many_records"
    RECORD = "record_format"
    HEADER = "header_not_utf8"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Undecodable:
    """What stands where no record can be read: *offset* up to *last_offset*."""

    topic: str = ""
    partition: int = -1
    offset: int
    last_offset: int
    timestamp: int  #: when the broker took it, 0 where that cannot be read either
    why: DecodeFailure

    @property
    def place(self) -> str:
        """Return where it stands, such as ``kyc.events:3:17`` or ``…:3:17-29``."""
        last = f"-{self.last_offset}" if self.last_offset > self.offset else ""
        return f"{self.topic}:{self.partition}:{self.offset}{last}"


class Record(NamedTuple):
    """One record of a batch, as aiokafka's own decoder returns it."""

    offset: int
    timestamp: int
    timestamp_type: int
    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes | None]]
    checksum: None = None


class DecodeError(Exception):
    """A record or a batch cannot be decoded; *why* is all that is known."""

    def __init__(self, why: DecodeFailure) -> None:
        super().__init__(why.value)
        self.why = why


def record(
    body: memoryview, *, base: int, first_ms: int, broker_ms: int | None
) -> Record:
    """
    Return the record that *body* is, its length left out; raises CannotDecodeError.

    *base* and *first_ms* are the batch's, *broker_ms* where the broker's time counts.
    """
    later, at = varint(body, 1)  # after one byte of attributes
    delta, at = varint(body, at)
    key, at = _bytes(body, at)
    value, at = _bytes(body, at)
    count, at = varint(body, at)
    if not 0 <= count <= HEADERS:
        raise DecodeError(DecodeFailure.RECORD)
    headers: list[tuple[str, bytes | None]] = []
    for _ in range(count):
        name, at = _bytes(body, at)
        held, at = _bytes(body, at)
        if name is None:
            raise DecodeError(DecodeFailure.RECORD)
        try:
            headers.append((name.decode(), held))
        except UnicodeDecodeError:
            raise DecodeError(DecodeFailure.HEADER) from None
    if at != len(body):
        raise DecodeError(DecodeFailure.RECORD)
    return Record(
        offset=base + delta,
        timestamp=first_ms + later if broker_ms is None else broker_ms,
        timestamp_type=0 if broker_ms is None else 1,
        key=key,
        value=value,
        headers=headers,
    )


def frame(body: memoryview, at: int) -> tuple[int, int]:
    """Return where the record at *at* begins and ends; raises CannotDecodeError."""
    length, begin = varint(body, at)
    if not 0 < length <= len(body) - begin:
        raise DecodeError(DecodeFailure.RECORD)
    return begin, begin + length


def varint(body: memoryview, at: int) -> tuple[int, int]:
    """
    Return the number at *at* in Kafka's zigzag encoding, and where it ends.

    Raises CannotDecodeError.
    """
    number = 0
    for shift in range(0, 70, 7):
        if at >= len(body):
            break
        byte = body[at]
        at += 1
        number |= (byte & 0x7F) << shift
        if not byte & 0x80:
            return (number >> 1) ^ -(number & 1), at
    raise DecodeError(DecodeFailure.RECORD)


def _bytes(body: memoryview, at: int) -> tuple[bytes | None, int]:
    length, at = varint(body, at)
    if length == -1:
        return None, at
    if not 0 <= length <= len(body) - at:
        raise DecodeError(DecodeFailure.RECORD)
    return bytes(body[at : at + length]), at + length
