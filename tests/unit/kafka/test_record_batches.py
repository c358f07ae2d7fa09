"""Batches that anybody wrote: what can be decoded is, the rest has its place."""

import struct

import aiokafka
import hypothesis
import pytest
from aiokafka.consumer import fetcher
from hypothesis import strategies

from tests.support import batches as made
from worker.kafka import aiokafka_fetcher, decompression, record_batches, record_format
from worker.kafka.record_format import DecodeFailure

_TP = aiokafka.TopicPartition("kyc.events", 3)
_GOOD = [made.Raw(key=b"k%d" % number, value=b"v" * 99) for number in range(3)]
_BAD_HEADER = made.Raw(key=b"bad", headers=[(b"\xff\xfe", b"x")])
_CODECS = ("none", "gzip", "snappy", "snappy-raw", "lz4", "zstd")
_UNCOMMITTED, _COMMITTED = 0, 1


def _read(
    data: bytes,
    *,
    offset: int = 0,
    aborted: list[tuple[int, int]] | None = None,
    isolation: int = _COMMITTED,
) -> tuple[list[aiokafka_fetcher.Fetched], int]:
    """Return what is read of *data* from *offset* on, and where it goes on."""
    records = aiokafka_fetcher.FetchedRecords(
        *(
            _TP,
            aiokafka_fetcher.FetchedBatches(data),
            aborted,
            offset,
            None,
            None,
            True,
        ),
        isolation,
    )
    return list(records), records.next_fetch_offset


def _seen(found: list[aiokafka_fetcher.Fetched]) -> list[tuple[int, object]]:
    """Return what each is: its offset, and its key or why it cannot be decoded."""
    return [
        (each.offset, each.why)
        if isinstance(each, record_format.Undecodable)
        else (each.offset, each.key)
        for each in found
    ]


_WHOLE: list[tuple[int, object]] = [(7, b"k0"), (8, b"k1"), (9, b"k2")]


@pytest.mark.parametrize("codec", _CODECS)
def test_every_codec_of_kafka_is_read(codec: str) -> None:
    """Whatever the producers of others compress with."""
    found, then = _read(made.batch(_GOOD, codec, base_offset=7), offset=7)

    assert (_seen(found), then) == (_WHOLE, 10)


def test_reading_begins_in_the_middle_of_a_batch() -> None:
    """A broker sends the whole batch that holds the position."""
    found, then = _read(made.batch(_GOOD, base_offset=7), offset=9)

    assert (_seen(found), then) == (_WHOLE[2:], 10)


@pytest.mark.parametrize("codec", ["none", "gzip", "zstd"])
def test_a_header_that_is_not_text_costs_one_record(codec: str) -> None:
    """Its neighbours in the batch, before and after it, are read."""
    raws = [_GOOD[0], _BAD_HEADER, _GOOD[2]]
    found, then = _read(made.batch(raws, codec, base_offset=7), offset=7)

    assert _seen(found) == [(7, b"k0"), (8, DecodeFailure.HEADER), (9, b"k2")]
    assert then == 10
    foreign = found[1]
    assert isinstance(foreign, record_format.Undecodable)
    assert foreign.place == "kyc.events:3:8"


@pytest.mark.parametrize("codec", ["gzip", "snappy", "lz4", "zstd"])
def test_what_is_not_in_its_codec_is_one_place(codec: str) -> None:
    """Garbage behind a right checksum: the batch is lost, and nothing else."""
    garbage = made.framed(b"\x01garbage" * 9, 3, attributes=made.CODECS[codec])
    found, then = _read(garbage + made.batch(_GOOD, base_offset=3))

    assert [
        (0, DecodeFailure.COMPRESSION),
        *((n + 3, b"k%d" % n) for n in range(3)),
    ] == _seen(found)
    assert then == 6
    assert isinstance(found[0], record_format.Undecodable)
    assert found[0].place == "kyc.events:3:0-2"


def test_an_unknown_codec_is_one_place() -> None:
    """A later Kafka may have one more."""
    found, then = _read(made.framed(b"x" * 50, 2, attributes=5))

    assert (_seen(found), then) == ([(0, DecodeFailure.COMPRESSION)], 2)


