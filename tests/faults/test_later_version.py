"""An event of a later schema version waits alone for the release that reads it."""

import asyncio
import pathlib

import aiohttp
import aiokafka
import orjson

from tests.support import assertions, later_release, system
from tests.support import kafka_timeouts as profiles
from worker import clock, codec, model
from worker.devkit import simulators
from worker.kafka import partitioning


def _event(session_id: str) -> model.Event:
    """Return a wake-up of a session of ``identomat``."""
    return model.Event(
        event_id=model.random_id(),
        type=model.EventType.CALLBACK_RECEIVED,
        environment=model.Environment.TEST,
        source="identomat",
        provider="identomat",
        session_id=session_id,
        provider_session_id=session_id,
        received_at=clock.SystemClock().now_ms(),
    )


async def _probe(process: system.Process, name: str) -> int:
    url = f"http://127.0.0.1:{process.admin_port}/{name}"
    async with aiohttp.ClientSession() as client, client.get(url) as response:
        return response.status


async def _write(running: system.System, record: codec.Record) -> None:
    config = running.settings.kafka
    producer = aiokafka.AIOKafkaProducer(bootstrap_servers=config.bootstrap_servers)
    await producer.start()
    try:
        await producer.send_and_wait(
            config.topic("events"),
            key=record.key,
            value=record.value,
            headers=record.headers,
            partition=partitioning.partition_of(record.key, config.partitions),
        )
    finally:
        await producer.stop()


async def test_it_is_decided_by_the_next_release(
    kafka: str, topic_prefix: str, tmp_path: pathlib.Path, times: profiles.Times
) -> None:
    """Until then readiness and an alarm say so, and all others are decided."""
    async with system.System(
        kafka, topic_prefix, tmp_path, partitions=1, times=times
    ) as running:
        ingress, worker = running.start("ingress"), running.start("worker")
        await running.ready(ingress)
        await running.ready(worker)
        later = running.simulators["identomat"].add(simulators.Scenario())
        record = codec.event_record(_event(later))
        await _write(running, later_release.as_version_2(record))
        truths, callbacks = assertions.sessions(running, 8)
        await system.Driver([ingress]).send(callbacks)
        await assertions.check(running, truths)

        assert await _probe(worker, "readyz") == 503
        assert await _probe(worker, "livez") == 200
        lines = worker.logged().splitlines()
        kinds = [orjson.loads(line).get("kind") for line in lines]
        assert kinds.count("unknown_version") == 1
        assert "partition.failed" not in worker.logged()
        worker.popen.terminate()
        assert await asyncio.to_thread(worker.popen.wait, 60) == 0

        upgraded = running.start("worker", module=["tests.support.later_release"])
        await running.ready(upgraded)
        found = await running.decisions()
        for _ in range(300):
            if ("identomat", later) in found:
                break
            await asyncio.sleep(0.1)
            found = await running.decisions()
        (decision,) = found["identomat", later]
        assert decision["outcome"] == "approved"
