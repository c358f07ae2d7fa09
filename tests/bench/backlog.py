"""Pile up events for a worker, as the ingress writes them, and as fast as can be."""

import asyncio
import contextlib
import uuid
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence

import aiokafka

from worker import clock as clocks
from worker import codec, model, settings
from worker.kafka import partitioning

_AT_ONCE = 1_000


def sessions(count: int) -> list[str]:
    """Return the ids of so many new sessions."""
    return [str(uuid.uuid4()) for _ in range(count)]


def wake(session_id: str, provider_event_id: str | None = None) -> model.Event:
    """Return Biometric's wake-up for *session_id*: the result must be fetched."""
    claim = {"status": "FINISHED", "flow_session_result": "true"}
    return _event("biometric", session_id, "flow.end", claim, provider_event_id)


def event_id_of(session_id: str) -> str:
    """Return the provider's own id for the one event of *session_id*."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, session_id))


def _verdict(session_id: str) -> model.Event:
    """Return id beyond's signed approval: a decision with nothing to fetch."""
    claim = {"decision": "approved", "reviewStatus": "approved"}
    return _event("idbeyond", session_id, "verification.completed", claim)


def _event(
    provider: str,
    session_id: str,
    provider_event: str,
    claim: Mapping[str, str],
    provider_event_id: str | None = None,
) -> model.Event:
    return model.Event(
        event_id=str(uuid.uuid4()),
        type=model.EventType.CALLBACK_RECEIVED,
        environment=model.Environment.TEST,
        source=provider,
        provider=provider,
        session_id=session_id,
        provider_session_id=session_id,
        received_at=clocks.SystemClock().now_ms(),
        provider_event=provider_event,
        provider_event_id=provider_event_id,
        claim=dict(claim),
        digest=uuid.uuid4().hex * 2,
        traceparent=codec.new_traceparent(),
    )


def closing(partitions: int) -> list[model.Event]:
    """Return one event for each partition, whose decision says: so far all is taken."""
    found: dict[int, model.Event] = {}
    while len(found) < partitions:
        event = _verdict(str(uuid.uuid4()))
        number = partitioning.partition_of(str(event.key).encode(), partitions)
        found.setdefault(number, event)
    return list(found.values())


class Publisher:
    """Writes records that were made beforehand."""

    def __init__(
        self, kafka: settings.Kafka, producer: aiokafka.AIOKafkaProducer
    ) -> None:
        self._kafka = kafka
        self._producer = producer

    @staticmethod
    def records(events: Iterable[model.Event]) -> list[codec.Record]:
        """Return what is to be written."""
        return [codec.event_record(event) for event in events]

    async def publish(self, records: Sequence[codec.Record]) -> None:
        """Return when all *records* are acknowledged, in order in each partition."""
        topic = self._kafka.topic("events")
        for first in range(0, len(records), _AT_ONCE):
            futures = [
                await self._producer.send(
                    topic,
                    key=each.key,
                    value=each.value,
                    headers=each.headers,
                    partition=partitioning.partition_of(
                        each.key, self._kafka.partitions
                    ),
                )
                for each in records[first : first + _AT_ONCE]
            ]
            await asyncio.gather(*futures)


@contextlib.asynccontextmanager
async def publisher(kafka: settings.Kafka) -> AsyncIterator[Publisher]:
    """Hold a publisher."""
    producer = aiokafka.AIOKafkaProducer(
        **kafka.client_args(), enable_idempotence=True, acks="all", linger_ms=5
    )
    await producer.start()
    try:
        yield Publisher(kafka, producer)
    finally:
        await producer.stop()
