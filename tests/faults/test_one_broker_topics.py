"""Topics that change under processes that run: said in a sentence, and survived."""

import asyncio
import os
import pathlib

import aiohttp
import pytest
from aiokafka import admin

from tests.support import assertions, system
from tests.support import kafka_timeouts as profiles
from worker.devkit import broker
from worker.kafka import topic_specs, topics

#: A process that does nothing but complain takes less of a core than this.
_IDLE = 0.2
_LINES_A_S = 40
_WATCHED_S = 3.0
_SOON = 'metadata_max_age = "1s"'


async def _limit(running: system.System, name: str, size: int | None) -> None:
    """Set max.message.bytes of a topic; None: what it was made with."""
    kafka = running.settings.kafka
    (spec,) = (
        each for each in topic_specs.specs(kafka) if each.name == kafka.topic(name)
    )
    configs = dict(spec.configs)
    if size is not None:
        configs["max.message.bytes"] = str(size)
    client = admin.AIOKafkaAdminClient(bootstrap_servers=kafka.bootstrap_servers)
    await client.start()
    try:
        kind = admin.config_resource.ConfigResourceType.TOPIC
        resource = admin.config_resource.ConfigResource(kind, spec.name, configs)
        await client.alter_configs([resource])
    finally:
        await client.close()


async def _delete(running: system.System, name: str) -> None:
    kafka = running.settings.kafka
    client = admin.AIOKafkaAdminClient(bootstrap_servers=kafka.bootstrap_servers)
    await client.start()
    try:
        await client.delete_topics([kafka.topic(name)])
    finally:
        await client.close()


async def _said(process: system.Process, text: str, times: profiles.Times) -> None:
    """Return once *process* has logged *text*."""
    async with asyncio.timeout(times.patience_s):
        while text not in process.logged():  # noqa: ASYNC110 -- a file tells nobody
            await asyncio.sleep(0.05)


async def _ready(process: system.Process) -> bool:
    url = f"http://127.0.0.1:{process.admin_port}/readyz"
    async with aiohttp.ClientSession() as client, client.get(url) as response:
        return response.status == 200


def _cpu_s(process: system.Process) -> float:
    fields = pathlib.Path(f"/proc/{process.popen.pid}/stat").read_text()
    user, kernel = fields.rpartition(")")[2].split()[11:13]
    return (int(user) + int(kernel)) / os.sysconf("SC_CLK_TCK")


def _lines(process: system.Process) -> int:
    """Return how many lines it has logged, but those of callbacks: one each."""
    logged = process.logged().splitlines()
    return sum('"event":"callback.' not in line for line in logged)


async def _idle(*processes: system.Process) -> None:
    """Fail unless *processes* hardly use the processor, and say little."""
    used = [_cpu_s(each) for each in processes]
    lines = [_lines(each) for each in processes]
    await asyncio.sleep(_WATCHED_S)
    for process, cpu_s, count in zip(processes, used, lines, strict=True):
        assert process.popen.poll() is None
        assert _cpu_s(process) - cpu_s < _IDLE * _WATCHED_S
        assert _lines(process) - count < _LINES_A_S * _WATCHED_S


async def test_a_record_that_a_topic_no_longer_takes_is_an_alarm_and_no_more(
    kafka: str, topic_prefix: str, tmp_path: pathlib.Path, times: profiles.Times
) -> None:
    """The worker stands still and says why; once it fits again, all is decided."""
    async with system.System(kafka, topic_prefix, tmp_path, times=times) as running:
        ingress, worker = running.start("ingress"), running.start("worker")
        await running.ready(ingress)
        await running.ready(worker)
        await _limit(running, "decisions", 300)
        truths, callbacks = assertions.sessions(running, 20)
        await system.Driver([ingress]).send(callbacks)
        await _said(worker, '"kind":"record_too_large"', times)
        assert await running.decisions() == {}
        await _idle(worker)
        assert "max.message.bytes" in worker.logged()

        await _limit(running, "decisions", None)
        await assertions.check(running, truths)


async def test_an_event_that_its_topic_no_longer_takes_is_refused_and_comes_again(
    kafka: str, topic_prefix: str, tmp_path: pathlib.Path, times: profiles.Times
) -> None:
    """503 each time, which is our own fault, until the provider's retry is taken."""
    async with system.System(kafka, topic_prefix, tmp_path, times=times) as running:
        ingress, worker = running.start("ingress"), running.start("worker")
        await running.ready(ingress)
        await running.ready(worker)
        driver = system.Driver([ingress])
        # Where a producer has written nothing yet, no broker minds a gap.
        before, callbacks = assertions.sessions(running, 40)
        await driver.send(callbacks)
        await _limit(running, "events", 300)
        truths, callbacks = assertions.sessions(running, 6)
        sending = asyncio.create_task(driver.send(callbacks))
        async with asyncio.timeout(times.patience_s):
            while driver.statuses[503] < 12:  # noqa: ASYNC110 -- a counter tells nobody
                await asyncio.sleep(0.05)
        await _limit(running, "events", None)
        await sending
        await assertions.check(running, before | truths)

    assert {200, 503} == set(driver.statuses)
    assert ingress.logged().count("\n") < 10 * driver.statuses.total()


