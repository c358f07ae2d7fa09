"""A key's partition is the one that Java's client computes."""

import pytest
from aiokafka import partitioner
from hypothesis import given
from hypothesis import strategies as st

from worker.kafka import partitioning

# Apache Kafka 4.3, org.apache.kafka.common.utils.UtilsTest.testMurmur2: signed.
_HASHES = {
    b"21": -973932308,
    b"foobar": -790332482,
    b"a-little-bit-long-string": -985981536,
    b"a-little-bit-longer-string": -1486304829,
    b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8": -58897971,
    b"abc": 479470107,
}


@pytest.mark.parametrize(("key", "hashed"), _HASHES.items())
@pytest.mark.parametrize("partitions", [1, 6, 24, 1000])
def test_java_computes_the_same(key: bytes, hashed: int, partitions: int) -> None:
    """The sign bit is cleared (``Utils.toPositive``), not the sign turned."""
    expected = (hashed & 0x7FFFFFFF) % partitions

    assert expected == partitioning.partition_of(key, partitions)


def test_known_keys_keep_their_partitions() -> None:
    """These numbers never change: sessions stand where they say."""
    keys = [b"idnow_de:TS2-ABCDE", b"idbeyond:1", "quelle:ü".encode(), b""]

    assert [partitioning.partition_of(key, 24) for key in keys] == [17, 10, 6, 9]


@given(st.binary(max_size=80), st.integers(1, 10_000))
def test_every_key_has_a_partition(key: bytes, partitions: int) -> None:
    """It is within range, and aiokafka's own partitioner agrees."""
    numbers = list(range(partitions))
    expected = partitioner.DefaultPartitioner()(key, numbers, numbers)

    assert expected == partitioning.partition_of(key, partitions)
