"""A consumer that leaves its group, whatever the coordinator does."""

import asyncio
import time

import aiokafka
import psutil
import pytest

from tests.support import transport
from worker import settings
from worker.devkit import broker
from worker.kafka import aiokafka_patches, membership, topics


async def _member(config: settings.Kafka) -> aiokafka.AIOKafkaConsumer:
    """Return a member of the group that owns partitions and has fetched."""
    consumer = membership.consumer(config)
    await consumer.start()
    consumer.subscribe([config.topic("events")])
    while not consumer.assignment():  # noqa: ASYNC110 -- only a listener is told
        await asyncio.sleep(0.05)
    for place in consumer.assignment():
        consumer.seek(place, 0)
    await consumer.getmany(timeout_ms=100)
    return consumer


def _connections(config: settings.Kafka) -> int:
    """Return how many connections of this process to the broker are open."""
    port = int(config.bootstrap_servers.rpartition(":")[2])
    found = psutil.Process().net_connections("tcp")
    return sum(
        bool(each.raddr) and each.raddr.port == port and each.status == "ESTABLISHED"
        for each in found
    )


@pytest.mark.parametrize("how", ["alive", "frozen"])
async def test_a_consumer_that_left_leaves_nothing_behind(how: str) -> None:
    """No task and no connection outlives it, though a frozen broker answers nothing."""
    async with broker.Cluster(properties=transport.QUICK_RETURN) as cluster:
        config = transport.kafka(cluster.bootstrap_servers)
        await topics.create(config)
        before = asyncio.all_tasks()
        consumer = await _member(config)
        assert _connections(config) > 0
        (node,) = cluster.nodes
        if how == "frozen":
            node.suspend()

        began = time.monotonic()
        await aiokafka_patches.leave_group(consumer, 1.0)
        waited = time.monotonic() - began
        left = asyncio.all_tasks() - before
        still = _connections(config)
        if how == "frozen":
            node.thaw()

    assert left == set()
    assert still == 0
    assert waited < 2
