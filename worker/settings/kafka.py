"""Describe the topics, the limits and the times of Kafka's clients."""

from collections.abc import Iterator
from typing import Literal

import pydantic

from worker.settings import kafka_connection, types

_PREFIX = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$"
_DAY = 86_400_000
_REPLICATED_FACTOR = 3
_REPLICATED_IN_SYNC = 2
#: the first must be below the second
_ORDERED_TIMES = (
    ("session_timeout", "rebalance_timeout"),
    ("rebalance_timeout", "request_timeout"),
    ("commit_deadline", "transaction_timeout"),
)


class Kafka(kafka_connection.Connection):
    """The ``[kafka]`` table; times in milliseconds, sizes in bytes."""

    topic_prefix: str = pydantic.Field(
        default="kyc",
        pattern=_PREFIX,
        description="First part of the topic names (`kyc.events`, `kyc.decisions`, …)"
        " and of the transactional ids.",
    )
    group_id: str = pydantic.Field(
        default="",
        min_length=1,
        max_length=249,
        description="Consumer group of the workers. Default: `{topic_prefix}.worker`.",
    )
    partitions: int = pydantic.Field(
        default=24,
        ge=1,
        le=10_000,
        description="Partitions of every topic. It cannot be changed later, because a"
        " session's partition is computed from it.",
    )
    durability: Literal["replicated", "single-broker"] = pydantic.Field(
        default="replicated",
        description="`single-broker` allows a single copy of all data: for tests and"
        " demonstrations only.",
    )
    replication_factor: int = pydantic.Field(
        default=3,
        ge=1,
        le=32,
        description="Copies of every partition; at least 3. Default with"
        " `single-broker`: 1.",
    )
    min_insync_replicas: int = pydantic.Field(
        default=2,
        ge=1,
        le=32,
        description="Copies that must acknowledge a record; at least 2 and below"
        " `replication_factor`. Default with `single-broker`: 1.",
    )
    request_timeout: types.PositiveMs = pydantic.Field(
        default=40_000,
        description="Time limit for a request that waits for other members of the"
        " consumer group; it must be above `rebalance_timeout`. Any other request is"
        " cancelled after this time or half of `commit_deadline`, whichever is less.",
    )
    retry_backoff: types.PositiveMs = pydantic.Field(
        default=100, description="Wait between attempts of the client library."
    )
    metadata_max_age: types.PositiveMs = pydantic.Field(
        default=60_000,
        description="Maximum age of the cluster metadata: a new partition leader is"
        " known after this time even without an error.",
    )
    session_timeout: types.PositiveMs = pydantic.Field(
        default=10_000,
        description="The partitions of a worker that sends no heartbeats are reassigned"
        " after this time. It must be below `rebalance_timeout`.",
    )
    heartbeat_interval: types.PositiveMs = pydantic.Field(
        default=1_000,
        description="Time between heartbeats; at most a third of `session_timeout`.",
    )
    rebalance_timeout: types.PositiveMs = pydantic.Field(
        default=20_000,
        description="How long a rebalance waits for a worker to rejoin. It must be"
        " below `request_timeout`.",
    )
    # Otherwise a broker that fails discards partitions that would have survived.
    commit_deadline: types.PositiveMs = pydantic.Field(
        default=20_000,
        description="Time limit for one transaction, and for fencing. It must be below"
        " `transaction_timeout`, and should be above the 9 s after which a controller"
        " declares a broker dead.",
    )
    transaction_timeout: types.PositiveMs = pydantic.Field(
        default=30_000,
        description="The broker aborts an open transaction of a dead worker after this"
        " time.",
    )
    max_batch_bytes: int = pydantic.Field(
        default=512 << 10,
        ge=16_384,
        le=16 << 20,
        description="Maximum size of one batch that is sent to a broker.",
    )
    max_message_bytes: int = pydantic.Field(
        default=1 << 20,
        ge=16_384,
        le=16 << 20,
        description="Maximum size of one record, and `max.message.bytes` of the topics"
        " that are created. A larger record is refused before a transaction starts.",
    )
    events_retention: types.PositiveMs = pydantic.Field(
        default=7 * _DAY,
        description="Retention of `kyc.events`: the longest time that all workers may"
        " be down.",
    )
    decisions_retention: types.PositiveMs = pydantic.Field(
        default=30 * _DAY,
        description="Retention of the three outcome topics. `kyc.decisions` keeps the"
        " latest decision of every session.",
    )
    dead_letters_retention: types.PositiveMs = pydantic.Field(
        default=30 * _DAY, description="Retention of `kyc.dlq`."
    )

    def topic(self, name: str) -> str:
        """Return the full name of the topic *name*, such as ``events``."""
        return f"{self.topic_prefix}.{name}"

    @property
    def answer_timeout(self) -> int:
        """
        Return how long one broker may take for an answer, in milliseconds.

        So that a request to a frozen one ends while there is time for another. Only a
        JoinGroup, which waits for other members, has all of ``request_timeout``.
        """
        return min(self.request_timeout, self.commit_deadline // 2)

    @pydantic.model_validator(mode="before")
    @classmethod
    def _defaults(cls, table: object) -> object:
        """Fill in the defaults that depend on other settings."""
        if not isinstance(table, dict):
            return table
        defaults: dict[str, object] = {
            "group_id": f"{table.get('topic_prefix', 'kyc')}.worker"
        }
        if table.get("durability") == "single-broker":
            defaults |= {"replication_factor": 1, "min_insync_replicas": 1}
        return defaults | table

    def conflicts(self) -> Iterator[types.FieldConflict]:
        """Yield settings that contradict each other."""
        yield from self._durability_conflicts()
        yield from self._time_conflicts()
        yield from super().conflicts()

    def _durability_conflicts(self) -> Iterator[types.FieldConflict]:
        keys = ("replication_factor", "durability")
        if self.durability == "single-broker":
            if self.min_insync_replicas > self.replication_factor:
                yield types.FieldConflict(
                    ("min_insync_replicas", "replication_factor"),
                    "must be at most replication_factor",
                )
            return
        if self.replication_factor < _REPLICATED_FACTOR:
            yield types.FieldConflict(
                keys, 'must be at least 3, or set durability = "single-broker"'
            )
        if self.min_insync_replicas < _REPLICATED_IN_SYNC:
            yield types.FieldConflict(
                ("min_insync_replicas", "durability"),
                'must be at least 2, or set durability = "single-broker"',
            )
        elif self.min_insync_replicas >= max(self.replication_factor, 3):
            yield types.FieldConflict(
                ("min_insync_replicas", "replication_factor"),
                "must be below replication_factor, or no broker may ever be down",
            )

    def _time_conflicts(self) -> Iterator[types.FieldConflict]:
        for lower, higher in _ORDERED_TIMES:
            if getattr(self, lower) >= getattr(self, higher):
                yield types.FieldConflict((lower, higher), f"must be below {higher}")
        if self.heartbeat_interval * 3 > self.session_timeout:
            yield types.FieldConflict(
                ("heartbeat_interval", "session_timeout"),
                "must be at most a third of session_timeout",
            )
