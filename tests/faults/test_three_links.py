"""One worker of several whose way to the brokers is bad, on a cluster of three."""

import asyncio
import pathlib

import pytest

from tests.support import leaders, three
from tests.support import times as profiles
from worker import broker


@pytest.mark.parametrize("how", ["black hole", "refusal"])
async def test_one_worker_loses_the_coordinator(
    trio: broker.Cluster, tmp_path: pathlib.Path, times: profiles.Times, how: str
) -> None:
    """The others take its partitions over; healed, it comes back and decides."""
    async with (
        three.proxies(trio) as links,
        three.scene(trio, tmp_path, times, workers=2, proxied=1) as scene,
    ):
        cut_off, other = scene.workers
        led = await leaders.layout(trio.bootstrap_servers)
        link = links[led[leaders.OF_GROUPS].leader - 1]
        async with scene.load():
            async with scene.fault(f"coordinator cut off from one worker, {how}"):
                if how == "refusal":
                    await link.refuse()
                else:
                    link.black_hole()
                await scene.owns(three.PARTITIONS, other)
                await scene.decide_more()
                await scene.owns(0, cut_off)
            await link.heal()
            await scene.owns(three.PARTITIONS // 2, cut_off)
            await scene.end(other)
            await scene.decide_more()
        await scene.check()
        assert link.passed > 0


async def test_a_bad_link_to_every_broker(
    trio: broker.Cluster, tmp_path: pathlib.Path, times: profiles.Times
) -> None:
    """Slow, cut again and again, then gone: nothing is lost, and it comes back."""
    async with (
        three.proxies(trio) as links,
        three.scene(trio, tmp_path, times, workers=2, proxied=1) as scene,
    ):
        cut_off, other = scene.workers
        async with scene.load():
            async with scene.fault("one worker's link slow and cut again and again"):
                for link in links * 3:
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
            await scene.owns(three.PARTITIONS // 2, cut_off)
            await scene.end(other)
            await scene.decide_more()
        await scene.check()
