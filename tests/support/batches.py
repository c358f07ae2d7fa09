"""Build Kafka's record batches by hand, and write them as any other client may."""

import asyncio
import dataclasses
import gzip
import struct
from collections.abc import Sequence

import aiokafka
import cramjam
from aiokafka import codec as codecs
from aiokafka import errors as theirs
from aiokafka.protocol import produce
from aiokafka.record import util

Header = tuple[bytes, bytes | None]
CODECS = {"none": 0, "gzip": 1, "snappy": 2, "lz4": 3, "zstd": 4}
_XERIAL = b"\x82SNAPPY\x00" + struct.pack(">ii", 1, 1)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Raw:
    """One record as bytes: the keys of its headers need not be text."""

    key: bytes | None = None
    value: bytes | None = None
    headers: Sequence[Header] = ()


def varint(number: int) -> bytes:
    """Return *number* in Kafka's zigzag encoding."""
    written = bytearray()
    util.encode_varint(number, written.append)
    return bytes(written)


def _sized(held: bytes | None) -> bytes:
    return varint(-1) if held is None else varint(len(held)) + held


def record(raw: Raw, place: int) -> bytes:
    """Return *raw* as the record number *place* of a batch."""
    held = b"\x00" + varint(0) + varint(place) + _sized(raw.key) + _sized(raw.value)
    around = [_sized(each) for header in raw.headers for each in header]
    held = b"".join([held, varint(len(raw.headers)), *around])
    return varint(len(held)) + held


def compress(codec: str, held: bytes) -> bytes:
    """Return *held* in one of Kafka's codecs."""
    match codec:
        case "gzip":
            return gzip.compress(held)
        case "snappy":  # as Java writes it
            block = bytes(cramjam.snappy.compress_raw(held))
            return _XERIAL + struct.pack(">i", len(block)) + block
        case "snappy-raw":  # as librdkafka writes it
            return bytes(cramjam.snappy.compress_raw(held))
        case "lz4":
            return bytes(codecs.lz4_encode(held))
        case "zstd":
            return bytes(cramjam.zstd.compress(held))
        case _:
            return held


def batch(
    raws: Sequence[Raw],
    codec: str = "none",
    *,
    base_offset: int = 0,
    attributes: int = 0,
    producer_id: int = -1,
    at_ms: int = 1_700_000_000_000,
) -> bytes:
    """Return *raws* as one batch, its checksum right."""
    held = b"".join(record(raw, place) for place, raw in enumerate(raws))
    return framed(
        compress(codec, held),
        len(raws),
        base_offset=base_offset,
        attributes=attributes | CODECS[codec.partition("-")[0]],
        producer_id=producer_id,
        at_ms=at_ms,
    )


def framed(
    held: bytes,
    count: int,
    *,
    base_offset: int = 0,
    attributes: int = 0,
    producer_id: int = -1,
    at_ms: int = 1_700_000_000_000,
) -> bytes:
    """Return *held* in the frame of a batch of *count* records, its checksum right."""
    epoch = -1 if producer_id < 0 else 0
    covered = (
        struct.pack(
            ">hiqqqhii",
            attributes,
            count - 1,
            at_ms,
            at_ms,
            producer_id,
            epoch,
            -1,
            count,
        )
        + held
    )
    crc = util.calc_crc32c(covered)
    return struct.pack(">qiibI", base_offset, 9 + len(covered), -1, 2, crc) + covered


async def write(servers: str, topic: str, partition: int, batch: bytes) -> None:
    """Have the broker take *batch*; raises aiokafka's error where it refuses."""
    client = aiokafka.AIOKafkaClient(bootstrap_servers=servers)
    try:
        await client.bootstrap()
        await client.set_topics([topic])
        error = await _written(client, topic, partition, batch)
        for _ in range(50):
            # A topic that was made a moment ago has no leader yet.
            if error is None or not error.retriable:
                break
            await asyncio.sleep(0.1)
            await client.force_metadata_update()
            error = await _written(client, topic, partition, batch)
    finally:
        await client.close()
    if error is not None:
        raise error


async def _written(
    client: aiokafka.AIOKafkaClient, topic: str, partition: int, batch: bytes
) -> theirs.KafkaError | None:
    place = aiokafka.TopicPartition(topic, partition)
    node = client.cluster.leader_for_partition(place)
    request = produce.ProduceRequest(None, -1, 10_000, [(topic, [(partition, batch)])])
    answer = await client.send(node, request)
    ((_, ((_, code, *_),)),) = answer.topics
    return theirs.for_code(code)() if code else None
