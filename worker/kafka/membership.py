"""Build the group's consumer, and listen to it without doing any I/O."""

import asyncio
import contextlib
from typing import Protocol

import aiokafka
from aiokafka import TopicPartition
from aiokafka.coordinator.assignors.range import RangePartitionAssignor

from worker import clock as clocks
from worker import errors, settings
from worker.kafka import (
    aiokafka_fetcher,
    aiokafka_patches,
    error_mapping,
    ledger_partition,
    topics,
)

_LOOK_S = 10.0
_POLL_RECORDS = 1000
_FETCH_WAIT_MS = 100
#: Slow work is no reason to leave: the partition's own watchdog sees to that.
_POLL_INTERVAL_MS = 24 * 3_600_000


class AssignmentHandler(Protocol):
    """Who follows the assignment."""

    def revoked(self, revoked: set[TopicPartition]) -> None:
        """Stop what may be another's soon."""
        ...

    def assigned(self, assigned: set[TopicPartition]) -> None:
        """Hold the new ones back until they are restored."""
        ...

    def on_listener_error(self, error: Exception) -> None:
        """Begin anew: what was assigned has no owner."""
        ...


class Listener(aiokafka.ConsumerRebalanceListener):  # type: ignore[misc]  # untyped
    """
    Does no I/O: heartbeats stop while it runs (aiokafka 0.14, seen 2026-11-21).

    aiokafka only logs what it raises, and the partitions stay assigned with no owner.
    """

    def __init__(self, following: AssignmentHandler) -> None:
        self._following = following

    async def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:
        """Stop what may be another's soon."""
        try:
            self._following.revoked(revoked)
        except Exception as error:  # noqa: BLE001 -- whatever it is, aiokafka only logs it
            self._following.on_listener_error(error)

    async def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        """Hold the new ones back until they are restored."""
        try:
            self._following.assigned(assigned)
        except Exception as error:  # noqa: BLE001 -- as above
            self._following.on_listener_error(error)


def consumer(kafka: settings.Kafka) -> aiokafka.AIOKafkaConsumer:
    """Return the consumer of one membership, not started."""
    aiokafka_fetcher.install()
    made = aiokafka.AIOKafkaConsumer(
        **kafka.client_args(),
        group_id=kafka.group_id,
        enable_auto_commit=False,
        # An empty ledger starts at the earliest by a seek of its own; anything else
        # that has no position is an error.
        auto_offset_reset="none",
        partition_assignment_strategy=(RangePartitionAssignor,),
        session_timeout_ms=kafka.session_timeout,
        heartbeat_interval_ms=kafka.heartbeat_interval,
        # Its default equals the session's, and cuts a rebalance short.
        rebalance_timeout_ms=kafka.rebalance_timeout,
        request_timeout_ms=kafka.request_timeout,
        retry_backoff_ms=kafka.retry_backoff,
        metadata_max_age_ms=kafka.metadata_max_age,
        max_poll_records=_POLL_RECORDS,
        max_poll_interval_ms=_POLL_INTERVAL_MS,
        fetch_max_wait_ms=_FETCH_WAIT_MS,
        fetch_max_bytes=aiokafka_patches.FETCH_BYTES,
    )
    return aiokafka_patches.apply_request_timeouts(made, kafka)


async def verify_ownership(
    member: aiokafka.AIOKafkaConsumer, tp: TopicPartition, offset: int, timeout_ms: int
) -> errors.KafkaUnavailable | None:
    """
    Return why a plain commit has not shown that *tp* is still ours, None if it has.

    Being fenced is no proof of loss, and a frozen process still shows its old
    assignment when it wakes; a plain commit is checked against the generation.
    """
    try:
        with error_mapping.as_unavailable("proving the membership"):
            async with asyncio.timeout(timeout_ms / 1000):
                await member.commit({tp: offset})
    except errors.KafkaUnavailable as error:
        return error
    return None


async def verify_topics_unchanged(
    member: aiokafka.AIOKafkaConsumer, kafka: settings.Kafka
) -> None:
    """
    Return if all topics are still what they were.

    aiokafka 0.14 subscribes to a topic that is not there, and then owns nothing,
    without a word; and where brokers create what a client names, it goes on with the
    wrong one. Raises errors.TopicMismatch; an unreachable broker is no reason.
    """
    names = [kafka.topic(name) for name in ("events", *ledger_partition.WRITTEN)]
    with contextlib.suppress(*error_mapping.THEIRS):
        async with asyncio.timeout(_LOOK_S):
            await topics.recheck(aiokafka_patches.client_of(member), kafka, names)


async def watch_topics(
    member: aiokafka.AIOKafkaConsumer, kafka: settings.Kafka, clock: clocks.Clock
) -> None:
    """Recheck now and then; only raises."""
    while True:
        await clock.sleep(kafka.metadata_max_age / 1000)
        await verify_topics_unchanged(member, kafka)
