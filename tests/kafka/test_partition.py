"""One partition's owner on a real broker: all of a batch or nothing, and one owner."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Iterator, Sequence

import aiokafka
import pytest
from aiokafka import admin

from worker import broker, codec, errors, ledger, model, ports, settings
from worker.transport import partition, reader, topic_specs, topics

_PARTITION = 1
# A killed broker may register again only when its old session is over.
_QUICK_RETURN = {
    "broker.session.timeout.ms": "1000",
    "broker.heartbeat.interval.ms": "200",
}


def _kafka(servers: str, prefix: str = "kyc", **changed: object) -> settings.Kafka:
    told: dict[str, object] = {
        "bootstrap_servers": servers,
        "topic_prefix": prefix,
        "partitions": 2,
        "durability": "single-broker",
    }
    return settings.Kafka.model_validate(told | changed)


@pytest.fixture(name="config")
async def _config(kafka: str, topic_prefix: str) -> settings.Kafka:
    config = _kafka(kafka, topic_prefix)
    await topics.create(config)
    return config


@pytest.fixture(name="logs")
async def _logs() -> AsyncIterator[list[partition.PartitionLog]]:
    """Discard what a test has opened."""
    opened: list[partition.PartitionLog] = []
    yield opened
    for log in opened:
        await log.discard()


async def _owner(
    config: settings.Kafka, logs: list[partition.PartitionLog]
) -> partition.PartitionLog:
    log = partition.PartitionLog(config, _PARTITION)
    logs.append(log)
    await log.fence()
    return log


def _session(reference: str | None = None) -> ledger.Session:
    return ledger.Session(
        provider_session_id="x", first_seen_at=1, updated_at=2, reference=reference
    )


def _decision(session_id: str, outcome: model.Outcome) -> model.Decision:
    return model.Decision(
        decision_id=f"d-{session_id}",
        environment=model.Environment.TEST,
        source="one",
        provider="idnow",
        session_id=session_id,
        provider_session_id=session_id,
        reference=None,
        revision=1,
        verdict=model.Verdict(
            outcome=outcome,
            reason=model.Reason.VERIFIED,
            retryable=False,
            next_step=model.NextStep.NONE,
        ),
        supersedes=None,
        cause=model.Cause(type=model.CauseType.POLL),
        observed_at=None,
        decided_at=1,
    )


def _letter() -> model.DeadLetter:
    return model.DeadLetter(
        dead_letter_id="l",
        reason=model.DeadLetterReason.STALE,
        source="one",
        session_id="late",
        event_id=None,
        attempts=1,
        first_seen_at=1,
        last_error=None,
        at=1,
    )


def _key(session_id: str) -> model.SessionKey:
    return model.SessionKey("one", session_id)


def _batch(
    next_offset: int, *session_ids: str, decisions: Sequence[model.Decision] = ()
) -> ports.Batch:
    return ports.Batch(
        position=model.Position(next_offset=next_offset),
        sessions=[(_key(session_id), _session()) for session_id in session_ids],
        decisions=decisions,
    )


async def _restored(
    log: partition.PartitionLog,
) -> tuple[dict[str, bytes | None], model.Position | None]:
    found: dict[str, bytes | None] = {}
    restored = await log.restore(found.__setitem__)
    return found, restored.position


async def _read(config: settings.Kafka, name: str) -> list[codec.Record]:
    """Return what a reader of committed records sees of one topic."""
    span = reader.Span.UNTIL_END
    async with contextlib.aclosing(
        reader.follow(config, [config.topic(name)], span)
    ) as found:
        seen = [each async for each in found]
    assert {_PARTITION} >= {each.partition for each in seen}
    return [each.record for each in seen]


async def _fence_at_last(log: partition.PartitionLog) -> None:
    """Fence as an owner does: again, while the broker is still finding itself."""
    for _ in range(10):
        try:
            await log.fence()
        except errors.KafkaUnavailable:
            continue
        return


async def test_a_batch_reaches_every_topic_it_is_for(
    config: settings.Kafka, logs: list[partition.PartitionLog]
) -> None:
    """Decisions go to the latest and to their outcome, all in the same partition."""
    log = await _owner(config, logs)
    approved = _decision("a", model.Outcome.APPROVED)
    pending = _decision("p", model.Outcome.PENDING)

    await log.commit(
        ports.Batch(
            position=model.Position(next_offset=7),
            sessions=[(_key("a"), _session()), (_key("gone"), None)],
            decisions=[approved, pending],
            forgotten=[_key("gone")],
            dead_letters=[_letter()],
        )
    )

    latest = await _read(config, "decisions")
    assert [each.key for each in latest] == [b"one:a", b"one:p", b"one:gone"]
    assert latest[2].value is None
    assert latest[:1] == await _read(config, "decisions.approved")
    assert latest[1:2] == await _read(config, "decisions.pending")
    assert await _read(config, "decisions.rejected") == []
    (letter,) = await _read(config, "dlq")
    assert _letter() == codec.read_dead_letter(letter.key, letter.value, letter.headers)
    found, position = await _restored(log)
    assert {"one:a": codec.encode_session(_session()), "one:gone": None} == found
    assert model.Position(next_offset=7) == position


async def test_an_empty_ledger_has_no_position(
    config: settings.Kafka, logs: list[partition.PartitionLog]
) -> None:
    """Nothing committed is nothing restored."""
    log = await _owner(config, logs)

    assert await _restored(log) == ({}, None)


async def test_the_second_owner_fences_the_first(
    config: settings.Kafka, logs: list[partition.PartitionLog]
) -> None:
    """What the first writes afterwards is refused and never read by anybody."""
    first = await _owner(config, logs)
    await first.commit(_batch(1, "kept"))
    second = await _owner(config, logs)

    with pytest.raises(errors.OwnershipLost):
        await first.commit(
            _batch(2, "lost", decisions=[_decision("lost", model.Outcome.APPROVED)])
        )

    await second.commit(_batch(3))
    found, position = await _restored(second)
    assert {"one:kept"} == set(found)
    assert model.Position(next_offset=3) == position
    assert await _read(config, "decisions") == []


async def test_fencing_aborts_what_the_first_had_open(
    config: settings.Kafka, logs: list[partition.PartitionLog]
) -> None:
    """A transaction that was written and not committed is gone for all readers."""
    first = await _owner(config, logs)
    producer = first._producer
    assert producer is not None
    await producer.begin_transaction()
    record = codec.session_record(_key("open"), _session())
    await producer.send_and_wait(
        config.topic("ledger"), record.value, record.key, partition=_PARTITION
    )

    second = await _owner(config, logs)

    assert await _restored(second) == ({}, None)
    first._whole = True
    await producer.client.force_metadata_update()
    with pytest.raises((errors.OwnershipLost, errors.CommitInDoubt)):
        await first.commit(_batch(9, "late"))
    assert await _restored(second) == ({}, None)


async def test_a_zombie_cannot_end_its_transaction(
    config: settings.Kafka,
    logs: list[partition.PartitionLog],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A commit whose records were all acknowledged before the fence still fails."""
    first = await _owner(config, logs)
    send_all = first._send_all

    async def fenced_after_all(
        producer: aiokafka.AIOKafkaProducer,
        records: Sequence[tuple[str, codec.Record]],
    ) -> None:
        await send_all(producer, records)
        await _owner(config, logs)

    monkeypatch.setattr(first, "_send_all", fenced_after_all)

    with pytest.raises(errors.OwnershipLost):
        await first.commit(_batch(9, "zombie"))

    assert await _restored(logs[-1]) == ({}, None)


