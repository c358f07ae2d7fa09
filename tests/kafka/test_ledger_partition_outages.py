"""A partition's owner when the broker is gone, or has forgotten something."""

import time
from collections.abc import Iterator

import aiokafka
import pytest

from tests.support import transport
from worker import errors
from worker.devkit import broker
from worker.kafka import ledger_partition, topics


@pytest.mark.parametrize("how", ["kill", "freeze"])
async def test_a_commit_without_a_broker_is_in_doubt_and_discard_is_quick(
    how: str,
) -> None:
    """The deadline holds, letting go takes no time, and afterwards all goes on."""
    async with broker.Cluster(properties=transport.QUICK_RETURN) as cluster:
        config = transport.kafka(cluster.bootstrap_servers, commit_deadline="2s")
        await topics.create(config)
        log = ledger_partition.LedgerPartition(config, transport.PARTITION)
        await log.fence()
        await log.commit(transport.batch(1, "before"))
        # Wait until the markers are written: a broker that dies before may lose them.
        await log.fence()
        node = cluster.nodes[0]
        node.kill() if how == "kill" else node.suspend()

        began = time.monotonic()
        with pytest.raises(errors.CommitInDoubt):
            await log.commit(transport.batch(2, "doubtful"))
        waited = time.monotonic() - began
        began = time.monotonic()
        await log.discard()
        discarded = time.monotonic() - began
        with pytest.raises(errors.KafkaUnavailable):
            await log.fence()

        if how == "kill":
            await node.start()
        else:
            node.thaw()
        await transport.fence_at_last(log)
        found, _ = await transport.restored(log)
        await log.discard()

    assert 1.5 < waited < 5
    # aiokafka's own stop takes more than six seconds here.
    assert discarded < 1
    assert "one:before" in found


@pytest.mark.parametrize("name", ["ledger", "decisions.approved"])
async def test_a_transaction_that_no_broker_ends_is_found(
    unverified: str, topic_prefix: str, name: str
) -> None:
    """Committed or not, its records are hidden: the partition must not go on."""
    config = transport.kafka(unverified, topic_prefix)
    await topics.create(config)
    log = ledger_partition.LedgerPartition(config, transport.PARTITION)
    await log.fence()
    await _leave_hanging(log, config.topic(name))
    await log.discard()

    with pytest.raises(errors.HangingTransaction, match=rf"{name} has records"):
        await log.fence()

    other = ledger_partition.LedgerPartition(config, 0)
    await other.fence()
    await other.discard()


async def _leave_hanging(log: ledger_partition.LedgerPartition, topic: str) -> None:
    """Write what the coordinator knows nothing of, as if it had lost its markers."""
    producer = log._producer
    assert producer is not None
    await producer.begin_transaction()
    place = aiokafka.TopicPartition(topic, transport.PARTITION)
    producer._txn_manager._txn_partitions.add(place)
    await producer.send_and_wait(
        topic, b"{}", b"one:hidden", partition=transport.PARTITION
    )


@pytest.fixture(name="unverified", scope="module")
def _unverified() -> Iterator[str]:
    """Start a broker that takes records of transactions nobody has announced."""
    cluster = broker.Cluster(
        properties={"transaction.partition.verification.enable": "false"}
    )
    cluster.start_sync()
    yield cluster.bootstrap_servers
    cluster.stop_sync()
