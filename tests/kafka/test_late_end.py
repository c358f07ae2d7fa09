"""An EndTxn request that arrives late ends no transaction of another one's."""

import pytest
from aiokafka.protocol import produce as produce_protocol
from aiokafka.protocol import transaction as protocol

from tests.support import late_requests, transport
from worker import errors, model, ports, settings
from worker.kafka import ledger_partition, topics

_SESSIONS = [f"s{number}" for number in range(60)]
_UNANSWERED = [
    late_requests.Loss.TIMEOUT,
    late_requests.Loss.RESET,
    late_requests.Loss.ANSWER,
]


@pytest.fixture(name="config")
async def _config(kafka: str, topic_prefix: str) -> settings.Kafka:
    """Return a configuration with which the large batch takes two requests."""
    config = transport.kafka(kafka, topic_prefix, max_batch_bytes=16384)
    await topics.create(config)
    return config


@pytest.fixture(name="network")
async def _network(
    kafka: str, monkeypatch: pytest.MonkeyPatch
) -> late_requests.Network:
    """Return the network between this process and the broker."""
    return late_requests.Network(monkeypatch, kafka)


def _large() -> ports.Batch:
    """Return a batch whose ledger records do not fit into one request."""
    return ports.Batch(
        position=model.Position(next_offset=2),
        sessions=[
            (transport.key(each), transport.stored("r" * 1500)) for each in _SESSIONS
        ],
        decisions=[
            transport.decision(each, model.Outcome.APPROVED) for each in _SESSIONS
        ],
    )


async def _commit_as_an_owner(
    log: ledger_partition.LedgerPartition, batch: ports.Batch
) -> errors.TransportError | None:
    """Commit *batch*; where that fails, fence and restore, and return why."""
    try:
        await log.commit(batch)
    except errors.TransportError as error:
        await transport.restored(log)
        return error
    return None


async def _written(
    config: settings.Kafka, log: ledger_partition.LedgerPartition
) -> tuple[set[str], set[str], set[str], int]:
    """Return which of the large batch's sessions are where, and the position."""
    found, position = await transport.restored(log)
    assert position is not None
    decided = {each.key.decode() for each in await transport.read(config, "decisions")}
    approved = {
        each.key.decode() for each in await transport.read(config, "decisions.approved")
    }
    return set(found) - {"one:first"}, decided, approved, position.next_offset


@pytest.mark.parametrize("loss", _UNANSWERED)
@pytest.mark.parametrize("nth", [1, 2, 3])
async def test_a_late_end_tears_no_transaction(
    config: settings.Kafka,
    logs: list[ledger_partition.LedgerPartition],
    network: late_requests.Network,
    loss: late_requests.Loss,
    nth: int,
) -> None:
    """All of the next batch is committed or nothing, wherever the copy arrives."""
    log = await transport.owner(config, logs)
    network.lose(protocol.EndTxnRequest, loss)
    await log.commit(transport.batch(1, "first"))
    network.deliver_before(produce_protocol.ProduceRequest, nth)

    failure = await _commit_as_an_owner(log, _large())

    assert isinstance(failure, errors.ProducerRetired)
    assert (set(), set(), set(), 1) == await _written(config, log)
    await log.commit(_large())
    whole = {f"one:{each}" for each in _SESSIONS}
    assert (whole, whole, whole, 2) == await _written(config, log)
    assert network.answers  # the copy did arrive, at the latest in the batch's repeat


@pytest.mark.parametrize("loss", _UNANSWERED)
async def test_a_retired_producer_sends_nothing_more(
    config: settings.Kafka,
    logs: list[ledger_partition.LedgerPartition],
    network: late_requests.Network,
    loss: late_requests.Loss,
) -> None:
    """The repeat ends its own commit well; the next one is refused at once."""
    log = await transport.owner(config, logs)
    network.lose(protocol.EndTxnRequest, loss)
    await log.commit(transport.batch(1, "first"))
    network.sent.clear()

    for _ in range(2):
        with pytest.raises(errors.ProducerRetired):
            await log.commit(transport.batch(2, "second"))

    assert network.sent == []
    await network.deliver()
    found, position = await transport.restored(log)
    assert ({"one:first"}, 1) == (set(found), position and position.next_offset)


async def test_a_late_end_is_void_after_the_fence(
    config: settings.Kafka,
    logs: list[ledger_partition.LedgerPartition],
    network: late_requests.Network,
) -> None:
    """The new owner's epoch refuses it, even in the middle of a transaction."""
    log = await transport.owner(config, logs)
    network.lose(protocol.EndTxnRequest, late_requests.Loss.TIMEOUT)
    await log.commit(transport.batch(1, "first"))
    await log.fence()
    network.deliver_before(produce_protocol.ProduceRequest, 2)

    await log.commit(_large())

    (answer,) = network.answers
    assert answer.error_code == _INVALID_PRODUCER_EPOCH
    whole = {f"one:{each}" for each in _SESSIONS}
    assert (whole, whole, whole, 2) == await _written(config, log)


async def test_a_request_that_was_never_sent_retires_nothing(
    config: settings.Kafka,
    logs: list[ledger_partition.LedgerPartition],
    network: late_requests.Network,
) -> None:
    """Without a connection there is no copy: the producer goes on."""
    log = await transport.owner(config, logs)
    network.lose(protocol.EndTxnRequest, late_requests.Loss.UNCONNECTED)

    await log.commit(transport.batch(1, "first"))
    await log.commit(transport.batch(2, "second"))

    assert network.lost is not None
    assert {"one:first", "one:second"} == set((await transport.restored(log))[0])


_INVALID_PRODUCER_EPOCH = 47
