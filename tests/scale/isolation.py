"""
Measure what three ill providers cost the sessions of a fourth one.

The same processes work alone and disturbed, by turns: blocks of callbacks of the calm
source at an even rate, in every second one with callbacks of the three ill ones. After
it they are made well, and the next block waits until all that is left has ended.
"""

import asyncio
import contextlib
import dataclasses
import os
import pathlib
import sys
import time
from collections.abc import Mapping, Sequence

import aiohttp
import orjson

from tests.scale import providers
from tests.support import ports, system
from worker import errors
from worker.devkit import simulators
from worker.kafka import reader, topics

CALM = "biometric"
_PATIENCE_S = 120.0
#: the hanging one is let hang, in all the slots it may have; after each block all of
#: them heal soon
_SOURCES = """
fetch_timeout = "40s"
concurrency = 16
circuit = { open_for = "2s" }
"""
_IDBEYOND = 'provider = "idbeyond"'


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How much is sent: blocks come in pairs, alone and disturbed."""

    pairs: int
    #: callbacks of the calm source in each block
    callbacks: int
    #: of the calm source; each of the others sends a quarter of it
    per_second: float = 20.0

    @property
    def others(self) -> int:
        """Return the callbacks of each other source in a disturbed block."""
        return self.callbacks // 4


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Latencies in seconds, callback sent to decision read, and what was undecided."""

    alone: Sequence[float]
    disturbed: Sequence[float]
    #: sessions of the ill sources that were undecided when a block ended
    parked: int
    #: seconds of CPU that the worker took in the blocks of each kind
    cpu: tuple[float, float]

    @property
    def bound(self) -> float:
        """Return what the disturbed p99 may be, by promise 7."""
        return 1.5 * quantile(self.alone, 0.99) + 0.010


def quantile(values: Sequence[float], share: float) -> float:
    """Return the value that *share* of all are not above."""
    return sorted(values)[max(0, round(share * len(values)) - 1)]


class Rig:
    """One system with its providers outside, and who drives and reads it."""

    def __init__(self, running: system.System, folder: pathlib.Path) -> None:
        self._running = running
        self._folder = folder
        self._control = ports.free()
        self._sent: dict[tuple[str, str], float] = {}
        self._decided: dict[tuple[str, str], float] = {}
        self._ids: dict[str, list[str]] = {name: [] for name in running.simulators}

    def prepare(self, many: Mapping[str, int]) -> None:
        """Make so *many* sessions of each source, and tell the providers' process."""
        for name, count in many.items():
            simulator = self._running.simulators[name]
            for _ in range(count):
                self._ids[name].append(simulator.add(simulators.Scenario()))
        (self._folder / "sessions.json").write_bytes(orjson.dumps(self._ids))

    def take(self, name: str) -> str:
        """Return a session of *name* that is not sent by itself."""
        return self._ids[name].pop()

    def give_back(self, name: str, ids: Sequence[str]) -> None:
        """Let sessions that were taken be the next that are sent."""
        self._ids[name].extend(ids)

    def command(self) -> list[str]:
        """Return the arguments of the providers' process."""
        sessions = self._folder / "sessions.json"
        return [str(self._running.config), str(sessions), str(self._control)]

    async def switch(self, state: str) -> None:
        """Make three providers ``ill``, or ``well``."""
        url = f"http://127.0.0.1:{self._control}/{state}"
        async with aiohttp.ClientSession() as client, client.post(url) as response:
            assert response.status == 200

    async def read(self) -> None:
        """Take note of when each session has its first decision; runs for ever."""
        kafka = self._running.settings.kafka
        names = [kafka.topic(f"decisions.{each}") for each in system.OUTCOMES]
        while True:
            found = reader.follow(kafka, names, reader.ReadRange.FROM_BEGINNING)
            # On a busy machine a start may take too long: then it is made again.
            with contextlib.suppress(errors.KafkaUnavailable):
                async with contextlib.aclosing(found):
                    async for each in found:
                        source, _, session_id = each.record.key.decode().partition(":")
                        key = source, session_id.lower()
                        self._decided.setdefault(key, time.monotonic())

    async def send(
        self, ingress: system.Process, name: str, count: int, per_second: float
    ) -> list[tuple[str, str]]:
        """Send *count* sessions' callbacks at an even rate; return their keys."""
        ids = [self._ids[name].pop() for _ in range(count)]
        keys, begun = [(name, each.lower()) for each in ids], time.monotonic()
        async with aiohttp.ClientSession() as client, asyncio.TaskGroup() as group:
            for place, (key, session_id) in enumerate(zip(keys, ids, strict=True)):
                await asyncio.sleep(begun + place / per_second - time.monotonic())
                group.create_task(self._one(client, ingress, key, session_id))
        return keys

    async def _one(
        self,
        client: aiohttp.ClientSession,
        ingress: system.Process,
        key: tuple[str, str],
        session_id: str,
    ) -> None:
        callback = self._running.simulators[key[0]].callbacks(session_id)[-1]
        self._sent[key] = time.monotonic()
        async with client.request(
            callback.method,
            f"http://127.0.0.1:{ingress.port}{callback.path}",
            headers=dict(callback.headers),
            data=callback.body,
        ) as response:
            assert response.status == 200, response.status

    def undecided(self, keys: Sequence[tuple[str, str]]) -> int:
        """Return how many of *keys* have no decision yet."""
        return sum(key not in self._decided for key in keys)

    async def all_decided(self, keys: Sequence[tuple[str, str]]) -> None:
        """Return once each of *keys* has a decision."""
        deadline = time.monotonic() + _PATIENCE_S
        while self.undecided(keys):
            if time.monotonic() > deadline:
                text = [each.logged()[-1500:] for each in self._running.processes]
                raise AssertionError("\n".join([f"{self.undecided(keys)} left", *text]))
            await asyncio.sleep(0.02)

    def latencies(self, keys: Sequence[tuple[str, str]]) -> list[float]:
        """Return how long each of *keys* took."""
        return [self._decided[key] - self._sent[key] for key in keys]


