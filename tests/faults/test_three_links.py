"""One worker of several whose way to the brokers is bad, on a cluster of three."""

import asyncio
import pathlib

from tests.support import leaders, three
from tests.support import times as profiles
from worker import broker


async def test_one_worker_loses_the_coordinator(
    trio: broker.Cluster, tmp_path: pathlib.Path, times: profiles.Times
) -> None:
    """
    The other takes its partitions over; healed, it comes back and decides.

    Meanwhile it believes to own them and reaches two brokers of three: only fencing
    keeps it from writing.
    """
    async with (
        three.proxies(trio) as links,
        three.scene(trio, tmp_path, times, proxied=1) as scene,
    ):
        _, other = scene.workers
        await leaders.part(trio.bootstrap_servers)
        led = await leaders.layout(trio.bootstrap_servers)
        async with scene.load():
            link = links[led[leaders.OF_GROUPS].leader - 1]
            async with scene.fault("coordinator cut off from one worker"):
                link.black_hole()
                await scene.owns(three.PARTITIONS, other)
                await scene.decide_more()
            await link.heal()
            await scene.owns(three.PARTITIONS // 2, other)
            await scene.end(other)
            await scene.decide_more()
        await scene.check()


async def test_a_bad_link_to_every_broker(
    trio: broker.Cluster, tmp_path: pathlib.Path, times: profiles.Times
) -> None:
    """Slow, cut again and again, then gone: nothing is lost, and it comes back."""
    async with (
        three.proxies(trio) as links,
        three.scene(trio, tmp_path, times, proxied=1) as scene,
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
                await scene.owns(three.PARTITIONS, other)
                await scene.decide_more()
            for link in links:
                await link.heal()
            await scene.owns(three.PARTITIONS // 2, other)
            await scene.end(other)
            await scene.decide_more()
        await scene.check()