async def test_the_topic_of_events_is_deleted_and_made_again(
    kafka: str, topic_prefix: str, tmp_path: pathlib.Path, times: profiles.Times
) -> None:
    """Both say so and wait; then they go on, from where they are told to."""
    async with system.System(
        kafka, topic_prefix, tmp_path, times=times, kafka_more=_SOON
    ) as running:
        ingress, worker = running.start("ingress"), running.start("worker")
        await running.ready(ingress)
        await running.ready(worker)
        truths, callbacks = assertions.sessions(running, 40)
        await system.Driver([ingress]).send(callbacks)
        await assertions.check(running, truths)

        await _delete(running, "events")
        more, callbacks = assertions.sessions(running, 40)
        driver = system.Driver([ingress])
        sending = asyncio.create_task(driver.send(callbacks))
        sentence = f"{topic_prefix}.events does not exist: run `kyc-worker topics`."
        for process in (ingress, worker):
            await _said(process, sentence, times)
        assert not await _ready(worker)
        await _idle(ingress, worker)

        # As the runbook says: nothing may be written before the workers are there.
        sending.cancel()
        ingress.popen.terminate()
        assert await asyncio.to_thread(ingress.popen.wait, 20) == 0
        await topics.create(running.settings.kafka)
        await _said(worker, '"kind":"position_lost"', times)
        worker.popen.terminate()
        assert await asyncio.to_thread(worker.popen.wait, 20) == 0
        await running.ready(running.start("worker", arguments=["--skip-lost-events"]))
        await running.ready(running.start("ingress", port=ingress.port))
        await driver.send(callbacks)
        await assertions.check(running, truths | more)

    assert {200, 503} == set(driver.statuses)


async def test_a_ledger_that_a_broker_made_again_is_not_written(
    topic_prefix: str, tmp_path: pathlib.Path, times: profiles.Times
) -> None:
    """On a broker that creates whatever is named, a deleted ledger stops the worker."""
    creating = {**times.broker_properties, "auto.create.topics.enable": "true"}
    folder = tmp_path / "system"
    folder.mkdir()
    async with (
        broker.Cluster(properties=creating) as cluster,
        system.System(
            cluster.bootstrap_servers,
            topic_prefix,
            folder,
            times=times,
            kafka_more=_SOON,
        ) as running,
    ):
        ingress, worker = running.start("ingress"), running.start("worker")
        await running.ready(ingress)
        await running.ready(worker)
        truths, callbacks = assertions.sessions(running, 20)
        await system.Driver([ingress]).send(callbacks)
        await assertions.check(running, truths)

        await _delete(running, "ledger")
        await _said(worker, f"{topic_prefix}.ledger ", times)
        await _said(worker, '"kind":"topic_mismatch"', times)
        assert not await _ready(worker)
        # Without their ledger they would be decided a second time as revision 1.
        await system.Driver([ingress]).send(callbacks)
        await _idle(worker)
        await assertions.check(running, truths)


@pytest.mark.parametrize(
    ("partitions", "policy", "sentence"),
    [(9, "compact", "partitions"), (6, "delete", "cleanup.policy")],
)
async def test_wrong_topics_are_refused(
    kafka: str,
    topic_prefix: str,
    tmp_path: pathlib.Path,
    times: profiles.Times,
    partitions: int,
    policy: str,
    sentence: str,
) -> None:
    """A ledger of the wrong shape ends a process with a sentence and exit 1."""
    client = admin.AIOKafkaAdminClient(bootstrap_servers=kafka)
    await client.start()
    try:
        wrong = admin.NewTopic(
            f"{topic_prefix}.ledger", partitions, 1, None, {"cleanup.policy": policy}
        )
        await client.create_topics([wrong])
    finally:
        await client.close()
    async with system.System(kafka, topic_prefix, tmp_path, times=times) as running:
        for process in [running.start(kind) for kind in ("ingress", "worker")]:
            assert await asyncio.to_thread(process.popen.wait, 30) == 1
            output = process.logged()
            assert f"{topic_prefix}.ledger" in output
            assert sentence in output
            assert "Traceback" not in output
