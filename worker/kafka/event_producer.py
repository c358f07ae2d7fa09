"""Publish the ingress's events: acknowledged by Kafka in time, or refused."""

import asyncio
import random
from collections.abc import Sequence
from typing import NoReturn

import aiokafka

from worker import cancellation, codec, errors, model, policy, settings
from worker import clock as clocks
from worker.kafka import (
    aiokafka_patches,
    connectivity,
    error_mapping,
    ledger_partition,
    partitioning,
    producer_connection,
    topics,
)

# After Kafka's return the producer is there again after at most one failed attempt
# and the longest of these waits.
_BACKOFF = policy.Backoff(initial_delay_ms=100, max_delay_ms=2_000, jitter=0.5)
_CONNECT_S = 10.0
# An ingress without traffic finds out by a request of its own.
_PROBE_S = 5.0
_EXPLAIN_EVERY_S = 5.0


class EventProducer:
    """
    An idempotent producer that is built again whenever it may be broken.

    Implements ports.EventSink. aiokafka's idempotent producer retries for ever, and
    one failed record can break its partition until it is recreated (a gap in the
    sequence); so each acknowledgement is awaited with a deadline, and a producer
    that stalled or failed is thrown away with everything in it: what was refused
    is not sent behind its caller's back much later, and memory stays flat.
    """

    def __init__(
        self,
        kafka: settings.Kafka,
        clock: clocks.Clock,
        log: connectivity.Log,
        *,
        ack_timeout_ms: int,
        topics: Sequence[str] = ("events", "dlq"),
    ) -> None:
        """Write to *topics* and to no others; rights are needed for these alone."""
        self._kafka = kafka
        self._clock = clock
        self._log = log
        self._ack_timeout_s = ack_timeout_ms / 1000
        self._bound = ledger_partition.max_record_bytes(kafka)
        self._topics = tuple(map(kafka.topic, topics))
        self._link: producer_connection.ProducerConnection | None = None
        self._up = asyncio.Event()
        self._closed = False
        self._throttle = connectivity.once_a_minute(clock)
        self._said_up: bool | None = None
        self._explaining: asyncio.Task[None] | None = None
        self._supervisor: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to connect; until that is done a publication waits its time."""
        self._supervisor = asyncio.create_task(self._supervise())

    @property
    def reachable(self) -> bool:
        """Return whether Kafka answered when it was last asked."""
        return self._link is not None and not self._link.broken.is_set()

    async def publish(self, event: model.Event) -> None:
        """
        Return once Kafka has acknowledged *event* (acks=all).

        Raises errors.KafkaUnavailable after ``ack_timeout`` at the latest: the event
        may be written all the same. errors.RecordTooLarge refuses it for good.
        """
        await self.write("events", codec.event_record(event))

    async def dead_letter(self, letter: model.DeadLetter) -> None:
        """Return once Kafka has acknowledged *letter*; raises as ``publish``."""
        await self.write("dlq", codec.dead_letter_record(letter))

    async def write(self, topic: str, record: codec.Record) -> None:
        """Return once Kafka has *record* on *topic* (short name); as ``publish``."""
        await self._send(self._kafka.topic(topic), record)

    async def close(self, timeout_s: float) -> None:
        """Wait for what is being acknowledged, *timeout_s* at most, then let go."""
        self._closed = True
        self._up.set()
        if self._link is not None:
            await self._link.settle(timeout_s)
        ending = [task for task in (self._supervisor, self._explaining) if task]
        self._supervisor = self._explaining = None
        for task in ending:
            task.cancel()
        await asyncio.gather(*ending, return_exceptions=True)

    async def _send(self, topic: str, record: codec.Record) -> None:
        ledger_partition.check_size(topic, record.size_bytes, self._bound)
        number = partitioning.partition_of(record.key, self._kafka.partitions)
        place = aiokafka.TopicPartition(topic, number)
        current = None
        try:
            async with asyncio.timeout(self._ack_timeout_s):
                current = await self._connected()
                await current.send(place, record)
        except TimeoutError:
            if current is not None:
                current.timed_out(place, self._ack_timeout_s)
            raise errors.KafkaUnavailable("no acknowledgement in time") from None

    async def _connected(self) -> producer_connection.ProducerConnection:
        """Return the link, waiting for a new one while there is none."""
        while not self._closed:
            if self._link is not None and not self._link.broken.is_set():
                return self._link
            self._up.clear()
            await self._up.wait()
        raise errors.KafkaUnavailable("the producer is closed")

    async def _supervise(self) -> None:
        """Connect, wait until the producer breaks, discard it, repeat."""
        failures = 0
        while True:
            worked = await self._run_connection()
            failures = 1 if worked else failures + 1
            chance = random.random()  # noqa: S311 -- no secret
            await self._clock.sleep(_BACKOFF.delay_ms(failures, chance) / 1000)

    async def _run_connection(self) -> bool:
        """Use one producer until it dies, say of what; return whether it was good."""
        try:
            producer = self._create_producer()
        except OSError as error:  # certificates, while they are being replaced
            self._log_disconnected(error_mapping.error_name(error), connected=False)
            return False
        try:
            with cancellation.contained():
                await self._connect(producer)
                self._log_connected()
                await self._wait_until_broken(producer)
        except errors.TopicMismatch as error:
            self._said_up = connected = denied = False
            self._say_mismatch(error)
        except Exception as error:  # noqa: BLE001 -- whatever it was, the next one is new
            failure = error_mapping.map_error("connecting", error, "Write")
            connected = self._link is not None
            denied = isinstance(failure, errors.KafkaUnauthorised)
            if denied:
                self._say_denied(str(failure))
            else:
                self._log_disconnected(str(failure), connected=connected)
        finally:
            await self._close_producer(producer)
        return connected and not denied

    def _log_connected(self) -> None:
        if self._said_up is not True:
            self._said_up = True
            self._log.info("producer.connected")

    def _say_denied(self, message: str) -> None:
        if self._throttle.admits(message):
            reason = errors.KafkaUnauthorised.reason
            self._log.warning("kafka.unauthorised", reason=reason, message=message)

    def _say_mismatch(self, error: errors.TopicMismatch) -> None:
        message = " ".join(error.problems)
        if self._throttle.admits(message):
            self._log.warning("topics.mismatch", reason=error.reason, message=message)

    def _log_disconnected(self, reason: str, *, connected: bool) -> None:
        """Log the first of many failures: the metric says how long it lasts."""
        if self._said_up is not False:
            self._said_up = False
            self._log.warning("producer.disconnected", reason=reason)
        if not connected and (self._explaining is None or self._explaining.done()):
            # Beside the attempts: a broker that is back is not kept waiting for it.
            self._explaining = asyncio.create_task(self._explain())

    async def _explain(self) -> None:
        """Find out why no broker can be reached, and say it unless it was just said."""
        why = await connectivity.diagnose_connection(self._kafka)
        if why is not None and self._throttle.admits(why.message):
            self._log.warning(
                "kafka.unreachable",
                servers=self._kafka.bootstrap_servers,
                reason=why.reason,
                message=why.message,
            )
        await self._clock.sleep(_EXPLAIN_EVERY_S)

    async def _connect(self, producer: aiokafka.AIOKafkaProducer) -> None:
        async with asyncio.timeout(_CONNECT_S):
            await producer.start()
            # First: any other question for a topic may create it.
            await topics.recheck(producer.client, self._kafka, self._topics)
            # All metadata now: the first publication has no time to wait for them.
            await producer.client.set_topics(self._topics)
            for topic in self._topics:
                await producer.partitions_for(topic)

    async def _wait_until_broken(self, producer: aiokafka.AIOKafkaProducer) -> NoReturn:
        """Serve publications until the producer is of no more use, and raise why."""
        current = self._link = producer_connection.ProducerConnection(producer)
        ended = errors.KafkaUnavailable("the sender ended")
        aiokafka_patches.sender_task(producer).add_done_callback(
            lambda _: current.mark_broken(ended)
        )
        self._up.set()
        probing = asyncio.create_task(self._probe(producer, current))
        try:
            await current.ended()
        finally:
            probing.cancel()
            await asyncio.gather(probing, return_exceptions=True)

    async def _probe(
        self,
        producer: aiokafka.AIOKafkaProducer,
        current: producer_connection.ProducerConnection,
    ) -> None:
        """
        Break *current* off when no broker answers, or a topic is not what it was.

        Where a topic is gone, aiokafka 0.14 asks for it a thousand times a second.
        """
        try:
            while True:
                await asyncio.sleep(_PROBE_S)
                with cancellation.contained():
                    async with asyncio.timeout(_CONNECT_S):
                        await topics.recheck(producer.client, self._kafka, self._topics)
        except Exception as error:  # noqa: BLE001 -- whatever it was, the next one is new
            current.mark_broken(error_mapping.map_error("asking", error, "Describe"))

    async def _close_producer(self, producer: aiokafka.AIOKafkaProducer) -> None:
        current, self._link = self._link, None
        if current is not None:
            current.fail_pending()
        await aiokafka_patches.discard_producer(producer)

    def _create_producer(self) -> aiokafka.AIOKafkaProducer:
        ack_timeout_ms = round(self._ack_timeout_s * 1000)
        producer = aiokafka.AIOKafkaProducer(
            **self._kafka.client_args(),
            enable_idempotence=True,
            acks="all",
            linger_ms=0,
            max_request_size=self._kafka.max_message_bytes,
            # A connection to a frozen broker is given up when its callers are.
            request_timeout_ms=min(self._kafka.request_timeout, ack_timeout_ms),
            retry_backoff_ms=self._kafka.retry_backoff,
            metadata_max_age_ms=self._kafka.metadata_max_age,
        )
        aiokafka_patches.preset_transaction_waiter(producer)
        return producer
