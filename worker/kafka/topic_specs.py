"""Say what every topic must be, by the configuration."""

import dataclasses
from collections.abc import Collection, Mapping, Sequence

from worker import model, settings
from worker.kafka import decompression

_HOUR = 3_600_000
_DAY = 24 * _HOUR

#: What our own clients write stays as it is. With any other value the broker inflates
#: a compressed batch in its own memory, whatever becomes of it, and may die of that.
_AS_WRITTEN = "producer"
_READABLE = (_AS_WRITTEN, "uncompressed", *decompression.CODECS)
_COMMON = {
    "message.timestamp.type": "LogAppendTime",
    # Acked means durable: a broker that lags must never become the leader.
    "unclean.leader.election.enable": "false",
}
# A restore reads what compaction has not done yet: with Kafka's segments of a week a
# busy partition holds ten million records to read. A tombstone must outlive every
# restore, or one that began before it brings the session back.
_LEDGER_LEAST = {"delete.retention.ms": _DAY}
_LEDGER_TUNING = {
    "segment.bytes": str(16 << 20),
    "segment.ms": str(_HOUR // 6),
    "min.cleanable.dirty.ratio": "0.1",
    "max.compaction.lag.ms": str(_HOUR),
}
# Which of two starts with one key was first is the order of their records: it
# is kept for longer than the key counts (24 h).
_BEGINS_LEAST = {"min.compaction.lag.ms": 25 * _HOUR, "delete.retention.ms": _DAY}
_BEGINS_TUNING = {
    "segment.bytes": str(16 << 20),
    "segment.ms": str(6 * _HOUR),
    "min.cleanable.dirty.ratio": "0.1",
    "max.compaction.lag.ms": str(3 * _DAY),
}
# Who follows the decisions may be away for a week and still sees what is forgotten.
_DECISIONS_LEAST = {"delete.retention.ms": _DAY}
_DECISIONS_TUNING = {
    "delete.retention.ms": str(7 * _DAY),
    "max.compaction.lag.ms": str(7 * _DAY),
}


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Spec:
    """What one topic must be; *tuning* is how it is created, and not checked."""

    name: str
    partitions: int
    replication_factor: int
    exact: Mapping[str, str]
    #: settings that may have one of several values; the first is how it is created
    one_of: Mapping[str, Sequence[str]]
    least: Mapping[str, int]
    tuning: Mapping[str, str]

    @property
    def configs(self) -> dict[str, str]:
        """Return the configuration to create it with."""
        least = {name: str(value) for name, value in self.least.items()}
        one_of = {name: values[0] for name, values in self.one_of.items()}
        return {**least, **self.exact, **one_of, **self.tuning}

    def without(self, refused: Collection[str]) -> "Spec":
        """Return the same without the tuning *refused*: it is no condition."""
        kept = {n: v for n, v in self.tuning.items() if n not in refused}
        return dataclasses.replace(self, tuning=kept)

    @property
    def command(self) -> str:
        """Return the command that creates it by hand."""
        configs = (f" --config {n}={v}" for n, v in sorted(self.configs.items()))
        return (
            f"kafka-topics.sh --create --topic {self.name} --partitions"
            f" {self.partitions} --replication-factor {self.replication_factor}"
            f"{''.join(configs)}"
        )

    @property
    def compacted(self) -> bool:
        """Return whether the topic keeps the last record of every key for ever."""
        return self.exact["cleanup.policy"] == "compact"


def specs(kafka: settings.Kafka) -> tuple[Spec, ...]:
    """Return what every topic must be, by the configuration."""
    outcomes = [f"decisions.{outcome}" for outcome in model.Outcome]
    return (
        _kept(kafka, "events", kafka.events_retention),
        _compacted(kafka, "decisions", _DECISIONS_LEAST, _DECISIONS_TUNING),
        *(_kept(kafka, name, kafka.decisions_retention) for name in outcomes),
        _compacted(kafka, "ledger", _LEDGER_LEAST, _LEDGER_TUNING),
        _kept(kafka, "dlq", kafka.dead_letters_retention),
        _compacted(kafka, "begins", _BEGINS_LEAST, _BEGINS_TUNING),
    )


def _kept(kafka: settings.Kafka, name: str, retention_ms: int) -> Spec:
    """Return a topic whose records are kept for a time, whatever their number."""
    return _spec(
        kafka, name, "delete", {"retention.ms": retention_ms}, {"retention.bytes": "-1"}
    )


def _compacted(
    kafka: settings.Kafka,
    name: str,
    least: Mapping[str, int],
    tuning: Mapping[str, str],
) -> Spec:
    return _spec(kafka, name, "compact", least, tuning)


def _spec(
    kafka: settings.Kafka,
    name: str,
    policy: str,
    least: Mapping[str, int],
    tuning: Mapping[str, str],
) -> Spec:
    return Spec(
        name=kafka.topic(name),
        partitions=kafka.partitions,
        replication_factor=kafka.replication_factor,
        exact={**_COMMON, "cleanup.policy": policy},
        one_of={"compression.type": _READABLE},
        least={
            **least,
            "min.insync.replicas": kafka.min_insync_replicas,
            "max.message.bytes": kafka.max_message_bytes,
        },
        tuning=tuning,
    )
