"""Kill and freeze processes and brokers by a seeded schedule, and bring them back."""

import asyncio
import collections
import dataclasses
import random
import signal

from tests.support import system
from worker import broker


@dataclasses.dataclass(slots=True, kw_only=True)
class Chaos:
    """Hurts one thing after the other; a broker only while the others are well."""

    running: system.System
    cluster: broker.Cluster
    ingresses: list[system.Process]
    workers: list[system.Process]
    seed: int
    counts: collections.Counter[str] = dataclasses.field(
        default_factory=collections.Counter
    )

    async def run(self, seconds: float) -> None:
        """Hurt until *seconds* are over; everything is back when this returns."""
        chance = random.Random(self.seed)
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        acts = (
            (self._kill_worker, 5),
            (self._freeze_worker, 3),
            (self._kill_ingress, 2),
            (self._freeze_ingress, 1),
            (self._kill_broker, 2),
            (self._freeze_broker, 1),
        )
        while loop.time() < end:
            await asyncio.sleep(chance.uniform(0.5, 3))
            act = chance.choices([a for a, _ in acts], [w for _, w in acts])[0]
            await act(chance)

    async def _kill_worker(self, chance: random.Random) -> None:
        place = chance.randrange(len(self.workers))
        self.counts["worker kills"] += 1
        self._kill(self.workers[place])
        await asyncio.sleep(chance.uniform(0, 3))
        self.workers[place] = self.running.start("work")

    async def _freeze_worker(self, chance: random.Random) -> None:
        self.counts["worker freezes"] += 1
        await _freeze(chance.choice(self.workers), chance.uniform(1, 5))

    async def _kill_ingress(self, chance: random.Random) -> None:
        place = chance.randrange(len(self.ingresses))
        self.counts["ingress kills"] += 1
        port = self.ingresses[place].port
        self._kill(self.ingresses[place])
        await asyncio.sleep(chance.uniform(0, 2))
        self.ingresses[place] = self.running.start("ingress", port=port)

    async def _freeze_ingress(self, chance: random.Random) -> None:
        self.counts["ingress freezes"] += 1
        await _freeze(chance.choice(self.ingresses), chance.uniform(0.5, 3))

    async def _kill_broker(self, chance: random.Random) -> None:
        node = chance.choice(self.cluster.nodes)
        self.counts["broker kills"] += 1
        node.kill()
        await asyncio.sleep(chance.uniform(1, 4))
        await node.start()

    async def _freeze_broker(self, chance: random.Random) -> None:
        node = chance.choice(self.cluster.nodes)
        self.counts["broker freezes"] += 1
        node.freeze()
        await asyncio.sleep(chance.uniform(1, 5))
        node.thaw()

    def _kill(self, process: system.Process) -> None:
        process.popen.kill()
        process.popen.wait()


async def _freeze(process: system.Process, seconds: float) -> None:
    process.popen.send_signal(signal.SIGSTOP)
    await asyncio.sleep(seconds)
    process.popen.send_signal(signal.SIGCONT)
