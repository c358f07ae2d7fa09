"""Compute a key's partition, the same number in every topic and every language."""

from aiokafka import partitioner

_POSITIVE = 0x7FFF_FFFF


def partition_of(key: bytes, partitions: int) -> int:
    """
    Return the partition of *key* among *partitions*.

    As Java's client does: murmur2, the sign bit cleared, modulo. Never changes: a
    session's state stands in the ledger's partition of this number.
    """
    hashed: int = partitioner.murmur2(key)
    return (hashed & _POSITIVE) % partitions