async def measure(servers: str, prefix: str, folder: pathlib.Path, plan: Plan) -> Found:
    """Run a system of its own, and measure it by *plan*."""
    running = system.System(servers, prefix, folder, sources_more=_SOURCES)
    config = running.config.read_text()
    fetched = f'{_IDBEYOND}\nresult = "fetch"'
    running.config.write_text(config.replace(_IDBEYOND, fetched))
    await topics.create(running.settings.kafka)
    rig = Rig(running, folder)
    many = dict.fromkeys(running.simulators, plan.others * plan.pairs)
    rig.prepare(many | {CALM: plan.callbacks * (2 * plan.pairs + 1)})
    played = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.scale.providers", *rig.command())
    )
    reading = asyncio.create_task(rig.read())
    try:
        ingress, worker = running.start("ingress"), running.start("worker")
        for process in (ingress, worker):
            await running.ready(process)
        return await _blocks(rig, ingress, worker, plan)
    finally:
        reading.cancel()
        played.terminate()
        await played.wait()
        for process in running.processes:
            process.popen.kill()
            process.popen.wait()


async def _blocks(
    rig: Rig, ingress: system.Process, worker: system.Process, plan: Plan
) -> Found:
    """Send the blocks by turns; the first one only warms up."""
    alone: list[float] = []
    disturbed: list[float] = []
    parked, cpu_alone, cpu_disturbed = 0, 0.0, 0.0
    await _block(rig, ingress, plan)
    for _ in range(plan.pairs):
        begun = _cpu_s(worker)
        alone += await _block(rig, ingress, plan)
        await rig.switch("ill")
        between = _cpu_s(worker)
        sending = [
            asyncio.create_task(
                rig.send(ingress, name, plan.others, plan.per_second / 4)
            )
            for name in providers.ILL
        ]
        disturbed += await _block(rig, ingress, plan)
        others = [key for keys in await asyncio.gather(*sending) for key in keys]
        cpu_alone += between - begun
        cpu_disturbed += _cpu_s(worker) - between
        parked += rig.undecided(others)
        await rig.switch("well")
        await rig.all_decided(others)
    cpu = (cpu_alone, cpu_disturbed)
    return Found(alone=alone, disturbed=disturbed, parked=parked, cpu=cpu)


def _cpu_s(process: system.Process) -> float:
    """Return the seconds of CPU that *process* has taken so far."""
    stat = pathlib.Path(f"/proc/{process.popen.pid}/stat").read_text()
    user, kernel = stat.rpartition(")")[2].split()[11:13]
    return (int(user) + int(kernel)) / os.sysconf("SC_CLK_TCK")


async def _block(rig: Rig, ingress: system.Process, plan: Plan) -> list[float]:
    """Send one block of the calm source; return how long each callback took."""
    keys = await rig.send(ingress, CALM, plan.callbacks, plan.per_second)
    await rig.all_decided(keys)
    return rig.latencies(keys)


def lines(found: Found) -> list[str]:
    """Return *found* for people."""
    rows = {"alone": found.alone, "disturbed": found.disturbed}
    cpu = dict(zip(rows, found.cpu, strict=True))
    text = [
        f"  {name:10} p50 {quantile(took, 0.5) * 1000:7.1f} ms"
        f"   p99 {quantile(took, 0.99) * 1000:7.1f} ms   max {max(took) * 1000:7.1f} ms"
        f"   worker's CPU {cpu[name]:5.1f} s"
        for name, took in rows.items()
    ]
    ratio = quantile(found.disturbed, 0.99) / quantile(found.alone, 0.99)
    calm, ill = len(found.alone), len(found.disturbed)
    head = f"{calm:,} callbacks alone, {ill:,} beside three ill providers"
    tail = f"p99 ratio {ratio:.2f}; 1.5 x alone + 10 ms is {found.bound * 1000:.1f} ms"
    return [f"{head} ({found.parked:,} of whose sessions waited)", *text, f"  {tail}"]