async def test_a_record_too_large_commits_nothing_and_harms_nothing(
    config: settings.Kafka, logs: list[partition.PartitionLog]
) -> None:
    """The bound is checked before a transaction begins; the log stays good."""
    log = await _owner(config, logs)
    bound = partition.record_bound(config)
    large = ports.Batch(
        position=model.Position(next_offset=1),
        sessions=[(_key("ok"), _session()), (_key("big"), _session("r" * bound))],
    )

    with pytest.raises(errors.RecordTooLarge, match=f"{bound} are allowed"):
        await log.commit(large)

    assert await _restored(log) == ({}, None)
    await log.commit(_batch(2, "next"))
    assert model.Position(next_offset=2) == (await _restored(log))[1]


async def test_records_up_to_the_bound_are_committed(
    config: settings.Kafka, logs: list[partition.PartitionLog]
) -> None:
    """Several records of nearly the bound, more than a request, are one batch."""
    log = await _owner(config, logs)
    bound = partition.record_bound(config)
    large = _session("r" * (bound - 200))
    keys = [_key(str(number)) for number in range(3)]

    await log.commit(
        ports.Batch(
            position=model.Position(next_offset=1),
            sessions=[(key, large) for key in keys],
        )
    )

    assert set(map(str, keys)) == set((await _restored(log))[0])


