"""One partition's owner on a real broker: all of a batch or nothing, and one owner."""

import asyncio
from collections.abc import Mapping, Sequence

import aiokafka
import pytest

from tests.support import transport
from worker import codec, errors, model, ports, settings
from worker.kafka import hanging_transactions, ledger_partition, topics


async def test_a_batch_reaches_every_topic_it_is_for(
    config: settings.Kafka, logs: list[ledger_partition.LedgerPartition]
) -> None:
    """Decisions go to the latest and to their outcome, all in the same partition."""
    log = await transport.owner(config, logs)
    approved = transport.decision("a", model.Outcome.APPROVED)
    pending = transport.decision("p", model.Outcome.PENDING)

    await log.commit(
        ports.Batch(
            position=model.Position(next_offset=7),
            sessions=[
                (transport.key("a"), transport.stored()),
                (transport.key("gone"), None),
            ],
            decisions=[approved, pending],
            deleted_sessions=[transport.key("gone")],
            dead_letters=[transport.letter()],
        )
    )

    # A commit is final before its markers are there: until then nobody reads it.
    latest = await transport.read_when(config, "decisions", 3)
    assert [each.key for each in latest] == [b"one:a", b"one:p", b"one:gone"]
    assert latest[2].value is None
    assert latest[:1] == await transport.read_when(config, "decisions.approved", 1)
    assert latest[1:2] == await transport.read_when(config, "decisions.pending", 1)
    assert await transport.read(config, "decisions.rejected") == []
    (letter,) = await transport.read_when(config, "dlq", 1)
    assert transport.letter() == codec.read_dead_letter(
        letter.key, letter.value, letter.headers
    )
    found, position = await transport.restored(log)
    assert {
        "one:a": transport.stored(),
        "one:gone": None,
    } == found
    assert model.Position(next_offset=7) == position


async def test_the_second_owner_fences_the_first(
    config: settings.Kafka, logs: list[ledger_partition.LedgerPartition]
) -> None:
    """What the first writes afterwards is refused and never read by anybody."""
    first = await transport.owner(config, logs)
    await first.commit(transport.batch(1, "kept"))
    second = await transport.owner(config, logs)

    with pytest.raises(errors.OwnershipLost):
        await first.commit(
            transport.batch(
                2,
                "lost",
                decisions=[transport.decision("lost", model.Outcome.APPROVED)],
            )
        )

    await second.commit(transport.batch(3))
    found, position = await transport.restored(second)
    assert {"one:kept"} == set(found)
    assert model.Position(next_offset=3) == position
    assert await transport.read(config, "decisions") == []


async def test_fencing_aborts_what_the_first_had_open(
    config: settings.Kafka, logs: list[ledger_partition.LedgerPartition]
) -> None:
    """A transaction that was written and not committed is gone for all readers."""
    first = await transport.owner(config, logs)
    producer = first._producer
    assert producer is not None
    await producer.begin_transaction()
    record = codec.session_record(transport.key("open"), transport.stored())
    await producer.send_and_wait(
        config.topic("ledger"), record.value, record.key, partition=transport.PARTITION
    )

    second = await transport.owner(config, logs)

    assert await transport.restored(second) == ({}, None)
    first._whole = True
    await producer.client.force_metadata_update()
    with pytest.raises((errors.OwnershipLost, errors.CommitInDoubt)):
        await first.commit(transport.batch(9, "late"))
    assert await transport.restored(second) == ({}, None)


