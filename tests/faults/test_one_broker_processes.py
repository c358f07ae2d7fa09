"""Hurt the processes of a whole system, and find nothing lost and nothing twice."""

import asyncio
import dataclasses
import pathlib
import signal

import aiohttp
import pytest

from tests.support import assertions, system
from tests.support import kafka_timeouts as profiles
from worker.devkit import broker


async def test_workers_come_and_go(
    kafka: str, topic_prefix: str, tmp_path: pathlib.Path, times: profiles.Times
) -> None:
    """Workers that join and leave under load lose nothing and repeat nothing."""
    async with system.System(kafka, topic_prefix, tmp_path, times=times) as running:
        ingress, first = running.start("ingress"), running.start("worker")
        await running.ready(ingress)
        await running.ready(first)
        truths, callbacks = assertions.sessions(running, 200, latency_s=0.02)
        driver = system.Driver([ingress], at_once=4)
        sending = asyncio.create_task(driver.send(callbacks))
        others = [running.start("worker") for _ in range(2)]
        for process in others:
            await running.ready(process)
        others[0].popen.terminate()
        assert await asyncio.to_thread(others[0].popen.wait, 20) == 0
        first.popen.terminate()
        assert await asyncio.to_thread(first.popen.wait, 20) == 0
        await sending
        await assertions.check(running, truths)


async def test_a_frozen_worker_is_a_zombie_that_writes_nothing(
    kafka: str, topic_prefix: str, tmp_path: pathlib.Path, times: profiles.Times
) -> None:
    """A worker that wakes after its successor took over adds nothing, and goes on."""
    async with system.System(kafka, topic_prefix, tmp_path, times=times) as running:
        ingress = running.start("ingress")
        workers = [running.start("worker") for _ in range(2)]
        for process in (ingress, *workers):
            await running.ready(process)
        truths, callbacks = assertions.sessions(running, 60, latency_s=0.3)
        driver = system.Driver([ingress], at_once=8)
        sending = asyncio.create_task(driver.send(callbacks))
        await asyncio.sleep(0.3)
        workers[0].popen.send_signal(signal.SIGSTOP)
        await sending
        await assertions.check(running, truths)
        workers[0].popen.send_signal(signal.SIGCONT)
        more, callbacks = assertions.sessions(running, 60)
        await driver.send(callbacks)
        await assertions.check(running, truths | more)
        workers[1].popen.kill()
        last, callbacks = assertions.sessions(running, 20)
        await driver.send(callbacks)
        await assertions.check(running, truths | more | last)
        assert workers[0].popen.poll() is None


async def _status(url: str) -> tuple[int, str | None]:
    async with aiohttp.ClientSession() as client, client.get(url) as response:
        return response.status, response.headers.get("Retry-After")


async def test_kafka_away_at_the_start_and_later(
    topic_prefix: str, tmp_path: pathlib.Path, times: profiles.Times
) -> None:
    """Without Kafka an ingress lives and waits; a callback then gets 503, not 4xx."""
    # A broker that is alone waits for the end of its own session before it is back.
    alone = dataclasses.replace(times, broker_session=times.broker_session // 3)
    properties = alone.broker_properties
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

            truths, callbacks = assertions.sessions(running, 1)
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
            worker = running.start("worker")
            await system.Driver([ingress]).send(callbacks)
            await running.ready(worker)
            await assertions.check(running, truths)
