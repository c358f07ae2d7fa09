"""Kafka away, or too many requests: everybody is answered, and nothing piles up."""

import asyncio
import pathlib

import pytest

from tests.support import commands, load_client, system
from tests.support import kafka_timeouts as profiles
from worker.devkit import broker

#: more than what a garbage collector takes and gives; 4 KiB of each refused callback
#: (200 a second in the suite, 4,000 at full length) would be more
_GROWTH_MAX = 3 << 20
_CLIENTS = 200
_SLACK_S = 1.5
#: of the overload: taken at once, and sent at once
_IN_FLIGHT, _AT_ONCE = 20, 300
_ACK_S = 3.0
#: so that a busy machine's own pauses do not count
_GENEROUS_S = 0.25


async def test_an_outage_is_answered_and_leaves_nothing_behind(
    cluster: broker.Cluster,
    times: profiles.Times,
    topic_prefix: str,
    tmp_path: pathlib.Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each callback 503 with Retry-After in time, flat memory, back within 5 s."""
    now = asyncio.get_running_loop().time
    short = times is profiles.SHORT
    if short:
        monkeypatch.setenv("KYC_INGRESS__ACK_TIMEOUT", "1s")
    ack_timeout_s = 1.0 if short else 5.0
    servers = cluster.bootstrap_servers
    async with system.System(servers, topic_prefix, tmp_path, times=times) as running:
        ingress = running.start("ingress")
        await running.ready(ingress)
        traffic = load_client.Hammer(
            ingress.port, load_client.payload(running), pause_s=0.1
        )
        traffic.start(100)
        assert await _all_accepted(traffic)

        cluster.nodes[0].kill()
        crowd = load_client.Hammer(ingress.port, traffic.payload)
        crowd.start(_CLIENTS)
        await asyncio.sleep(2 * ack_timeout_s + 1)
        _ = traffic.take(), crowd.take()
        resident = load_client.resident_bytes(ingress.popen.pid)
        await asyncio.sleep(times.outage_s - 2 * ack_timeout_s - 1)
        grown = load_client.resident_bytes(ingress.popen.pid) - resident
        during = [*traffic.take(), *crowd.take()]
        await crowd.stop()

        await cluster.nodes[0].start()
        back = now()
        while not any(each.status == 200 for each in traffic.take()):
            assert now() - back < 30
            await asyncio.sleep(0.02)
        resumed = now() - back
        clean = await _all_accepted(traffic)
        await traffic.stop()
        ingress.popen.terminate()
        code = await asyncio.to_thread(ingress.popen.wait, 30)

    waited = [each.seconds for each in during]
    load_client.log_of(
        {"503 s": max(waited), "growth MiB": grown / 2**20, "resumed s": resumed},
        tmp_path,
    )
    assert {503} == {each.status for each in during}
    assert {"5"} == {each.headers.get("retry-after") for each in during}
    assert len(during) > 100
    assert load_client.percentile(waited, 0.99) < ack_timeout_s + _SLACK_S
    assert max(waited) < ack_timeout_s + 3 * _SLACK_S
    assert grown < _GROWTH_MAX
    assert resumed < 5
    assert traffic.lost == crowd.lost == []
    assert clean
    assert code == 0


async def _all_accepted(traffic: load_client.Hammer) -> bool:
    """Return whether there was a second without a refusal, at last."""
    for _ in range(20):
        traffic.take()
        await asyncio.sleep(1)
        if {each.status for each in traffic.take()} == {200}:
            return True
    return False


def _durations(process: system.Process, result: str) -> list[float]:
    """Return how long the ingress itself took for what ended with *result*."""
    found = [
        line
        for line in commands.lines(process.logged())
        if line.get("result") == result
    ]
    return [float(str(line["duration_s"])) for line in found]


async def test_the_surplus_is_shed_and_the_rest_is_as_quick(
    cluster: broker.Cluster,
    topic_prefix: str,
    tmp_path: pathlib.Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Work in flight is bounded exactly; who is too much hears so at once."""
    monkeypatch.setenv("KYC_INGRESS__MAX_IN_FLIGHT", str(_IN_FLIGHT))
    monkeypatch.setenv("KYC_INGRESS__ACK_TIMEOUT", f"{_ACK_S:.0f}s")
    servers = cluster.bootstrap_servers
    async with system.System(servers, topic_prefix, tmp_path) as running:
        ingress = running.start("ingress")
        await running.ready(ingress)
        traffic = load_client.Hammer(ingress.port, load_client.payload(running))
        calm, _ = await _load(traffic, ingress, clients=4)
        crowded, refused = await _load(traffic, ingress, clients=60)
        # The log has the first twenty a minute.
        shed = _durations(ingress, "overloaded")

        cluster.nodes[0].suspend()
        waiting = await traffic.once(_AT_ONCE)
        cluster.nodes[0].thaw()
        cut = [each for each in waiting if b"Too many requests" in each.body]

    load_client.log_of(
        {
            "calm p99 ms": 1e3 * load_client.percentile(calm, 0.99),
            "crowded p99 ms": 1e3 * load_client.percentile(crowded, 0.99),
            "accepted": len(crowded),
            "shed": refused,
            "shed p99 ms": 1e3 * load_client.percentile([e.seconds for e in cut], 0.99),
        },
        tmp_path,
    )
    assert {503} == {each.status for each in waiting}
    assert {"5"} == {each.headers.get("retry-after") for each in waiting}
    assert len(waiting) - len(cut) == _IN_FLIGHT
    assert {"close"} == {each.headers.get("connection") for each in cut}
    assert load_client.percentile([each.seconds for each in cut], 0.99) < _ACK_S / 2
    assert refused > 100
    assert shed
    assert load_client.percentile(shed, 0.5) < _GENEROUS_S
    p99 = load_client.percentile(calm, 0.99)
    assert load_client.percentile(crowded, 0.5) < 3 * p99 + _GENEROUS_S
    assert load_client.percentile(crowded, 0.99) < _ACK_S / 2
    assert traffic.lost == []


async def _load(
    traffic: load_client.Hammer, ingress: system.Process, *, clients: int
) -> tuple[list[float], int]:
    """
    Let *clients* send for two seconds.

    Returns how long accepted requests took, and how many were refused.
    """
    before = len(_durations(ingress, "accepted"))
    load = load_client.Hammer(traffic.port, traffic.payload)
    load.start(clients)
    await asyncio.sleep(2)
    await load.stop()
    traffic.lost += load.lost
    refused = sum(each.status == 503 for each in load.take())
    return _durations(ingress, "accepted")[before:], refused