async def test_a_zombie_cannot_end_its_transaction(
    config: settings.Kafka,
    logs: list[ledger_partition.LedgerPartition],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A commit whose records were all acknowledged before the fence still fails."""
    first = await transport.owner(config, logs)
    send_all = first._send_all

    async def fenced_after_all(
        producer: aiokafka.AIOKafkaProducer,
        records: Mapping[str, Sequence[codec.Record]],
    ) -> None:
        await send_all(producer, records)
        await transport.owner(config, logs)

    monkeypatch.setattr(first, "_send_all", fenced_after_all)

    with pytest.raises(errors.OwnershipLost):
        await first.commit(transport.batch(9, "zombie"))

    assert await transport.restored(logs[-1]) == ({}, None)


async def test_a_record_too_large_commits_nothing_and_harms_nothing(
    config: settings.Kafka, logs: list[ledger_partition.LedgerPartition]
) -> None:
    """The bound is checked before a transaction begins; the log stays good."""
    log = await transport.owner(config, logs)
    bound = ledger_partition.max_record_bytes(config)
    large = ports.Batch(
        position=model.Position(next_offset=1),
        sessions=[
            (transport.key("ok"), transport.stored()),
            (transport.key("big"), transport.stored("r" * bound)),
        ],
    )

    with pytest.raises(errors.RecordTooLarge, match=f"{bound} are allowed"):
        await log.commit(large)

    assert await transport.restored(log) == ({}, None)
    await log.commit(transport.batch(2, "next"))
    assert model.Position(next_offset=2) == (await transport.restored(log))[1]


async def test_records_up_to_the_bound_are_committed(
    config: settings.Kafka, logs: list[ledger_partition.LedgerPartition]
) -> None:
    """Several records of nearly the bound, more than a request, are one batch."""
    log = await transport.owner(config, logs)
    bound = ledger_partition.max_record_bytes(config)
    large = transport.stored("r" * (bound - 200))
    keys = [transport.key(str(number)) for number in range(3)]

    await log.commit(
        ports.Batch(
            position=model.Position(next_offset=1),
            sessions=[(key, large) for key in keys],
        )
    )

    assert set(map(str, keys)) == set((await transport.restored(log))[0])


async def test_a_record_that_the_broker_refuses_commits_nothing(
    kafka: str, topic_prefix: str, logs: list[ledger_partition.LedgerPartition]
) -> None:
    """The others were acknowledged, and aiokafka would have committed them."""
    config = transport.kafka(kafka, topic_prefix)
    await transport.create_limited(config, "decisions.approved", 300)
    log = await transport.owner(config, logs)

    with pytest.raises(errors.RecordTooLarge, match="MessageSizeTooLarge"):
        await log.commit(
            transport.batch(
                1, "a", decisions=[transport.decision("a", model.Outcome.APPROVED)]
            )
        )

    with pytest.raises(errors.CommitInDoubt):
        await log.commit(transport.batch(2, "b"))
    await log.fence()
    assert await transport.restored(log) == ({}, None)
    assert await transport.read(config, "decisions") == []
    await log.commit(transport.batch(3, "c"))
    assert {"one:c"} == set((await transport.restored(log))[0])


async def test_a_transaction_past_its_time_is_over(
    kafka: str,
    topic_prefix: str,
    logs: list[ledger_partition.LedgerPartition],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The broker has aborted it: its commit fails, and the next owner may be us."""
    config = transport.kafka(kafka, topic_prefix, transaction_timeout="1s")
    await topics.create(config)
    log = await transport.owner(config, logs)
    send_all = log._send_all
    names = [config.topic("ledger")]

    async def aborted_after_all(
        producer: aiokafka.AIOKafkaProducer,
        records: Mapping[str, Sequence[codec.Record]],
    ) -> None:
        await send_all(producer, records)
        while await hanging_transactions._transactional_ids_past_lso(  # noqa: ASYNC110 -- no event tells
            producer.client, names, transport.PARTITION
        ):
            await asyncio.sleep(0.1)

    monkeypatch.setattr(log, "_send_all", aborted_after_all)
    with pytest.raises(errors.OwnershipLost):
        await log.commit(transport.batch(1, "old"))
    monkeypatch.undo()

    await log.fence()
    assert await transport.restored(log) == ({}, None)
    await log.commit(transport.batch(2, "new"))
    assert {"one:new"} == set((await transport.restored(log))[0])


async def test_a_topic_that_is_gone_is_named_and_not_made(
    config: settings.Kafka, logs: list[ledger_partition.LedgerPartition]
) -> None:
    """Whoever owns the partition next must not begin with an empty ledger."""
    log = await transport.owner(config, logs)
    await log.commit(transport.batch(1, "lost"))
    name = config.topic("ledger")
    await transport.delete_topics(config.bootstrap_servers, name)

    with pytest.raises(errors.TopicMismatch, match=f"{name} does not exist"):
        await log.fence()


async def test_a_cancelled_commit_leaves_only_discard(
    config: settings.Kafka, logs: list[ledger_partition.LedgerPartition]
) -> None:
    """Nobody knows how far it came: the log refuses to go on."""
    log = await transport.owner(config, logs)
    task = asyncio.create_task(log.commit(transport.batch(1, "cancelled")))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    with pytest.raises(errors.CommitInDoubt):
        await log.commit(transport.batch(2, "next"))


async def test_discarded_logs_leave_nothing_behind(
    config: settings.Kafka,
) -> None:
    """No task of aiokafka lives on after a discard in the middle of a commit."""
    before = asyncio.all_tasks()
    log = ledger_partition.LedgerPartition(config, transport.PARTITION)
    await log.fence()
    task = asyncio.create_task(log.commit(transport.batch(1, "cut")))
    await asyncio.sleep(0.001)
    await log.discard()
    task.cancel()
    await asyncio.wait({task})

    assert before == asyncio.all_tasks()
