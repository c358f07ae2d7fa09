"""Hurt the processes of a whole system, and find nothing lost and nothing twice."""

import asyncio
import pathlib
import signal

import aiohttp
import pytest
from aiokafka import admin

from tests.support import system
from tests.support import times as profiles
from worker import broker, model, simulators


def _sessions(
    running: system.System, count: int, *, latency_s: float = 0.0
) -> tuple[dict[tuple[str, str], str], list[simulators.OutgoingCallback]]:
    """Return sessions of Biometric and id beyond, and their callbacks."""
    truths: dict[tuple[str, str], str] = {}
    callbacks: list[simulators.OutgoingCallback] = []
    for number in range(count):
        name = ("biometric", "idbeyond")[number % 2]
        outcome = (model.Outcome.APPROVED, model.Outcome.REJECTED)[number % 3 % 2]
        simulator = running.simulators[name]
        session_id = simulator.add(
            simulators.Scenario(outcome=outcome, latency_s=latency_s)
        )
        truths[name, session_id] = outcome
        callbacks += simulator.callbacks(session_id)
    return truths, callbacks


async def _check(running: system.System, truths: dict[tuple[str, str], str]) -> None:
    """Fail unless each session gets the one decision that it must have."""
    found: dict[tuple[str, str], list[dict[str, object]]] = {}
    for _ in range(300):
        found = await running.decisions()
        if set(truths) <= set(found):
            break
        await asyncio.sleep(0.1)
    told = {
        key: [(d["revision"], d["outcome"]) for d in history]
        for key, history in found.items()
    }
    assert {key: [(1, outcome)] for key, outcome in truths.items()} == told


async def test_workers_come_and_go(
    kafka: str, topic_prefix: str, tmp_path: pathlib.Path, times: profiles.Times
) -> None:
    """Workers that join and leave under load lose nothing and repeat nothing."""
    async with system.System(kafka, topic_prefix, tmp_path, times=times) as running:
        ingress, first = running.start("ingress"), running.start("work")
        await running.ready(ingress)
        await running.ready(first)
        truths, callbacks = _sessions(running, 200, latency_s=0.02)
        driver = system.Driver([ingress], at_once=4)
        sending = asyncio.create_task(driver.send(callbacks))
        others = [running.start("work") for _ in range(2)]
        for process in others:
            await running.ready(process)
        others[0].popen.terminate()
        assert await asyncio.to_thread(others[0].popen.wait, 20) == 0
        first.popen.terminate()
        assert await asyncio.to_thread(first.popen.wait, 20) == 0
        await sending
        await _check(running, truths)


async def test_a_frozen_worker_is_a_zombie_that_writes_nothing(
    kafka: str, topic_prefix: str, tmp_path: pathlib.Path, times: profiles.Times
) -> None:
    """A worker that wakes after its successor took over adds nothing, and goes on."""
    async with system.System(kafka, topic_prefix, tmp_path, times=times) as running:
        ingress = running.start("ingress")
        workers = [running.start("work") for _ in range(2)]
        for process in (ingress, *workers):
            await running.ready(process)
        truths, callbacks = _sessions(running, 60, latency_s=0.3)
        driver = system.Driver([ingress], at_once=8)
        sending = asyncio.create_task(driver.send(callbacks))
        await asyncio.sleep(0.3)
        workers[0].popen.send_signal(signal.SIGSTOP)
        await sending
        await _check(running, truths)
        workers[0].popen.send_signal(signal.SIGCONT)
        more, callbacks = _sessions(running, 60)
        await driver.send(callbacks)
        await _check(running, truths | more)
        workers[1].popen.kill()
        last, callbacks = _sessions(running, 20)
        await driver.send(callbacks)
        await _check(running, truths | more | last)
        assert workers[0].popen.poll() is None


async def _status(url: str) -> tuple[int, str | None]:
    async with aiohttp.ClientSession() as client, client.get(url) as response:
        return response.status, response.headers.get("Retry-After")


async def test_kafka_away_at_the_start_and_later(
    topic_prefix: str, tmp_path: pathlib.Path, times: profiles.Times
) -> None:
    """Without Kafka an ingress lives and waits; a callback then gets 503, not 4xx."""
    properties = times.broker_properties
    async with broker.Cluster(properties=properties) as cluster:
        folder = tmp_path / "system"
        folder.mkdir()
        async with system.System(
            cluster.bootstrap_servers, topic_prefix, folder, times=times
        ) as running:
            cluster.nodes[0].kill()
            ingress = running.start("ingress")
            base = f"http://127.0.0.1:{ingress.admin_port}"
            for _ in range(100):
                try:
                    live, _ = await _status(f"{base}/livez")
                    break
                except aiohttp.ClientError:
                    await asyncio.sleep(0.1)
            else:
                pytest.fail("the admin port never answered")
            assert 200 == live  # noqa: SIM300 -- expected first
            assert (await _status(f"{base}/readyz"))[0] == 503
            await cluster.nodes[0].start()
            await running.ready(ingress)

            truths, callbacks = _sessions(running, 1)
            cluster.nodes[0].kill()
            begun = asyncio.get_running_loop().time()
            async with (
                aiohttp.ClientSession() as client,
                client.post(
                    f"http://127.0.0.1:{ingress.port}{callbacks[-1].path}",
                    data=callbacks[-1].body,
                    headers=dict(callbacks[-1].headers),
                ) as response,
            ):
                assert response.status == 503
                assert response.headers["Retry-After"].isdecimal()
            assert asyncio.get_running_loop().time() - begun < 6
            await cluster.nodes[0].start()
            worker = running.start("work")
            await system.Driver([ingress]).send(callbacks)
            await running.ready(worker)
            await _check(running, truths)


@pytest.mark.parametrize(
    ("partitions", "policy", "sentence"),
    [(3, "compact", "partitions"), (6, "delete", "cleanup.policy")],
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
    """A ledger of the wrong shape ends the worker with a sentence and exit 1."""
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
        for kind in ("ingress", "work"):
            process = running.start(kind)
            assert await asyncio.to_thread(process.popen.wait, 30) == 1
            told = process.logged()
            assert f"{topic_prefix}.ledger" in told
            assert sentence in told
            assert "Traceback" not in told
