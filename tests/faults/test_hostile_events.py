"""What anybody writes to kyc.events costs that record, and no good session."""

import asyncio
import contextlib
import pathlib
from typing import Any

import aiokafka
import orjson

from tests.support import kafka_timeouts as profiles
from tests.support import system
from worker import clock, codec, model
from worker.devkit import simulators
from worker.kafka import partitioning, reader

_SECONDS = 60


def _event(session_id: str, **changes: Any) -> model.Event:  # noqa: ANN401 -- fields
    """Return a wake-up of a session of ``identomat``, with *changes*."""
    event = model.Event(
        event_id=model.random_id(),
        type=model.EventType.CALLBACK_RECEIVED,
        environment=model.Environment.TEST,
        source="identomat",
        provider="identomat",
        session_id=session_id,
        provider_session_id=session_id,
        received_at=clock.SystemClock().now_ms(),
    )
    return event._replace(**changes)


def _hostile(victim: str, stolen: str) -> dict[str, model.Event]:
    """Return events about the session *victim* by the word that refuses each."""
    shell = "x;touch${IFS}x;"
    return {
        "wrong_provider_session_id": _event(victim, provider_session_id=stolen),
        "wrong_provider": _event(victim, provider="idnow"),
        "wrong_environment": _event(victim, environment=model.Environment.LIVE),
        "field_too_long": _event(victim, reference="v" * 900_000),
        "unknown_source": _event(shell, source="invented"),
        "wrong_partition": _event(victim, type=model.EventType.RECHECK_REQUESTED),
    }


async def _letters(running: system.System) -> list[dict[str, Any]]:
    kafka = running.settings.kafka
    found = reader.follow(kafka, [kafka.topic("dlq")], reader.ReadRange.UNTIL_END)
    async with contextlib.aclosing(found):
        return [orjson.loads(each.record.value or b"") async for each in found]


async def test_each_hostile_event_is_refused_between_two_good_ones(
    kafka: str, topic_prefix: str, tmp_path: pathlib.Path, times: profiles.Times
) -> None:
    """The good ones are approved; each other is a dead letter by its own word."""
    async with system.System(
        *(kafka, topic_prefix, tmp_path),
        partitions=2,
        times=times,
        worker_more="max_deferred_events = 0",
    ) as running:
        identomat = running.simulators["identomat"]
        stolen = identomat.add(simulators.Scenario())
        victim = identomat.add(simulators.Scenario())
        hostile = _hostile(victim, stolen)
        config = running.settings.kafka
        good = []
        producer = aiokafka.AIOKafkaProducer(bootstrap_servers=kafka)
        await producer.start()
        try:
            for word, bad in hostile.items():
                good.append(identomat.add(simulators.Scenario()))
                for event in (bad, _event(good[-1])):
                    record = codec.event_record(event)
                    number = partitioning.partition_of(record.key, config.partitions)
                    astray = event is bad and word == "wrong_partition"
                    await producer.send_and_wait(
                        config.topic("events"),
                        key=record.key,
                        value=record.value,
                        headers=record.headers,
                        partition=1 - number if astray else number,
                    )
        finally:
            await producer.stop()

        worker = running.start("worker")
        await running.ready(worker)
        expected = {("identomat", each): ["approved"] for each in good}
        found: dict[tuple[str, str], list[object]] = {}
        for _ in range(10 * _SECONDS):
            decisions = await running.decisions()
            found = {k: [d["outcome"] for d in all_] for k, all_ in decisions.items()}
            if found == expected:
                break
            await asyncio.sleep(0.1)
        assert expected == found
        letters = {each["last_error"]: each for each in await _letters(running)}
        assert letters.keys() == hostile.keys()
        assert {each["reason"] for each in letters.values()} == {"unmappable"}
        command = letters["unknown_source"]["redrive"]
        assert command.endswith("--session 'x;touch${IFS}x;'")
        assert identomat.held(victim).calls == identomat.held(stolen).calls == 0
