"""Begins while Kafka comes and goes: nothing twice, nothing forgotten."""

from tests.unit.api import kit
from worker import errors, model

_SAME = {"Idempotency_Key": "key-1"}


async def test_without_kafka_nothing_is_begun(desk: kit.Desk) -> None:
    """503 before the provider is called; the same key may come again."""
    desk.kafka.down = 1
    status, _ = await desk.begin(**_SAME)

    assert (status, desk.beginner.asked) == (503, [])
    assert (await desk.begin(**_SAME))[0] == 201


async def test_an_intent_that_was_written_unseen_is_freed(desk: kit.Desk) -> None:
    """Kafka took it and nobody was told: its process knows that nothing came of it."""
    intend = desk.kafka.record_intent

    async def write_and_lose_kafka(intent: model.Intent) -> model.Intent:
        await intend(intent)
        raise errors.KafkaUnavailable("no acknowledgement in time")

    desk.kafka.record_intent = write_and_lose_kafka  # type: ignore[method-assign] # -- Kafka goes, once
    assert (await desk.begin(**_SAME))[0] == 503
    desk.kafka.record_intent = intend  # type: ignore[method-assign] # -- as above
    assert (await desk.begin(**_SAME))[1]["state"] == "in_progress"
    await desk.recovery.run_once()

    assert (await desk.begin(**_SAME))[0] == 201
    assert len(desk.beginner.asked) == 1


async def test_a_session_that_kafka_does_not_take_is_owed(desk: kit.Desk) -> None:
    """The provider has begun it: it is told later, and a repeat learns of it."""
    desk.beginner.fails = [None]
    original = desk.beginner.begin

    async def begin_and_lose_kafka(request: model.BeginRequest) -> model.StartedSession:
        desk.kafka.down = 1
        desk.clock.advance(kit.TIMES.begin)
        return await original(request)

    desk.beginner.begin = begin_and_lose_kafka  # type: ignore[method-assign] # -- the provider is slow, once
    status, _ = await desk.begin(**_SAME)

    assert (status, len(desk.debts)) == (503, 1)
    assert (await desk.begin(**_SAME))[1]["state"] == "outcome_unknown"
    await desk.recovery.run_once()
    assert (await desk.begin(**_SAME))[1]["session_id"] == "s1"
    assert len(desk.debts) == 0
    assert [each.session_id for each in desk.kafka.events] == ["s1"]


async def test_an_end_that_kafka_does_not_take_is_owed(desk: kit.Desk) -> None:
    """The worker knows the session: the caller has its answer, the end follows."""
    publish = desk.kafka.publish

    async def publish_and_lose_kafka(event: model.Event) -> None:
        await publish(event)
        desk.kafka.down = 1

    desk.kafka.publish = publish_and_lose_kafka  # type: ignore[method-assign] # -- Kafka goes, once
    status, _ = await desk.begin(**_SAME)

    assert (status, desk.kafka.ends, len(desk.debts)) == (201, [], 1)
    desk.kafka.publish = publish  # type: ignore[method-assign] # -- as above
    await desk.recovery.run_once()
    assert [each.session_id for each in desk.kafka.ends] == ["s1"]
