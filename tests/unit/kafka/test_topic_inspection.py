"""Every difference between a topic and what it must be has its sentence."""

import dataclasses

import pytest

from worker import settings
from worker.kafka import topic_inspection, topic_specs

_DAY = 86_400_000
_KAFKA = settings.Kafka()


def _spec(name: str) -> topic_specs.Spec:
    return next(each for each in topic_specs.specs(_KAFKA) if each.name == name)


def _fact(spec: topic_specs.Spec, **configs: str) -> topic_inspection.TopicState:
    return topic_inspection.TopicState(
        partitions=spec.partitions,
        replication_factor=spec.replication_factor,
        configs={**spec.configs, **configs},
    )


def _problems(
    spec: topic_specs.Spec, fact: topic_inspection.TopicState | None
) -> list[str]:
    found = topic_inspection.differences(
        spec, fact, _KAFKA, session_retention_ms=400 * _DAY
    )
    return list(found)


@pytest.mark.parametrize("spec", topic_specs.specs(_KAFKA), ids=lambda each: each.name)
def test_a_topic_as_specified_has_no_problem(spec: topic_specs.Spec) -> None:
    """What ``create`` asks for passes the check."""
    assert _problems(spec, _fact(spec)) == []


@pytest.mark.parametrize("spec", topic_specs.specs(_KAFKA), ids=lambda each: each.name)
def test_every_checked_setting_is_missed(spec: topic_specs.Spec) -> None:
    """Without it, or with nonsense in its place, there is one sentence about it."""
    for name in {**spec.exact, **spec.least}:
        for value in ("", "nonsense"):
            (problem,) = _problems(spec, _fact(spec, **{name: value}))
            assert problem.startswith(f"{spec.name}: {name} is {value} and must be ")


def test_more_than_is_needed_is_welcome() -> None:
    """An operator may keep more, on more brokers, for longer."""
    spec = _spec("kyc.events")
    generous = dataclasses.replace(
        _fact(
            spec,
            **{
                "retention.ms": str(30 * _DAY),
                "max.message.bytes": str(8 << 20),
                "min.insync.replicas": "3",
            },
        ),
        replication_factor=5,
    )

    assert _problems(spec, generous) == []


def test_a_topic_nobody_can_write_to_is_refused() -> None:
    """More copies in sync than there are copies is never reached."""
    spec = _spec("kyc.ledger")

    (problem,) = _problems(spec, _fact(spec, **{"min.insync.replicas": "4"}))

    assert "nothing can be written" in problem


def test_the_ledger_outlives_its_readers() -> None:
    """Tombstones stay for a day, segments are small, compaction is bounded."""
    configs = _spec("kyc.ledger").configs

    assert configs["cleanup.policy"] == "compact"
    assert int(configs["delete.retention.ms"]) >= _DAY
    assert int(configs["segment.bytes"]) <= 16 << 20
    assert int(configs["max.compaction.lag.ms"]) <= 3_600_000


@pytest.mark.parametrize("spec", topic_specs.specs(_KAFKA), ids=lambda spec: spec.name)
def test_a_topic_that_runs_may_be_tuned_and_not_replaced(
    spec: topic_specs.Spec,
) -> None:
    """A limit or a copy fewer is no other topic; what a broker makes by itself is."""
    tuned = dataclasses.replace(
        _fact(spec, **{"max.message.bytes": "300", "min.insync.replicas": "9"}),
        replication_factor=1,
    )
    made = topic_inspection.TopicState(
        partitions=1, configs={"cleanup.policy": "delete"}
    )
    denied = topic_inspection.TopicState(denied=True)

    assert list(topic_inspection.replaced(spec, tuned)) == []
    assert list(topic_inspection.replaced(spec, denied)) == []
    assert len(list(topic_inspection.replaced(spec, made))) >= 2
    (missing,) = topic_inspection.replaced(spec, None)
    assert f"{spec.name} does not exist: run `kyc-worker topics`." == missing


@pytest.mark.parametrize("value", ["lzma", "br", "ZSTD"])
@pytest.mark.parametrize("spec", topic_specs.specs(_KAFKA), ids=lambda each: each.name)
def test_a_codec_that_is_not_read_is_refused(
    spec: topic_specs.Spec, value: str
) -> None:
    """The sentence names the setting, what it may be, and the command."""
    (problem,) = _problems(spec, _fact(spec, **{"compression.type": value}))

    first = f"{spec.name}: compression.type is {value} and must be one of producer,"
    assert problem.startswith(first)
    assert "--add-config compression.type=producer" in problem
