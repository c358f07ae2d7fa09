"""Follow the decisions as a service would: committed ones, of all outcomes."""

import contextlib
from collections.abc import AsyncGenerator

from worker import codec, model, settings
from worker.kafka import reader


async def decisions(
    kafka: settings.Kafka, *, since_ms: int
) -> AsyncGenerator[tuple[model.Decision, bytes], None]:
    """
    Yield every decision made since *since_ms*, with its record's value.

    Reads from the beginning: none is missed between the start of this reader and
    the first callback. Raises errors.KafkaUnavailable.
    """
    topics = [kafka.topic(f"decisions.{outcome}") for outcome in model.Outcome]
    records = reader.follow(kafka, topics, reader.ReadRange.FROM_BEGINNING)
    async with contextlib.aclosing(records):
        async for found in records:
            held = found.record
            try:
                decision = codec.read_decision(held.key, held.value, held.headers)
            except codec.MalformedRecord:
                continue  # none of ours
            if decision.decided_at >= since_ms and held.value is not None:
                yield decision, held.value
