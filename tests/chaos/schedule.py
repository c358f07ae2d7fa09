"""Kill and freeze processes and brokers by a seeded schedule, and bring them back."""

import asyncio
import collections
import dataclasses
import random
import signal
from collections.abc import Sequence

from tests.chaos import actions, network
from tests.support import system
from worker.devkit import broker


@dataclasses.dataclass(slots=True, kw_only=True)
class Chaos:
    """
    Hurts a process, a broker and the network at a time, each by its own schedule.

    So a worker dies while a broker does, but two brokers of three are always well.
    """

    running: system.System
    cluster: broker.Cluster
    network: network.Network
    #: how processes that are started anew reach the brokers, and what they run
    servers: str
    module: Sequence[str]
    seed: int
    ingresses: list[system.Process] = dataclasses.field(default_factory=list)
    workers: list[system.Process] = dataclasses.field(default_factory=list)
    counts: collections.Counter[str] = dataclasses.field(
        default_factory=collections.Counter
    )

    async def run(self, seconds: float) -> None:
        """Hurt until *seconds* are over; everything is back when this returns."""
        until = asyncio.get_running_loop().time() + seconds
        processes: dict[actions.Act, int] = {
            self._kill_worker: 5,
            self._freeze_worker: 3,
            self._kill_ingress: 2,
            self._freeze_ingress: 1,
        }
        brokers: dict[actions.Act, int] = {self._kill_broker: 2, self._freeze_broker: 1}
        await asyncio.gather(
            actions.act(
                processes, random.Random(f"{self.seed} processes"), until, pause_s=2
            ),
            actions.act(
                brokers, random.Random(f"{self.seed} brokers"), until, pause_s=5
            ),
            self.network.run(seconds),
        )
        self.counts.update(self.network.counts)

    def start(self, kind: str, *, port: int | None = None) -> system.Process:
        """Start a process that reaches the brokers through the network."""
        return self.running.start(
            kind, port=port, servers=self.servers, module=self.module
        )

    def ended(self) -> list[str]:
        """Return what runs no more although nobody killed it, with its last words."""
        return [
            f"{each.kind} ended with {each.popen.returncode}: {each.logged()[-1000:]}"
            for each in (*self.ingresses, *self.workers)
            if each.popen.poll() is not None
        ]

    async def _kill_worker(self, chance: random.Random) -> None:
        place = chance.randrange(len(self.workers))
        self._kill(self.workers[place], "worker kills")
        await asyncio.sleep(chance.uniform(0, 3))
        self.workers[place] = self.start("worker")

    async def _kill_ingress(self, chance: random.Random) -> None:
        place = chance.randrange(len(self.ingresses))
        killed = self.ingresses[place]
        self._kill(killed, "ingress kills")
        await asyncio.sleep(chance.uniform(0, 2))
        self.ingresses[place] = self.start("ingress", port=killed.port)

    async def _freeze_worker(self, chance: random.Random) -> None:
        self.counts["worker freezes"] += 1
        await _freeze(chance.choice(self.workers), chance.uniform(1, 5))

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
        node.suspend()
        await asyncio.sleep(chance.uniform(1, 5))
        node.thaw()

    def _kill(self, process: system.Process, counted: str) -> None:
        """Kill *process*, unless it is dead: that is ``ended``'s to tell."""
        if process.popen.poll() is not None:
            raise AssertionError(f"a process ended by itself: {self.ended()}")
        self.counts[counted] += 1
        process.popen.kill()
        process.popen.wait()


async def _freeze(process: system.Process, seconds: float) -> None:
    process.popen.send_signal(signal.SIGSTOP)
    await asyncio.sleep(seconds)
    process.popen.send_signal(signal.SIGCONT)
