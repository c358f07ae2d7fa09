"""One worker of several whose way to the brokers is bad, on a cluster of three."""

import asyncio
import pathlib
import random

from tests.support import kafka_timeouts as profiles
from tests.support import partition_leaders, three_brokers, wire
from worker.devkit import broker


async def test_one_worker_loses_the_coordinator(
    trio: broker.Cluster, tmp_path: pathlib.Path, times: profiles.Times
) -> None:
    """
    The other takes its partitions over; healed, it comes back and decides.

    Meanwhile it believes to own them and reaches two brokers of three: only fencing
    keeps it from writing.
    """
    async with (
        three_brokers.proxies(trio) as links,
        three_brokers.scene(trio, tmp_path, times, proxied=1) as scene,
    ):
        _, other = scene.workers
        await partition_leaders.part(trio.bootstrap_servers)
        led = await partition_leaders.layout(trio.bootstrap_servers)
        async with scene.load():
            link = links[led[partition_leaders.OF_GROUPS].leader - 1]
            async with scene.fault("coordinator cut off from one worker"):
                link.black_hole()
                await scene.owns(three_brokers.PARTITIONS, other)
                await scene.decide_more()
            await link.heal()
            await scene.owns(three_brokers.PARTITIONS // 2, other)
            await scene.end(other)
            await scene.decide_more()
        await scene.check()


async def test_a_bad_link_to_every_broker(
    trio: broker.Cluster, tmp_path: pathlib.Path, times: profiles.Times
) -> None:
    """Slow, cut again and again, then gone: nothing is lost, and it comes back."""
    async with (
        three_brokers.proxies(trio) as links,
        three_brokers.scene(trio, tmp_path, times, proxied=1) as scene,
    ):
        _, other = scene.workers
        async with scene.load():
            async with scene.fault("one worker's link slow and cut again and again"):
                for link in links * 2:
                    link.throttle(200_000)
                    await link.cut()
                    await asyncio.sleep(times.session / 4000)
            async with scene.fault("one worker without any broker"):
                for link in links:
                    await link.refuse()
                await scene.owns(three_brokers.PARTITIONS, other)
                await scene.decide_more()
            for link in links:
                await link.heal()
            await scene.owns(three_brokers.PARTITIONS // 2, other)
            await scene.end(other)
            await scene.decide_more()
        await scene.check()


async def test_ends_of_transactions_arrive_within_the_next_ones(
    trio: broker.Cluster, tmp_path: pathlib.Path, times: profiles.Times
) -> None:
    """
    A third of all EndTxn requests is held, repeated, and delivered up to 1 s later.

    Every session keeps its ledger and its decisions together: the workers replace
    each producer whose request is still on its way.
    """
    async with (
        three_brokers.proxies(trio) as links,
        three_brokers.scene(trio, tmp_path, times, proxied=2) as scene,
    ):
        async with (
            scene.load(),
            scene.fault("ends of transactions held, repeated and late"),
        ):
            for link in links:
                link.weather = wire.Weather(
                    chance=random.Random(1),
                    hurt_share=0.3,
                    fates=(wire.Fate.HELD_AND_RESET,),
                    keys=frozenset({wire.END_TXN}),
                    late_s=(0.05, 1.0),
                    latency_s=0.02,
                )
            await asyncio.sleep(times.frozen_s)
            for link in links:
                link.clear()
            await scene.decide_more()
        await scene.check()
        assert any("producer_retired" in each.logged() for each in scene.workers)
    assert sum(each.counts["late requests delivered"] for each in links) > 5


async def test_a_broker_is_silent_for_longer_than_its_clients_wait(
    trio: broker.Cluster, tmp_path: pathlib.Path, times: profiles.Times
) -> None:
    """Each in turn; what was sent meanwhile arrives after its clients asked again."""
    async with (
        three_brokers.proxies(trio) as links,
        three_brokers.scene(trio, tmp_path, times, proxied=2) as scene,
    ):
        answer_timeout_s = scene.running.settings.kafka.answer_timeout / 1000
        async with scene.load():
            for link in links:
                async with scene.fault("a broker silent for longer than clients wait"):
                    link.weather = wire.Weather(late_s=(0.05, 1.0))
                    link.black_hole()
                    await asyncio.sleep(answer_timeout_s + 0.5)
                    await link.heal()
                    await scene.decide_more()
        await scene.check()