@pytest.mark.parametrize("codec", ["gzip", "snappy-raw", "lz4", "zstd"])
def test_a_batch_inflates_to_a_bound(
    codec: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beyond it the batch is one place, and no more than the bound was written."""
    monkeypatch.setattr(decompression, "INFLATED_BYTES", 1 << 16)
    bomb = made.batch([made.Raw(value=b"\0" * (1 << 20))], codec)
    found, then = _read(bomb)

    assert (_seen(found), then) == ([(0, DecodeFailure.TOO_LARGE)], 1)


def test_a_batch_of_too_many_records_is_one_place() -> None:
    """A million empty records fit into one batch, and not into our memory."""
    many = record_batches.BATCH_RECORDS + 1
    found, then = _read(made.batch([made.Raw()] * many, "gzip"))

    assert (_seen(found), then) == ([(0, DecodeFailure.TOO_MANY)], many)


def test_headers_are_counted_before_they_are_made() -> None:
    """Where a batch inflates beyond what a broker takes as it is."""
    raws = [
        made.Raw(key=b"k", value=b"v" * (1 << 20)),
        made.Raw(headers=[(b"", None)] * 2000),
    ]
    found, then = _read(made.batch(raws, "zstd"))

    assert (_seen(found), then) == ([(0, b"k"), (1, DecodeFailure.RECORD)], 2)


def test_a_wrong_checksum_is_one_place() -> None:
    """The batch is not believed, its neighbours are."""
    broken = bytearray(made.batch(_GOOD))
    broken[-1] ^= 1
    found, then = _read(bytes(broken) + made.batch(_GOOD, base_offset=3))

    assert [each.offset for each in found] == [0, 3, 4, 5]
    assert _seen(found)[0] == (0, DecodeFailure.CHECKSUM)
    assert then == 6


def test_a_last_offset_that_cannot_be_true_is_not_believed() -> None:
    """Or a flipped bit would pass over a million events."""
    broken = bytearray(made.batch(_GOOD))
    struct.pack_into(">i", broken, 23, 1_000_000)
    found, then = _read(bytes(broken))

    assert (_seen(found), then) == ([(0, DecodeFailure.CHECKSUM)], 1)


def test_a_length_that_cannot_be_true_is_one_place() -> None:
    """Reading goes on behind it, offset by offset."""
    broken = bytearray(made.batch(_GOOD))
    struct.pack_into(">i", broken, 8, 1 << 30)
    found, then = _read(bytes(broken), offset=4)

    assert (_seen(found), then) == ([(4, DecodeFailure.FRAME)], 5)


def test_aborted_and_control_batches_are_passed_over() -> None:
    """As aiokafka does: until the marker, and only for readers of committed ones."""
    transactional, control = 0x10, 0x30
    data = made.batch(_GOOD[:1], attributes=transactional, producer_id=9)
    data += made.batch(
        [made.Raw(key=b"\0\0\0\0")],
        base_offset=1,
        attributes=control,
        producer_id=9,
    )
    data += made.batch(
        _GOOD[1:2], base_offset=2, attributes=transactional, producer_id=9
    )

    assert _seen(_read(data, aborted=[(9, 0)])[0]) == [(2, b"k1")]
    assert [n for n, _ in _seen(_read(data, isolation=_UNCOMMITTED)[0])] == [0, 2]


def test_a_marker_that_cannot_be_read_hides_nothing_after_it() -> None:
    """Control batches of no key, or of a short one, are passed over."""
    data = made.batch(_GOOD[:1], attributes=0x10, producer_id=9)
    data += made.batch([_BAD_HEADER], base_offset=1, attributes=0x30, producer_id=9)
    data += made.batch(_GOOD[1:2], base_offset=2, attributes=0x10, producer_id=9)

    found, then = _read(data, aborted=[(9, 0)])

    assert (_seen(found), then) == ([(2, b"k1")], 3)


_RAWS = strategies.lists(
    strategies.builds(
        made.Raw,
        key=strategies.none() | strategies.binary(max_size=20),
        value=strategies.none() | strategies.binary(max_size=60),
        headers=strategies.lists(
            strategies.tuples(
                strategies.binary(max_size=6),
                strategies.none() | strategies.binary(max_size=6),
            ),
            max_size=3,
        ),
    ),
    min_size=1,
    max_size=6,
)


@hypothesis.given(raws=_RAWS, codec=strategies.sampled_from(_CODECS))
def test_each_record_is_read_or_has_its_place(raws: list[made.Raw], codec: str) -> None:
    """In order, as written, and aiokafka's own decoder agrees where it can read."""
    data = made.batch(raws, codec, base_offset=5)
    found, then = _read(data, offset=5)

    assert [n + 5 for n in range(len(raws))] == [each.offset for each in found]
    assert then == 5 + len(raws)
    for raw, each in zip(raws, found, strict=True):
        if isinstance(each, record_format.Undecodable):
            assert each.why is DecodeFailure.HEADER
        else:
            assert (raw.key, raw.value) == (each.key, each.value)
            names = [(name.decode(), value) for name, value in raw.headers]
            assert tuple(names) == each.headers
    if not any(isinstance(each, record_format.Undecodable) for each in found):
        memory, records = aiokafka_fetcher.THEIRS
        args = (_TP, memory(data), None, 5, None, None, True, _COMMITTED)
        assert found == list(records(*args))


@hypothesis.given(
    body=strategies.binary(max_size=300),
    count=strategies.integers(-2, 2**31 - 1),
    attributes=strategies.integers(0, 0x3F),
    then=strategies.booleans(),
)
def test_no_bytes_stop_the_reading(
    body: bytes, count: int, attributes: int, *, then: bool
) -> None:
    """Whatever is in a batch whose checksum is right, reading goes on after it."""
    data = made.framed(body, max(min(count, 2**31 - 2), -1), attributes=attributes)
    good = made.batch(_GOOD, base_offset=2**31) if then else b""
    found, goes_on = _read(data + good)

    assert goes_on > 0 or not found
    assert not then or {2**31, 2**31 + 1, 2**31 + 2} <= {each.offset for each in found}


@hypothesis.given(data=strategies.binary(max_size=200))
def test_no_bytes_at_all_stop_the_reading(data: bytes) -> None:
    """What is no batch is a place, and the position moves."""
    _, then = _read(data)

    assert then > 0 or not data


def test_aiokafka_has_what_is_replaced() -> None:
    """One test for all that is used of its inner parts: a new release may differ."""
    aiokafka_fetcher.install()
    assert fetcher.MemoryRecords is aiokafka_fetcher.FetchedBatches
    assert fetcher.PartitionRecords is aiokafka_fetcher.FetchedRecords
    assert fetcher.READ_COMMITTED == _COMMITTED
    codes = [
        each.__init__.__code__
        for each in (aiokafka_fetcher.THEIRS[1], aiokafka_fetcher.FetchedRecords)
    ]
    theirs, mine = (each.co_varnames[: each.co_argcount] for each in codes)
    assert aiokafka_fetcher.THEIRS[1] is not aiokafka_fetcher.FetchedRecords
    assert theirs == mine
