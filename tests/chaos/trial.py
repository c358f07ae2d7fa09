"""Play one seed: traffic as providers send it, chaos over all of it, then the check."""

import asyncio
import collections
import contextlib
import dataclasses
import pathlib
import random

import aiohttp
import orjson

from tests.chaos import checker, schedule
from tests.support import system
from worker import broker, model, simulators

_OUTCOMES = (model.Outcome.APPROVED, model.Outcome.APPROVED, model.Outcome.REJECTED)
_SETTLE_S = 90.0
_ATTEMPTS = 60
_WORKERS, _INGRESSES = 3, 2


@dataclasses.dataclass(slots=True)
class Report:
    """What one seed has shown."""

    seed: int
    callbacks: int = 0
    sessions: int = 0
    decisions: int = 0
    hurt: collections.Counter[str] = dataclasses.field(
        default_factory=collections.Counter
    )
    dead: collections.Counter[str] = dataclasses.field(
        default_factory=collections.Counter
    )
    settled_s: float = 0.0
    violations: list[str] = dataclasses.field(default_factory=list)


@dataclasses.dataclass(slots=True, kw_only=True)
class Traffic:
    """Begins sessions and sends their callbacks, again until they are taken."""

    running: system.System
    ports: list[int]
    seed: int
    expected: dict[checker.Key, checker.Expected] = dataclasses.field(
        default_factory=dict
    )
    acknowledged: list[str] = dataclasses.field(default_factory=list)
    taken: int = 0

    async def run(self, seconds: float, rate: float) -> None:
        """Begin *rate* sessions a second for *seconds*; return when all is answered."""
        chance = random.Random(self.seed)
        end = asyncio.get_running_loop().time() + seconds
        names = sorted(self.running.simulators)
        timeout = aiohttp.ClientTimeout(total=8)
        async with (
            aiohttp.ClientSession(timeout=timeout) as client,
            asyncio.TaskGroup() as sending,
        ):
            while asyncio.get_running_loop().time() < end:
                await asyncio.sleep(chance.expovariate(rate))
                name = chance.choice(names)
                sending.create_task(self._session(client, name, _scenario(chance)))

    async def _session(
        self, client: aiohttp.ClientSession, name: str, scenario: simulators.Scenario
    ) -> None:
        simulator = self.running.simulators[name]
        session_id = simulator.add(scenario)
        truth = simulator.truth(session_id)
        assert truth is not None
        folded = session_id.lower() if name == "idnow" else session_id
        for callback in simulator.callbacks(session_id):
            await asyncio.sleep(callback.delay_s)
            await self._deliver(client, callback)
        self.expected[name, folded] = checker.Expected(
            outcome=str(truth.outcome), heard=True, unknown_word=scenario.unknown_word
        )

    async def _deliver(
        self, client: aiohttp.ClientSession, callback: simulators.OutgoingCallback
    ) -> None:
        for attempt in range(_ATTEMPTS):
            port = self.ports[attempt % len(self.ports)]
            with contextlib.suppress(aiohttp.ClientError, TimeoutError):
                async with client.request(
                    callback.method,
                    f"http://127.0.0.1:{port}{callback.path}",
                    headers=dict(callback.headers),
                    data=callback.body,
                ) as response:
                    if response.status == 200:
                        answer = orjson.loads(await response.read())
                        if answer["status"] == "accepted":
                            self.acknowledged.append(answer["event_id"])
                        self.taken += 1
                        return
                    assert response.status == 503, response.status
            await asyncio.sleep(min(0.1 * 2**attempt, 2))
        raise AssertionError("a callback was never taken")


def _scenario(chance: random.Random) -> simulators.Scenario:
    trouble = chance.random()
    return simulators.Scenario(
        outcome=chance.choice(_OUTCOMES),
        latency_s=chance.choice((0.0, 0.0, 0.05, 0.5)),
        repeat=int(chance.random() < 0.2),
        reorder=chance.random() < 0.1,
        not_ready=int(trouble < 0.1),
        errors=2 * int(0.1 <= trouble < 0.2),
        pending_first=int(0.2 <= trouble < 0.3),
        unknown_word=0.3 <= trouble < 0.35,
        callback_delay_s=chance.choice((0.0, 0.2)),
    )


async def play(
    seed: int, seconds: float, folder: pathlib.Path, *, rate: float = 12.0
) -> Report:
    """Play *seed* for *seconds* on three brokers of its own, and check everything."""
    prefix = f"chaos{seed}"
    async with broker.Cluster(nodes=3) as cluster:
        servers = cluster.bootstrap_servers
        async with system.System(servers, prefix, folder, replicated=True) as running:
            ingresses = [running.start("ingress") for _ in range(_INGRESSES)]
            workers = [running.start("work") for _ in range(_WORKERS)]
            for process in (*ingresses, *workers):
                await running.ready(process)
            chaos = schedule.Chaos(
                running=running,
                cluster=cluster,
                ingresses=ingresses,
                workers=workers,
                seed=seed,
            )
            traffic = Traffic(
                running=running, ports=[each.port for each in ingresses], seed=seed
            )
            hurting = asyncio.create_task(chaos.run(seconds))
            await traffic.run(seconds, rate)
            await hurting
            return await _report(servers, prefix, seed, traffic, chaos)


async def _report(
    servers: str, prefix: str, seed: int, traffic: Traffic, chaos: schedule.Chaos
) -> Report:
    """Give the system time to settle, then count what is broken."""
    loop = asyncio.get_running_loop()
    begun = loop.time()
    while True:
        found = await checker.read(servers, prefix)
        broken = checker.violations(found, traffic.expected, traffic.acknowledged)
        if not broken or loop.time() - begun > _SETTLE_S:
            break
        await asyncio.sleep(1)
    return Report(
        seed=seed,
        callbacks=traffic.taken,
        sessions=len(traffic.expected),
        decisions=sum(map(len, found.histories.values())),
        hurt=chaos.counts,
        dead=found.dead,
        settled_s=loop.time() - begun,
        violations=broken,
    )