async def test_a_record_that_the_broker_refuses_commits_nothing(
    kafka: str, topic_prefix: str, logs: list[partition.PartitionLog]
) -> None:
    """The others were acknowledged, and aiokafka would have committed them."""
    config = _kafka(kafka, topic_prefix)
    client = admin.AIOKafkaAdminClient(bootstrap_servers=kafka)
    await client.start()
    tight = {"max.message.bytes": "300"}
    name = config.topic("decisions.approved")
    await client.create_topics([admin.NewTopic(name, 2, 1, topic_configs=tight)])
    await client.close()
    await topics.create(config)
    log = await _owner(config, logs)

    with pytest.raises(errors.CommitInDoubt, match="MessageSizeTooLarge"):
        await log.commit(
            _batch(1, "a", decisions=[_decision("a", model.Outcome.APPROVED)])
        )

    with pytest.raises(errors.CommitInDoubt):
        await log.commit(_batch(2, "b"))
    await log.fence()
    assert await _restored(log) == ({}, None)
    assert await _read(config, "decisions") == []
    await log.commit(_batch(3, "c"))
    assert {"one:c"} == set((await _restored(log))[0])


async def test_a_restore_passes_over_aborted_transactions_and_closing_markers(
    config: settings.Kafka, logs: list[partition.PartitionLog]
) -> None:
    """A log whose tail hands out no record is restored, at once and to its end."""
    log = await _owner(config, logs)
    await log.commit(_batch(4, "kept"))
    for _ in range(3):
        producer = log._producer
        assert producer is not None
        await producer.begin_transaction()
        await producer.send_and_wait(
            config.topic("ledger"), b"{}", b"one:aborted", partition=_PARTITION
        )
        await producer.abort_transaction()

    began = time.monotonic()
    found, position = await _restored(log)

    assert {"one:kept"} == set(found)
    assert model.Position(next_offset=4) == position
    assert time.monotonic() - began < 2


async def test_a_restore_yields_to_the_event_loop_and_counts(
    config: settings.Kafka, logs: list[partition.PartitionLog]
) -> None:
    """Thousands of records come in portions, in the order they were written."""
    log = await _owner(config, logs)
    for start in range(0, 6000, 1500):
        keys = [str(number) for number in range(start, start + 1500)]
        await log.commit(_batch(start + 1500, *keys))
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
        await partition.PartitionLog(config, _PARTITION).restore(lambda _, __: None)


async def test_a_compacted_ledger_is_restored_as_it_was_written() -> None:
    """What compaction left over, tombstones among it, makes the same state."""
    quick = {"log.cleaner.backoff.ms": "50", "log.retention.check.interval.ms": "100"}
    async with broker.Cluster(properties=quick) as cluster:
        config = _kafka(cluster.bootstrap_servers)
        await _create_eager_ledger(config)
        await topics.create(config)
        log = partition.PartitionLog(config, _PARTITION)
        await log.fence()
        for number in range(40):
            await log.commit(_batch(number, "steady", f"s{number % 5}"))
        dead = [(_key(f"s{number}"), None) for number in range(3)]
        await log.commit(
            ports.Batch(position=model.Position(next_offset=40), sessions=dead)
        )
        found: dict[str, bytes | None] = {}
        restored = await log.restore(found.__setitem__)
        while restored.records > 60:  # 125 were written: the cleaner is to come
            next_offset = (
                restored.position or model.Position(next_offset=0)
            ).next_offset
            await log.commit(_batch(next_offset + 1))
            found.clear()
            restored = await log.restore(found.__setitem__)
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


