"""Records that others write into our topics, and topics in any compression."""

import asyncio
import contextlib
import pathlib
import re

import pytest
from aiokafka import admin

from tests.support import assertions, batches, system
from tests.support import kafka_timeouts as profiles
from worker import codec, model
from worker.kafka import reader, topic_specs, topics

_BAD_HEADER = batches.Raw(key=b"k", value=b"v", headers=[(b"\xff\xfe", b"x")])
_JUNK = batches.Raw(key=b"\xff", value=b"\x00junk", headers=[(b"", None)])
_BOMB = batches.Raw(key=b"k", value=b"\0" * (300 << 20))
_PARTITIONS = 2
_PEAK_MIB = 250


def _peak_mib(process: system.Process) -> int:
    status = pathlib.Path(f"/proc/{process.popen.pid}/status").read_text()
    (peak,) = re.findall(r"VmHWM:\s+(\d+) kB", status)
    return int(peak) // 1024


async def _letters(running: system.System) -> list[model.DeadLetter]:
    kafka = running.settings.kafka
    found = reader.follow(kafka, [kafka.topic("dlq")], reader.ReadRange.UNTIL_END)
    async with contextlib.aclosing(found):
        held = [each.record async for each in found]
    return [codec.read_dead_letter(one.key, one.value, one.headers) for one in held]


async def _compressed(running: system.System, value: str) -> None:
    """Set compression.type of every topic, as a cluster's default does."""
    kafka = running.settings.kafka
    kind = admin.config_resource.ConfigResourceType.TOPIC
    client = admin.AIOKafkaAdminClient(bootstrap_servers=kafka.bootstrap_servers)
    await client.start()
    try:
        await client.alter_configs(
            [
                admin.config_resource.ConfigResource(
                    kind, spec.name, {**spec.configs, "compression.type": value}
                )
                for spec in topic_specs.specs(kafka)
            ]
        )
    finally:
        await client.close()


async def test_what_others_write_stops_nobody(
    kafka: str, topic_prefix: str, tmp_path: pathlib.Path, times: profiles.Times
) -> None:
    """Each such record is a dead letter with its place; all sessions are decided."""
    async with system.System(
        kafka, topic_prefix, tmp_path, partitions=_PARTITIONS, times=times
    ) as running:
        ingress, worker = running.start("ingress"), running.start("worker")
        await running.ready(ingress)
        await running.ready(worker)
        topic = running.settings.kafka.topic("events")
        foreign = [
            batches.batch([_BAD_HEADER]),
            *(batches.batch([_JUNK, _BAD_HEADER], name) for name in batches.CODECS),
            batches.batch([_BOMB], "gzip"),
        ]
        for number in range(_PARTITIONS):
            for each in foreign:
                await batches.write(kafka, topic, number, each)
        truths, callbacks = assertions.sessions(running, 20)
        await system.Driver([ingress]).send(callbacks)
        await assertions.check(running, truths)

        assert "partition.failed" not in worker.logged()
        assert _peak_mib(worker) < _PEAK_MIB
        letters = await _letters(running)

    assert {model.DeadLetterReason.UNMAPPABLE} == {one.reason for one in letters}
    assert len(letters) == _PARTITIONS * (1 + 2 * len(batches.CODECS) + 1)
    places = [str(one.place).split(":") for one in letters]
    assert {topic} == {place[0] for place in places}
    for number in range(_PARTITIONS):
        mine = [int(place[2]) for place in places if int(place[1]) == number]
        assert sorted(mine) == list(range(len(mine)))
    assert {"header_not_utf8", "malformed_record", "batch_inflates_too_far"} == {
        one.last_error for one in letters
    }


@pytest.mark.parametrize("value", ["zstd", "uncompressed"])
async def test_topics_may_be_compressed(
    kafka: str,
    topic_prefix: str,
    tmp_path: pathlib.Path,
    times: profiles.Times,
    value: str,
) -> None:
    """As a cluster's default may have it: decided, and after a restart restored."""
    async with system.System(
        kafka, topic_prefix, tmp_path, partitions=_PARTITIONS, times=times
    ) as running:
        await _compressed(running, value)
        await topics.check(
            running.settings.kafka,
            session_retention_ms=running.settings.ledger.session_retention,
        )
        ingress, worker = running.start("ingress"), running.start("worker")
        await running.ready(ingress)
        await running.ready(worker)
        truths, callbacks = assertions.sessions(running, 6)
        await system.Driver([ingress]).send(callbacks)
        await assertions.check(running, truths)

        worker.popen.terminate()
        assert await asyncio.to_thread(worker.popen.wait, 30) == 0
        await running.ready(running.start("worker"))
        more, callbacks = assertions.sessions(running, 6)
        await system.Driver([ingress]).send(callbacks)
        await assertions.check(running, truths | more)
