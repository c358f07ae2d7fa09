"""The ingress's producer on a real broker: acknowledged, or refused in time."""

import asyncio
from collections.abc import AsyncIterator

import aiokafka
import pytest

from tests.support import transport
from worker import clock, codec, errors, settings
from worker.kafka import event_producer, partitioning


@pytest.fixture(name="log")
def _log() -> transport.Log:
    return transport.Log()


@pytest.fixture(name="sink")
async def _sink(
    config: settings.Kafka, log: transport.Log
) -> AsyncIterator[event_producer.EventProducer]:
    sink = event_producer.EventProducer(
        config, clock.SystemClock(), log, ack_timeout_ms=10_000
    )
    sink.start()
    yield sink
    await sink.close(1)


async def test_a_published_event_is_on_its_partition(
    config: settings.Kafka, sink: event_producer.EventProducer
) -> None:
    """It is there for every reader, where the key says, once publish returns."""
    events = [transport.event(f"s{number}") for number in range(8)]

    await asyncio.gather(*(sink.publish(event) for event in events))

    found = await transport.fetched(config, "events")
    assert {event.event_id for event in events} == {
        codec.read_event(
            each.record.key, each.record.value, each.record.headers
        ).event_id
        for each in found
    }
    assert all(
        partitioning.partition_of(each.record.key, 2) == each.partition
        for each in found
    )
    assert {0, 1} == {each.partition for each in found}
    assert sink.reachable


async def test_a_dead_letter_is_on_the_dead_letter_topic(
    config: settings.Kafka, sink: event_producer.EventProducer
) -> None:
    """The ingress's dead letters go out as its events do."""
    await sink.dead_letter(transport.letter())

    (found,) = await transport.fetched(config, "dlq")
    record = found.record
    assert transport.letter() == codec.read_dead_letter(
        record.key, record.value, record.headers
    )


async def test_what_is_too_large_is_refused_and_harms_nothing(
    config: settings.Kafka, sink: event_producer.EventProducer
) -> None:
    """It is not sent at all; the next one is."""
    with pytest.raises(errors.RecordTooLarge):
        await sink.publish(transport.event("big", reference="r" * (1 << 20)))

    await sink.publish(transport.event("small"))
    assert len(await transport.fetched(config, "events")) == 1


async def test_a_refused_record_costs_its_producer_and_no_more(
    kafka: str, topic_prefix: str, log: transport.Log
) -> None:
    """The gap it leaves in the sequence would break the partition for good."""
    config = transport.kafka(kafka, topic_prefix)
    await transport.create_limited(config, "events", 3000)
    sink = event_producer.EventProducer(
        config, clock.SystemClock(), log, ack_timeout_ms=10_000
    )
    sink.start()
    await sink.publish(transport.event("same"))

    with pytest.raises(errors.KafkaUnavailable, match="MessageSizeTooLarge"):
        await sink.publish(transport.event("same", reference="r" * 5000))
    for _ in range(3):
        await sink.publish(transport.event("same"))
    await sink.close(1)

    assert len(await transport.fetched(config, "events")) == 4
    assert (log.events) == [
        "producer.connected",
        "producer.disconnected",
        "producer.connected",
    ]


async def test_a_gap_in_the_sequence_costs_its_producer_and_no_more(
    config: settings.Kafka, sink: event_producer.EventProducer, log: transport.Log
) -> None:
    """The broker refuses all that follows it, for as long as that producer lives."""
    event = transport.event("same")
    await sink.publish(event)
    assert sink._link is not None
    number = partitioning.partition_of(b"one:same", config.partitions)
    place = aiokafka.TopicPartition(config.topic("events"), number)
    sink._link._producer._txn_manager.increment_sequence_number(place, 7)

    with pytest.raises(errors.KafkaUnavailable, match="OutOfOrderSequenceNumber"):
        await sink.publish(event)
    for _ in range(3):
        await sink.publish(event)

    assert len(await transport.fetched(config, "events")) == 4
    assert log.events.count("producer.disconnected") == 1


async def test_a_closed_producer_refuses_and_leaves_nothing_behind(
    config: settings.Kafka, log: transport.Log
) -> None:
    """What was being acknowledged at the close is; what comes later is refused."""
    before = asyncio.all_tasks()
    sink = event_producer.EventProducer(
        config, clock.SystemClock(), log, ack_timeout_ms=10_000
    )
    sink.start()
    await sink.publish(transport.event("first"))
    last = asyncio.create_task(sink.publish(transport.event("last")))
    await asyncio.sleep(0)

    await sink.close(5)

    await last
    with pytest.raises(errors.KafkaUnavailable):
        await sink.publish(transport.event("late"))
    assert before == asyncio.all_tasks() - {last}
    assert len(await transport.fetched(config, "events")) == 2