@pytest.mark.parametrize("how", ["kill", "freeze"])
async def test_a_commit_without_a_broker_is_in_doubt_and_discard_is_quick(
    how: str,
) -> None:
    """The deadline holds, letting go takes no time, and afterwards all goes on."""
    async with broker.Cluster(properties=_QUICK_RETURN) as cluster:
        config = _kafka(cluster.bootstrap_servers, commit_deadline="2s")
        await topics.create(config)
        log = partition.PartitionLog(config, _PARTITION)
        await log.fence()
        await log.commit(_batch(1, "before"))
        # Wait until the markers are written: a broker that dies before may lose them.
        await log.fence()
        node = cluster.nodes[0]
        node.kill() if how == "kill" else node.freeze()

        began = time.monotonic()
        with pytest.raises(errors.CommitInDoubt):
            await log.commit(_batch(2, "doubtful"))
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
        await _fence_at_last(log)
        found, _ = await _restored(log)
        await log.discard()

    assert 1.5 < waited < 3
    assert discarded < 0.3
    assert "one:before" in found


@pytest.mark.parametrize("name", ["ledger", "decisions.approved"])
async def test_a_transaction_that_no_broker_ends_is_found(
    unverified: str, topic_prefix: str, name: str
) -> None:
    """Committed or not, its records are hidden: the partition must not go on."""
    config = _kafka(unverified, topic_prefix)
    await topics.create(config)
    log = partition.PartitionLog(config, _PARTITION)
    await log.fence()
    await _leave_hanging(log, config.topic(name))
    await log.discard()

    with pytest.raises(errors.TransactionHangs, match=rf"{name} holds"):
        await log.fence()

    other = partition.PartitionLog(config, 0)
    await other.fence()
    await other.discard()


async def _leave_hanging(log: partition.PartitionLog, topic: str) -> None:
    """Write what the coordinator knows nothing of, as if it had lost its markers."""
    producer = log._producer
    assert producer is not None
    await producer.begin_transaction()
    place = aiokafka.TopicPartition(topic, _PARTITION)
    producer._txn_manager._txn_partitions.add(place)
    await producer.send_and_wait(topic, b"{}", b"one:hidden", partition=_PARTITION)


@pytest.fixture(name="unverified", scope="module")
def _unverified() -> Iterator[str]:
    """Start a broker that takes records of transactions nobody has announced."""
    cluster = broker.Cluster(
        properties={"transaction.partition.verification.enable": "false"}
    )
    cluster.start_sync()
    yield cluster.bootstrap_servers
    cluster.stop_sync()


async def test_a_cancelled_commit_leaves_only_discard(
    config: settings.Kafka, logs: list[partition.PartitionLog]
) -> None:
    """Nobody knows how far it came: the log refuses to go on."""
    log = await _owner(config, logs)
    task = asyncio.create_task(log.commit(_batch(1, "cancelled")))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    with pytest.raises(errors.CommitInDoubt):
        await log.commit(_batch(2, "next"))


async def test_discarded_logs_leave_nothing_behind(
    config: settings.Kafka,
) -> None:
    """No task of aiokafka lives on after a discard in the middle of a commit."""
    before = asyncio.all_tasks()
    log = partition.PartitionLog(config, _PARTITION)
    await log.fence()
    task = asyncio.create_task(log.commit(_batch(1, "cut")))
    await asyncio.sleep(0.001)
    await log.discard()
    task.cancel()
    await asyncio.wait({task})

    assert before == asyncio.all_tasks()
