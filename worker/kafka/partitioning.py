"""Compute a key's partition, the same number in every topic and every language."""

import struct

_POSITIVE = 0x7FFF_FFFF
_32_BITS = 0xFFFF_FFFF
_SEED = 0x9747B28C
_FACTOR = 0x5BD1E995


def partition_of(key: bytes, partitions: int) -> int:
    """
    Return the partition of *key* among *partitions*.

    As Java's client does: murmur2, the sign bit cleared, modulo. Never changes: a
    session's state stands in the ledger's partition of this number.
    """
    return (_murmur2(key) & _POSITIVE) % partitions


def _murmur2(key: bytes) -> int:
    """
    Return Kafka's hash of *key*.

    aiokafka 0.14 has the same byte by byte, which takes twice as long; a test compares
    the two.
    """
    mixed = _SEED ^ len(key)
    whole = len(key) & ~3
    for (four,) in struct.iter_unpack("<I", key[:whole]):
        word = four * _FACTOR & _32_BITS
        mixed = (mixed * _FACTOR ^ (word ^ word >> 24) * _FACTOR) & _32_BITS
    if whole < len(key):
        mixed = (mixed ^ int.from_bytes(key[whole:], "little")) * _FACTOR & _32_BITS
    mixed = (mixed ^ mixed >> 13) * _FACTOR & _32_BITS
    return mixed ^ mixed >> 15
