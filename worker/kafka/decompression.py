"""Decompress a record batch in any of Kafka's codecs, up to a bounded size."""

import struct
import zlib
from types import ModuleType

import cramjam

from worker.kafka import record_format

#: The most bytes that a compressed batch may become: what kafka.max_message_bytes may
#: be at most, and its frame. Our own producers do not compress, but a topic may.
INFLATED_BYTES = (16 << 20) + 4096
#: The codecs that are read, by their names in ``compression.type``.
CODECS = {"gzip": 1, "snappy": 2, "lz4": 3, "zstd": 4}

_GZIP_WINDOW = 16 + zlib.MAX_WBITS
_XERIAL = b"\x82SNAPPY\x00"
_XERIAL_HEAD = 16
_BLOCK = struct.Struct(">i")
_BY_BUFFER = {CODECS["lz4"]: cramjam.lz4, CODECS["zstd"]: cramjam.zstd}


def inflate(codec: int, packed: memoryview) -> bytes:
    """
    Return what *packed* holds, at most ``INFLATED_BYTES``.

    Raises record_format.CannotDecodeError; takes at most three times that.
    """
    try:
        if codec == CODECS["gzip"]:
            return _gunzip(packed)
        if codec == CODECS["snappy"]:
            return _unsnap(packed)
        if codec in _BY_BUFFER:
            return _into_buffer(_BY_BUFFER[codec], packed)
    except (zlib.error, cramjam.DecompressionError, struct.error) as error:
        raise _broken() from error
    raise _broken()


def _broken() -> record_format.DecodeError:
    return record_format.DecodeError(record_format.DecodeFailure.COMPRESSION)


def _too_large() -> record_format.DecodeError:
    return record_format.DecodeError(record_format.DecodeFailure.TOO_LARGE)


def _gunzip(packed: memoryview) -> bytes:
    """Return what is in a gzip stream of one member, as all clients write it."""
    stream = zlib.decompressobj(_GZIP_WINDOW)
    found = stream.decompress(packed, INFLATED_BYTES + 1)
    if len(found) > INFLATED_BYTES:
        raise _too_large()
    if not stream.eof or stream.unused_data:
        raise _broken()
    return found


def _into_buffer(codec: ModuleType, packed: memoryview) -> bytes:
    into = bytearray(INFLATED_BYTES)
    try:
        length = codec.decompress_into(bytes(packed), into)
    except cramjam.DecompressionError as error:
        # What cramjam says of a buffer that is full (2.14).
        raise _too_large() if "whole buffer" in str(error) else _broken() from error
    return bytes(memoryview(into)[:length])


def _unsnap(packed: memoryview) -> bytes:
    """Return what is in a snappy stream: in Java's blocks, or in one."""
    if bytes(packed[: len(_XERIAL)]) != _XERIAL:
        return _unsnapped(bytes(packed), 0)
    found, start = bytearray(), _XERIAL_HEAD
    while start < len(packed):
        (length,) = _BLOCK.unpack_from(packed, start)
        start += _BLOCK.size
        if not 0 < length <= len(packed) - start:
            raise _broken()
        found += _unsnapped(bytes(packed[start : start + length]), len(found))
        start += length
    return bytes(found)


def _unsnapped(block: bytes, before: int) -> bytes:
    if cramjam.snappy.decompress_raw_len(block) > INFLATED_BYTES - before:
        raise _too_large()
    return bytes(cramjam.snappy.decompress_raw(block))
