"""The topics on a real broker: created once, checked, and refused where they differ."""

import asyncio
from collections.abc import Mapping

import pytest
import structlog
from aiokafka import AIOKafkaProducer, admin

from worker import errors, settings
from worker.devkit import broker
from worker.kafka import topic_specs, topics

_DAY = 86_400_000
_RETENTION = 400 * _DAY
_NAMES = [
    "events",
    "decisions",
    "decisions.approved",
    "decisions.rejected",
    "decisions.pending",
    "ledger",
    "dlq",
    "begins",
]


def _kafka(servers: str, prefix: str, **changed: object) -> settings.Kafka:
    found: dict[str, object] = {
        "bootstrap_servers": servers,
        "topic_prefix": prefix,
        "partitions": 2,
        "durability": "single-broker",
        "request_timeout": 21_000,
    }
    return settings.Kafka.model_validate(found | changed)


async def _listed(servers: str) -> set[str]:
    client = admin.AIOKafkaAdminClient(bootstrap_servers=servers)
    await client.start()
    try:
        return set(await client.list_topics())
    finally:
        await client.close()


async def _create_by_hand(
    kafka: settings.Kafka, name: str, configs: Mapping[str, str], partitions: int = 2
) -> None:
    client = admin.AIOKafkaAdminClient(bootstrap_servers=kafka.bootstrap_servers)
    await client.start()
    try:
        topic = admin.NewTopic(
            kafka.topic(name), partitions, 1, topic_configs=dict(configs)
        )
        answer = await client.create_topics([topic])
        assert [code for _, code, _ in answer.topic_errors] == [0]
    finally:
        await client.close()


async def _problems(kafka: settings.Kafka, retention_ms: int = _RETENTION) -> list[str]:
    with pytest.raises(errors.TopicMismatch) as raised:
        await topics.check(kafka, session_retention_ms=retention_ms)
    return raised.value.problems


async def test_created_topics_pass_the_check(kafka: str, topic_prefix: str) -> None:
    """What ``create`` makes is what ``check`` wants, and is there at once."""
    config = _kafka(kafka, topic_prefix)

    created = await topics.create(config)

    assert [f"{topic_prefix}.{name}" for name in _NAMES] == created
    await topics.check(config, session_retention_ms=_RETENTION)


async def test_create_is_idempotent(kafka: str, topic_prefix: str) -> None:
    """A second ``create`` finds nothing to do."""
    config = _kafka(kafka, topic_prefix)
    await topics.create(config)

    assert await topics.create(config) == []


async def test_processes_may_create_at_the_same_time(
    kafka: str, topic_prefix: str
) -> None:
    """Whoever comes second finds the topics there and is content."""
    config = _kafka(kafka, topic_prefix)

    await asyncio.gather(*(topics.create(config) for _ in range(3)))

    await topics.check(config, session_retention_ms=_RETENTION)


async def test_every_missing_topic_is_named(kafka: str, topic_prefix: str) -> None:
    """Each missing topic has a sentence that says what to run."""
    problems = await _problems(_kafka(kafka, topic_prefix))

    assert [
        f"{topic_prefix}.{name} does not exist: run `kyc-worker topics`."
        for name in _NAMES
    ] == problems


async def test_another_partition_count_is_refused(
    kafka: str, topic_prefix: str
) -> None:
    """Topics of two partitions are no topics for three."""
    await topics.create(_kafka(kafka, topic_prefix))

    problems = await _problems(_kafka(kafka, topic_prefix, partitions=3))

    assert len(_NAMES) == len(problems)
    assert all("has 2 partitions and must have 3" in each for each in problems)


@pytest.mark.parametrize(
    "differs",
    [
        ("ledger", "cleanup.policy", "delete", "compact"),
        ("ledger", "cleanup.policy", "compact,delete", "compact"),
        ("ledger", "delete.retention.ms", "1000", "at least 86400000"),
        ("decisions", "cleanup.policy", "delete", "compact"),
        ("events", "cleanup.policy", "compact", "delete"),
        ("events", "message.timestamp.type", "CreateTime", "LogAppendTime"),
        ("events", "max.message.bytes", "1000", "at least 1048576"),
        ("events", "retention.ms", "3600000", "at least 604800000"),
        ("dlq", "unclean.leader.election.enable", "true", "false"),
    ],
)
async def test_another_configuration_is_refused(
    kafka: str, topic_prefix: str, differs: tuple[str, str, str, str]
) -> None:
    """A topic that differs in one thing is refused with that one sentence."""
    name, config, value, wanted = differs
    there = _kafka(kafka, topic_prefix)
    specs = {spec.name: spec for spec in topic_specs.specs(there)}
    made = {**specs[there.topic(name)].configs, config: value}
    await _create_by_hand(there, name, made)
    await topics.create(there)

    (problem,) = await _problems(there)

    assert problem.startswith(
        f"{topic_prefix}.{name}: {config} is {value} and must be {wanted}: "
    )


