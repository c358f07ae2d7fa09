"""One life of the ingress's producer: what it owes its callers, and when it is over."""

import asyncio
from typing import NoReturn

import aiokafka

from worker import cancellation, codec, errors
from worker.kafka import error_mapping

# A partition may be without a leader for as long as a broker's death takes to be
# noticed (9 s by default); one that does not answer for longer is stuck in the client.
_PARTITION_STUCK_S = 30.0


class ProducerConnection:
    """
    A started producer, until it is *broken*; nothing is sent with it afterwards.

    Broken means: a record failed (whatever the error, its place in the sequence is
    gone), the sender died, or nothing at all was acknowledged while one waited its
    whole time.
    """

    def __init__(self, producer: aiokafka.AIOKafkaProducer) -> None:
        self.broken = asyncio.Event()
        self._failure: errors.KafkaUnavailable | None = None
        self._producer = producer
        self._loop = asyncio.get_running_loop()
        self._waiting: set[asyncio.Future[object]] = set()
        self._acked_at = self._loop.time()
        self._stuck_since: dict[aiokafka.TopicPartition, float] = {}

    async def send(self, place: aiokafka.TopicPartition, record: codec.Record) -> None:
        """
        Return once *record* is acknowledged; the caller brings the deadline.

        Raises errors.KafkaUnavailable when it failed or the link is given up.
        """
        try:
            with cancellation.contained():
                await self._send(place, record)
        except errors.KafkaUnavailable:
            raise
        except Exception as error:
            failure = error_mapping.map_error("sending", error, "Write")
            self.mark_broken(failure)
            raise failure from error
        self._acked_at = self._loop.time()
        self._stuck_since.pop(place, None)

    async def _send(self, place: aiokafka.TopicPartition, record: codec.Record) -> None:
        """Send *record* and wait for its acknowledgement."""
        future = await self._producer.send(
            place.topic,
            key=record.key,
            value=record.value,
            headers=record.headers,
            partition=place.partition,
        )
        self._waiting.add(future)
        try:
            await future
        finally:
            self._waiting.discard(future)

    def timed_out(self, place: aiokafka.TopicPartition, waited_s: float) -> None:
        """Take note that a record for *place* waited *waited_s* in vain."""
        now = self._loop.time()
        since = self._stuck_since.setdefault(place, now - waited_s)
        if self._acked_at < now - waited_s:
            self.mark_broken(errors.KafkaUnavailable("nothing is acknowledged"))
        elif now - since > _PARTITION_STUCK_S:
            self.mark_broken(errors.KafkaUnavailable("a partition is stuck"))

    def mark_broken(self, failure: errors.KafkaUnavailable) -> None:
        """Have the supervisor throw this link away; the first *failure* stands."""
        self._failure = self._failure or failure
        self.broken.set()

    async def ended(self) -> NoReturn:
        """Wait until this link is broken, and raise why."""
        await self.broken.wait()
        raise self._failure or errors.KafkaUnavailable("the link is broken")

    def fail_pending(self) -> None:
        """Fail all pending sends: a discarded producer never acknowledges them."""
        for future in self._waiting:
            if not future.done():
                future.set_exception(errors.KafkaUnavailable("the connection is lost"))

    async def settle(self, timeout_s: float) -> None:
        """Wait for the acknowledgements that are under way, *timeout_s* at most."""
        if self._waiting:
            await asyncio.wait(set(self._waiting), timeout=timeout_s)
