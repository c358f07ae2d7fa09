"""Make what the tests of the transport write, and read what came of it."""

import asyncio
import contextlib
from collections.abc import Sequence

from aiokafka import admin

from worker import codec, errors, ledger, model, ports, settings
from worker.kafka import ledger_partition, reader, topic_specs, topics

#: The partition that the tests of one write to.
PARTITION = 1
#: A killed broker may register again only when its old session is over.
QUICK_RETURN = {
    "broker.session.timeout.ms": "1000",
    "broker.heartbeat.interval.ms": "200",
}


class Log:
    """Keep what was logged, and tell when a producer was thrown away."""

    def __init__(self) -> None:
        self.events: list[str] = []
        self.discarded = asyncio.Event()

    def info(self, event: str, **_: object) -> None:
        """Keep *event*."""
        self.events.append(event)

    def warning(self, event: str, **_: object) -> None:
        """Keep *event*."""
        self.events.append(event)
        if event == "producer.disconnected":
            self.discarded.set()


def kafka(servers: str, prefix: str = "kyc", **changed: object) -> settings.Kafka:
    """Return the configuration for two partitions on one broker."""
    result: dict[str, object] = {
        "bootstrap_servers": servers,
        "topic_prefix": prefix,
        "partitions": 2,
        "durability": "single-broker",
    }
    return settings.Kafka.model_validate(result | changed)


def key(session_id: str) -> model.SessionKey:
    """Return the key of a session of the one source."""
    return model.SessionKey("one", session_id)


def session(reference: str | None = None) -> ledger.Session:
    """Return a session's state."""
    return ledger.Session(
        provider_session_id="x", first_seen_at=1, updated_at=2, reference=reference
    )


def stored(reference: str | None = None) -> bytes:
    """Return a session's state as the ledger keeps it."""
    return codec.encode_session(session(reference))


def event(session_id: str, **changed: object) -> model.Event:
    """Return an event of the one source."""
    result: dict[str, object] = {
        "event_id": f"e-{session_id}",
        "type": model.EventType.CALLBACK_RECEIVED,
        "environment": model.Environment.TEST,
        "source": "one",
        "provider": "idnow",
        "session_id": session_id,
        "provider_session_id": session_id,
        "received_at": 1,
    }
    return model.Event(**(result | changed))  # type: ignore[arg-type] # -- a table of defaults


def decision(session_id: str, outcome: model.Outcome) -> model.Decision:
    """Return the first decision about a session."""
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


def letter() -> model.DeadLetter:
    """Return a dead letter."""
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


def batch(
    next_offset: int, *session_ids: str, decisions: Sequence[model.Decision] = ()
) -> ports.Batch:
    """Return a batch that writes the sessions."""
    return ports.Batch(
        position=model.Position(next_offset=next_offset),
        sessions=[(key(session_id), stored()) for session_id in session_ids],
        decisions=decisions,
    )


async def create_limited(config: settings.Kafka, name: str, size: int) -> None:
    """Create the topics, *name* with a limit of *size* bytes a batch."""
    specs = {spec.name: spec for spec in topic_specs.specs(config)}
    spec = specs[config.topic(name)]
    limited = {**spec.configs, "max.message.bytes": str(size)}
    client = admin.AIOKafkaAdminClient(bootstrap_servers=config.bootstrap_servers)
    await client.start()
    topic = admin.NewTopic(spec.name, spec.partitions, 1, topic_configs=limited)
    await client.create_topics([topic])
    await client.close()
    await topics.create(config)


async def delete_topics(bootstrap_servers: str, prefix: str) -> None:
    """Delete every topic whose name begins with *prefix*."""
    client = admin.AIOKafkaAdminClient(bootstrap_servers=bootstrap_servers)
    await client.start()
    try:
        found = await client.list_topics()
        if mine := [topic for topic in found if topic.startswith(prefix)]:
            await client.delete_topics(mine)
    finally:
        await client.close()


async def restored(
    log: ledger_partition.LedgerPartition,
) -> tuple[dict[str, bytes | None], model.Position | None]:
    """
    Return what a restore hands over, and the position, after the fence it needs.

    Kafka answers a commit before its markers are written: only a fence waits for them.
    """
    await log.fence()
    found: dict[str, bytes | None] = {}
    restored = await log.restore(found.__setitem__)
    return found, restored.position


async def read(config: settings.Kafka, name: str) -> list[codec.Record]:
    """Return what a reader of committed records sees of one topic."""
    seen = await fetched(config, name)
    assert {PARTITION} >= {each.partition for each in seen}
    return [each.record for each in seen]


async def read_when(
    config: settings.Kafka, name: str, count: int
) -> list[codec.Record]:
    """Return what ``read`` does, once that is *count* records, or after a while."""
    seen: list[codec.Record] = []
    for _ in range(100):
        seen = await read(config, name)
        if len(seen) >= count:
            break
        await asyncio.sleep(0.05)
    return seen


async def fence_at_last(log: ledger_partition.LedgerPartition) -> None:
    """Fence as an owner does: again, while the broker is still finding itself."""
    for _ in range(10):
        try:
            await log.fence()
        except errors.KafkaUnavailable:
            continue
        return


async def fetched(config: settings.Kafka, name: str) -> list[reader.ConsumedRecord]:
    """Return what one topic holds, and where, for a reader of committed records."""
    span = reader.ReadRange.UNTIL_END
    async with contextlib.aclosing(
        reader.follow(config, [config.topic(name)], span)
    ) as found:
        return [each async for each in found]


async def owner(
    config: settings.Kafka, logs: list[ledger_partition.LedgerPartition]
) -> ledger_partition.LedgerPartition:
    """Return a fenced owner of the partition, which ends with the test."""
    log = ledger_partition.LedgerPartition(config, PARTITION)
    logs.append(log)
    await log.fence()
    return log