async def test_a_record_must_not_outlive_the_identity_of_its_session(
    kafka: str, topic_prefix: str
) -> None:
    """Retention for ever, or as long as the stubs are kept, is refused."""
    there = _kafka(kafka, topic_prefix)
    specs = {spec.name: spec for spec in topic_specs.specs(there)}
    for name, kept in (("events", "-1"), ("dlq", str(_RETENTION))):
        made = {**specs[there.topic(name)].configs, "retention.ms": kept}
        await _create_by_hand(there, name, made)
    await topics.create(there)

    problems = await _problems(there)

    assert len(problems) == 2
    assert all("must be below ledger.session_retention" in each for each in problems)
    assert "for ever" in problems[0]


async def test_too_few_copies_are_refused(kafka: str, topic_prefix: str) -> None:
    """Topics on one broker are not enough where they must be replicated."""
    await topics.create(_kafka(kafka, topic_prefix))
    replicated = {
        "durability": "replicated",
        "replication_factor": 3,
        "min_insync_replicas": 2,
    }

    problems = await _problems(_kafka(kafka, topic_prefix, **replicated))

    assert 2 * len(_NAMES) == len(problems)
    assert "is kept on 1 brokers and must be on 3" in problems[0]
    assert "min.insync.replicas is 1 and must be at least 2" in problems[1]


async def test_a_refused_creation_says_what_to_do(
    kafka: str, topic_prefix: str
) -> None:
    """More copies than there are brokers are the operator's to decide."""
    config = _kafka(
        kafka,
        topic_prefix,
        durability="replicated",
        replication_factor=9,
        min_insync_replicas=2,
    )

    with pytest.raises(errors.TopicMismatch, match=r"kafka\.durability") as raised:
        await topics.create(config)

    assert len(_NAMES) == len(raised.value.problems)


async def test_no_look_creates_a_topic_and_a_created_one_is_refused() -> None:
    """On a broker that creates whatever is named, the check names and creates none."""
    willing = {"auto.create.topics.enable": "true"}
    async with broker.Cluster(properties=willing) as cluster:
        config = _kafka(cluster.bootstrap_servers, "kyc")
        await _problems(config)
        before = await _listed(cluster.bootstrap_servers)
        producer = AIOKafkaProducer(bootstrap_servers=cluster.bootstrap_servers)
        await producer.start()
        await producer.send_and_wait(config.topic("ledger"), b"too early")
        await producer.stop()
        await topics.create(config)

        problems = await _problems(config)

    assert set() == before
    assert all(each.startswith("kyc.ledger") for each in problems)
    assert "has 3 partitions and must have 2" in problems[0]
    assert any("cleanup.policy is delete" in each for each in problems)


async def test_without_a_broker_nothing_is_known() -> None:
    """A broker that cannot be reached is no mismatch."""
    with pytest.raises(errors.KafkaUnavailable):
        await topics.check(_kafka("127.0.0.1:1", "kyc"), session_retention_ms=1)


async def test_tuning_that_the_broker_refuses_is_left_out(
    kafka: str, topic_prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As managed clusters do with segment.bytes: the topics are there and right."""
    monkeypatch.setitem(topic_specs._LEDGER_TUNING, "segment.bytes", "1")
    config = _kafka(kafka, topic_prefix)

    with structlog.testing.capture_logs() as logged:
        created = await topics.create(config)

    assert len(_NAMES) == len(created)
    await topics.check(config, session_retention_ms=_RETENTION)
    assert [(f"{topic_prefix}.ledger", "segment.bytes")] == [
        (line["topic"], line["settings"])
        for line in logged
        if line["event"] == "topic.tuning_left_out"
    ]


async def test_a_condition_that_the_broker_refuses_is_said_with_the_command(
    kafka: str, topic_prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What correctness needs is not left out."""
    monkeypatch.setitem(topic_specs._LEDGER_LEAST, "delete.retention.ms", -5)
    config = _kafka(kafka, topic_prefix)

    with pytest.raises(errors.TopicMismatch) as raised:
        await topics.create(config)

    (problem,) = raised.value.problems
    assert f"`kafka-topics.sh --create --topic {topic_prefix}.ledger " in problem
    assert "--config cleanup.policy=compact " in problem
