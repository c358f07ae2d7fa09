"""Reading without a group on a real broker: to the end, on and on, one key."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import aiokafka
import pytest

from tests.support import transport
from worker import errors, settings
from worker.kafka import reader


@pytest.fixture(name="producer")
async def _producer(
    config: settings.Kafka,
) -> AsyncIterator[aiokafka.AIOKafkaProducer]:
    """Yield a transactional producer, for records that are not committed yet."""
    producer = aiokafka.AIOKafkaProducer(
        bootstrap_servers=config.bootstrap_servers,
        transactional_id=f"{config.topic_prefix}.reader",
    )
    await producer.start()
    yield producer
    await producer.stop()


async def _write(
    config: settings.Kafka,
    producer: aiokafka.AIOKafkaProducer,
    *words: str,
    commit: bool = True,
) -> None:
    """Write each word, as key and value, to the partition of its length."""
    await producer.begin_transaction()
    for word in words:
        await producer.send_and_wait(
            config.topic("events"),
            word.encode(),
            word[:1].encode(),
            partition=len(word) % 2,
        )
    if commit:
        await producer.commit_transaction()
    else:
        await producer.abort_transaction()


async def _words(
    config: settings.Kafka, span: reader.ReadRange, names: tuple[str, ...] = ("events",)
) -> list[bytes | None]:
    names = tuple(map(config.topic, names))
    async with contextlib.aclosing(reader.follow(config, names, span)) as found:
        return [each.record.value async for each in found]


async def test_reading_until_the_end_ends(
    config: settings.Kafka, producer: aiokafka.AIOKafkaProducer
) -> None:
    """All partitions of all topics are read, committed records alone, in order."""
    await _write(config, producer, "a", "aa", "b")
    await _write(config, producer, "lost", commit=False)

    found = await _words(config, reader.ReadRange.UNTIL_END, ("events", "dlq"))

    assert sorted(found, key=lambda word: len(word or b"") % 2) == [b"aa", b"a", b"b"]


async def test_reading_an_empty_topic_until_the_end_ends(
    config: settings.Kafka,
) -> None:
    """Nothing there is nothing read."""
    assert await _words(config, reader.ReadRange.UNTIL_END) == []


async def test_reading_until_the_end_stops_before_an_open_transaction(
    config: settings.Kafka, producer: aiokafka.AIOKafkaProducer
) -> None:
    """What is not committed when the reading begins is not waited for."""
    await _write(config, producer, "a")
    await producer.begin_transaction()
    await producer.send_and_wait(config.topic("events"), b"b", b"b", partition=1)

    found = await _words(config, reader.ReadRange.UNTIL_END)

    await producer.abort_transaction()
    assert found == [b"a"]


async def test_what_comes_after_the_end_was_taken_is_left_out(
    config: settings.Kafka,
    producer: aiokafka.AIOKafkaProducer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It may come along in the same answer of the broker."""
    bounds = reader._bounds

    async def bounds_then_more(*given: object) -> object:
        taken = await bounds(*given)  # type: ignore[arg-type] # -- passed on as it came
        await _write(config, producer, "later")
        return taken

    await _write(config, producer, "a")
    monkeypatch.setattr(reader, "_bounds", bounds_then_more)

    assert await _words(config, reader.ReadRange.UNTIL_END) == [b"a"]


async def test_following_from_the_beginning_goes_on(
    config: settings.Kafka, producer: aiokafka.AIOKafkaProducer
) -> None:
    """What was there comes first, and what is written meanwhile follows."""
    await _write(config, producer, "a")
    following = reader.follow(
        config, [config.topic("events")], reader.ReadRange.FROM_BEGINNING
    )
    async with contextlib.aclosing(following) as found:
        first = await anext(found)
        await _write(config, producer, "b")
        second = await anext(found)

    assert [first.record.value, second.record.value] == [b"a", b"b"]
    assert [(e.partition, e.offset) for e in (first, second)] == [(1, 0), (1, 2)]
    assert config.topic("events") == first.topic
    assert first.timestamp_ms > 0


async def test_following_from_the_end_passes_over_what_was_there(
    config: settings.Kafka, producer: aiokafka.AIOKafkaProducer
) -> None:
    """Only what is written after the start is read."""
    await _write(config, producer, "old")
    following = reader.follow(
        config, [config.topic("events")], reader.ReadRange.FROM_END
    )
    async with contextlib.aclosing(following) as found:
        begun = asyncio.ensure_future(anext(found))
        number = 0
        while not begun.done():  # the start cannot be seen from outside
            number += 1
            await _write(config, producer, f"n{number:03}")
            await asyncio.wait({begun}, timeout=0.05)

    assert begun.result().record.value != b"old"


async def test_a_keys_history_is_what_its_partition_holds_of_it(
    config: settings.Kafka, producer: aiokafka.AIOKafkaProducer
) -> None:
    """Other keys and other partitions are left out; the oldest comes first."""
    await _write(config, producer, "a", "b", "a22", "aa")

    found = await reader.read_key_history(config, config.topic("events"), 1, b"a")

    assert [each.record.value for each in found] == [b"a", b"a22"]


async def test_the_end_is_that_of_committed_records(
    config: settings.Kafka, producer: aiokafka.AIOKafkaProducer
) -> None:
    """An open transaction does not move it; a marker takes a place of its own."""
    await _write(config, producer, "a", "b")
    await producer.begin_transaction()
    await producer.send_and_wait(config.topic("events"), b"c", b"c", partition=1)

    ends = await reader.end_offsets(config, config.topic("events"))

    await producer.abort_transaction()
    assert ends == {0: 0, 1: 3}


async def test_without_a_broker_a_reader_gives_up() -> None:
    """A command does not hang where there is no Kafka."""
    config = transport.kafka("127.0.0.1:1")

    with pytest.raises(errors.KafkaUnavailable):
        await reader.end_offsets(config, "any")


async def test_a_left_reader_leaves_nothing_behind(
    config: settings.Kafka, producer: aiokafka.AIOKafkaProducer
) -> None:
    """Its tasks and connections end with it, though it never saw an end."""
    await _write(config, producer, "a")
    before = asyncio.all_tasks()
    following = reader.follow(
        config, [config.topic("events")], reader.ReadRange.FROM_BEGINNING
    )
    async with contextlib.aclosing(following) as found:
        await anext(found)

    assert before == asyncio.all_tasks()
