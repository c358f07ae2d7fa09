"""Restoring a partition on a real broker: all that was committed, and nothing else."""

import asyncio
import time

import pytest
from aiokafka import admin

from tests.support import transport
from worker import model, ports, settings
from worker.devkit import broker
from worker.kafka import ledger_partition, topic_specs, topics


async def test_an_empty_ledger_has_no_position(
    config: settings.Kafka, logs: list[ledger_partition.LedgerPartition]
) -> None:
    """Nothing committed is nothing restored."""
    log = await transport.owner(config, logs)

    assert await transport.restored(log) == ({}, None)


async def test_a_restore_passes_over_aborted_transactions_and_closing_markers(
    config: settings.Kafka, logs: list[ledger_partition.LedgerPartition]
) -> None:
    """A log whose tail hands out no record is restored, at once and to its end."""
    log = await transport.owner(config, logs)
    await log.commit(transport.batch(4, "kept"))
    for _ in range(3):
        producer = log._producer
        assert producer is not None
        await producer.begin_transaction()
        await producer.send_and_wait(
            config.topic("ledger"), b"{}", b"one:aborted", partition=transport.PARTITION
        )
        await producer.abort_transaction()

    began = time.monotonic()
    found, position = await transport.restored(log)

    assert {"one:kept"} == set(found)
    assert model.Position(next_offset=4) == position
    assert time.monotonic() - began < 2


async def test_a_restore_yields_to_the_event_loop_and_counts(
    config: settings.Kafka, logs: list[ledger_partition.LedgerPartition]
) -> None:
    """Thousands of records come in portions, in the order they were written."""
    log = await transport.owner(config, logs)
    for start in range(0, 6000, 1500):
        keys = [str(number) for number in range(start, start + 1500)]
        await log.commit(transport.batch(start + 1500, *keys))
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    counting = asyncio.create_task(count())
    found: list[str] = []
    restored = await log.restore(lambda key, _: found.append(key))
    counting.cancel()

    assert [f"one:{number}" for number in range(6000)] == found
    assert restored.records == 6004
    assert model.Position(next_offset=6000) == restored.position
    assert turns >= 3


async def test_a_restore_needs_a_fence(config: settings.Kafka) -> None:
    """Without one an earlier owner could still commit what was not read."""
    with pytest.raises(RuntimeError, match="fenced"):
        await ledger_partition.LedgerPartition(config, transport.PARTITION).restore(
            lambda _, __: None
        )


async def test_a_compacted_ledger_is_restored_as_it_was_written() -> None:
    """What compaction left over, tombstones among it, makes the same state."""
    quick = {"log.cleaner.backoff.ms": "50", "log.retention.check.interval.ms": "100"}
    async with broker.Cluster(properties=quick) as cluster:
        config = transport.kafka(cluster.bootstrap_servers)
        await _create_eager_ledger(config)
        await topics.create(config)
        log = ledger_partition.LedgerPartition(config, transport.PARTITION)
        await log.fence()
        for number in range(40):
            await log.commit(transport.batch(number, "steady", f"s{number % 5}"))
        dead = [(transport.key(f"s{number}"), None) for number in range(3)]
        await log.commit(
            ports.Batch(position=model.Position(next_offset=40), sessions=dead)
        )
        found: dict[str, bytes | None] = {}
        position, records = None, 125
        while records > 60:  # the cleaner is still to come
            await log.commit(transport.batch(41))
            found.clear()
            restored = await log.restore(found.__setitem__)
            position, records = restored.position, restored.records
        await log.discard()

    alive = {key for key, value in found.items() if value is not None}
    assert {"one:steady", "one:s3", "one:s4"} == alive
    assert model.Position(next_offset=41) == position


async def _create_eager_ledger(config: settings.Kafka) -> None:
    """Create a ledger that is compacted within moments."""
    client = admin.AIOKafkaAdminClient(bootstrap_servers=config.bootstrap_servers)
    await client.start()
    specs = {spec.name: spec for spec in topic_specs.specs(config)}
    name = config.topic("ledger")
    eager = {
        "segment.ms": "50",
        "min.cleanable.dirty.ratio": "0.01",
        "max.compaction.lag.ms": "50",
    }
    made = {**specs[name].configs, **eager}
    await client.create_topics([admin.NewTopic(name, 2, 1, topic_configs=made)])
    await client.close()
