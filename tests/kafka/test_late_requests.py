"""Requests of aiokafka's, other than EndTxn, that arrive late or twice."""

import asyncio

import aiokafka
import pytest
from aiokafka.protocol import commit as commit_protocol
from aiokafka.protocol import group as group_protocol
from aiokafka.protocol import produce as produce_protocol
from aiokafka.protocol import transaction as protocol

from tests.support import late_requests, transport
from worker import errors, model, ports, settings
from worker.kafka import aiokafka_patches, ledger_partition, membership, topics

#: what the broker says to an epoch that it has raised
_OUTDATED = {47, 90}
_MEMBER_ID_REQUIRED = 79


@pytest.fixture(name="network")
async def _network(
    kafka: str, monkeypatch: pytest.MonkeyPatch
) -> late_requests.Network:
    """Return the network between this process and the broker."""
    return late_requests.Network(monkeypatch, kafka)


async def _keys(config: settings.Kafka, name: str) -> list[str]:
    """Return the keys of one topic's records but the positions, in their order."""
    found = [each.key.decode() for each in await transport.read(config, name)]
    return [key for key in found if key != model.POSITION_KEY]


def _batch(number: int) -> ports.Batch:
    name = f"s{number}"
    decision = transport.decision(name, model.Outcome.APPROVED)
    return transport.batch(number, name, decisions=[decision])


async def _commit_many(
    log: ledger_partition.LedgerPartition, first: int, count: int
) -> None:
    """Commit so many batches as an owner does: again after a restore, if it must."""
    for number in range(first, first + count):
        try:
            await log.commit(_batch(number))
        except errors.TransportError:
            _, position = await transport.restored(log)
            assert position == model.Position(next_offset=number - 1)
            await log.commit(_batch(number))


@pytest.mark.parametrize("later", [0, 1, 7])
@pytest.mark.parametrize(
    "loss",
    [late_requests.Loss.TIMEOUT, late_requests.Loss.RESET, late_requests.Loss.ANSWER],
)
async def test_a_late_produce_writes_no_record_twice(
    config: settings.Kafka,
    logs: list[ledger_partition.LedgerPartition],
    network: late_requests.Network,
    loss: late_requests.Loss,
    later: int,
) -> None:
    """
    Its sequence numbers are known, or out of order so many transactions later.

    While a transaction is open, the broker then refuses what has later numbers
    (Kafka 4.3.1, seen 2026-11-30): that transaction is left, and comes again whole.
    """
    log = await transport.owner(config, logs)
    network.lose(produce_protocol.ProduceRequest, loss)
    await _commit_many(log, 1, 1 + later)
    network.deliver_before(produce_protocol.ProduceRequest, 2)
    await _commit_many(log, 2 + later, 2)

    await log.fence()
    names = [f"one:s{number}" for number in range(1, 4 + later)]
    assert len(network.answers) == 1
    for topic in ("ledger", "decisions", "decisions.approved"):
        assert names == await _keys(config, topic)


async def test_a_late_init_costs_the_owner_its_partition_and_nothing_else(
    config: settings.Kafka,
    logs: list[ledger_partition.LedgerPartition],
    network: late_requests.Network,
) -> None:
    """It raises the epoch in the middle of a transaction, of which nothing is left."""
    network.lose(protocol.InitProducerIdRequest, late_requests.Loss.TIMEOUT)
    log = await transport.owner(config, logs)
    await _commit_many(log, 1, 1)
    network.deliver_before(protocol.EndTxnRequest, 1)

    with pytest.raises(errors.OwnershipLost):
        await log.commit(_batch(2))

    assert {"one:s1"} == set((await transport.restored(log))[0])
    await _commit_many(log, 2, 1)
    await log.fence()
    assert await _keys(config, "decisions") == ["one:s1", "one:s2"]


async def test_a_late_addition_of_partitions_does_nothing_to_a_transaction(
    config: settings.Kafka,
    logs: list[ledger_partition.LedgerPartition],
    network: late_requests.Network,
) -> None:
    """The next transaction has them in any case, and is committed whole."""
    log = await transport.owner(config, logs)
    network.lose(protocol.AddPartitionsToTxnRequest, late_requests.Loss.TIMEOUT)
    await _commit_many(log, 1, 1)
    network.deliver_before(produce_protocol.ProduceRequest, 1)

    await _commit_many(log, 2, 2)

    await log.fence()
    assert len(network.answers) == 1
    for topic in ("ledger", "decisions"):
        assert await _keys(config, topic) == ["one:s1", "one:s2", "one:s3"]


async def test_a_late_addition_of_partitions_to_nothing_ends_with_its_time(
    kafka: str,
    topic_prefix: str,
    logs: list[ledger_partition.LedgerPartition],
    network: late_requests.Network,
) -> None:
    """The coordinator aborts an empty transaction: the owner is fenced, no more."""
    config = transport.kafka(kafka, topic_prefix, transaction_timeout="1s")
    await topics.create(config)
    log = await transport.owner(config, logs)
    network.lose(protocol.AddPartitionsToTxnRequest, late_requests.Loss.TIMEOUT)
    await _commit_many(log, 1, 1)
    while not _OUTDATED & set(_codes(network)):
        await network.deliver()

    with pytest.raises(errors.OwnershipLost):
        await log.commit(_batch(2))

    assert {"one:s1"} == set((await transport.restored(log))[0])
    await _commit_many(log, 2, 1)


async def _assigned(consumer: aiokafka.AIOKafkaConsumer) -> None:
    while not consumer.assignment():  # noqa: ASYNC110 -- only a listener is told
        await asyncio.sleep(0.05)


def _codes(network: late_requests.Network) -> list[int]:
    """Return what the broker said of each partition, in its last answer."""
    return [
        code
        for answer in network.answers[-1:]
        for _, partitions in answer.errors
        for _, code in partitions
    ]


async def test_a_late_join_makes_no_second_member(
    config: settings.Kafka, network: late_requests.Network
) -> None:
    """A member without an id only gets one, and owns nothing."""
    network.lose(group_protocol.JoinGroupRequest, late_requests.Loss.ANSWER)
    consumer = membership.consumer(config)
    await consumer.start()
    consumer.subscribe([config.topic("events")])
    try:
        await _assigned(consumer)
        mine = consumer.assignment()
        await network.deliver()
        assert len(mine) == config.partitions
        assert network.answers[0].error_code == _MEMBER_ID_REQUIRED
        await consumer.commit(dict.fromkeys(mine, 1))
    finally:
        await aiokafka_patches.leave_group(consumer, 5)


async def test_a_late_offset_moves_nothing_that_we_read(
    config: settings.Kafka, network: late_requests.Network
) -> None:
    """It goes back, and the lag with it until the next one; no position is there."""
    consumer = membership.consumer(config)
    await consumer.start()
    consumer.subscribe([config.topic("events")])
    try:
        await _assigned(consumer)
        place = next(iter(consumer.assignment()))
        network.lose(commit_protocol.OffsetCommitRequest, late_requests.Loss.ANSWER)
        await consumer.commit({place: 1})
        await consumer.commit({place: 2})
        await network.deliver()
        assert await consumer.committed(place) == 1
        await consumer.commit({place: 3})
        assert await consumer.committed(place) == 3
    finally:
        await aiokafka_patches.leave_group(consumer, 5)
