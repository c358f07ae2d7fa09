"""One session's result crashes the mapping, or kills the process: it alone suffers."""

import asyncio
import pathlib
import time
import uuid

import orjson
import pytest

from tests.support import kafka_timeouts as profiles
from tests.support import system
from worker.devkit import simulators
from worker.kafka import reader

_NEIGHBOURS = 40
#: lives of the process: two before it is careful, the attempts, and some to spare
_LIVES_MAX = 8
#: what a neighbour waits for a life at the most; a busy machine is slow to start one
_PATIENCE_S = 15.0


class _Lives:
    """A worker that is started again whenever it ends, as an orchestrator does."""

    def __init__(self, running: system.System, how: str, session_id: str) -> None:
        self._running = running
        self._module = ["tests.support.poison_pill", how, session_id]
        self.lived = 0

    async def go_on(self) -> None:
        """Start the worker again and again."""
        while True:
            self.lived += 1
            process = self._running.start("worker", module=self._module)
            await asyncio.to_thread(process.popen.wait)


async def _letters(running: system.System) -> list[tuple[str, str]]:
    """Return the dead letters: reason and session."""
    kafka = running.settings.kafka
    found = reader.follow(kafka, [kafka.topic("dlq")], reader.ReadRange.UNTIL_END)
    held = [orjson.loads(each.record.value or b"{}") async for each in found]
    return [(letter["reason"], letter["session_id"]) for letter in held]


def _callbacks(
    running: system.System, ids: list[str]
) -> list[simulators.OutgoingCallback]:
    simulator = running.simulators["biometric"]
    for session_id in ids:
        simulator.add(simulators.Scenario(latency_s=0.05), session_id)
    return [each for one in ids for each in simulator.callbacks(one)]


async def _decisions(running: system.System) -> dict[str, list[tuple[object, ...]]]:
    """Return every session's decisions."""
    return {
        session_id: [(d["revision"], d["outcome"], d["reason"]) for d in history]
        for (_, session_id), history in (await running.decisions()).items()
    }


def _life_s(times: profiles.Times) -> float:
    """Return how long one life may hold its neighbours up: see below."""
    return _PATIENCE_S + times.session / 1000


async def _decided(running: system.System, ids: list[str]) -> None:
    """Return once each of *ids* has a decision."""
    async with asyncio.timeout(_LIVES_MAX * _life_s(running.times)):
        while not set(ids) <= set(await _decisions(running)):  # noqa: ASYNC110 -- no event to wait for
            await asyncio.sleep(0.05)


@pytest.mark.parametrize("how", ["crash", "kill"])
async def test_a_poisoned_session_is_quarantined_and_no_other(
    kafka: str,
    topic_prefix: str,
    tmp_path: pathlib.Path,
    times: profiles.Times,
    how: str,
) -> None:
    """It ends as a dead letter; each neighbour is decided once, and rightly."""
    poisoned = str(uuid.uuid4())
    neighbours = [str(uuid.uuid4()) for _ in range(_NEIGHBOURS)]
    async with system.System(
        kafka, topic_prefix, tmp_path, partitions=1, times=times
    ) as running:
        ingress = running.start("ingress")
        lives = _Lives(running, how, poisoned)
        living = asyncio.create_task(lives.go_on())
        try:
            await running.ready(ingress)
            await running.ready(running.processes[-1])
            driver = system.Driver([ingress], at_once=4)
            middle = _NEIGHBOURS // 2
            ids = [*neighbours[:middle], poisoned, *neighbours[middle:]]
            callbacks = _callbacks(running, ids)
            begun = time.monotonic()
            await driver.send(callbacks)
            await _decided(running, neighbours)
            waited = time.monotonic() - begun
            while not await _letters(running):
                assert lives.lived <= _LIVES_MAX
                await asyncio.sleep(0.1)
            result = await _decisions(running)
        finally:
            living.cancel()

        assert await _letters(running) == [("quarantined", poisoned)]
        expected = {each: [(1, "approved", "verified")] for each in neighbours}
        expected[poisoned] = [(1, "pending", "unrecognised_result")]
        assert expected == result
        assert (lives.lived == 1) is (how == "crash")
        # A life that was killed is noticed once its session in the group is over.
        assert waited < _life_s(times) * lives.lived
        print(f"\n{how}: {lives.lived} lives, neighbours waited {waited:.2f} s")  # noqa: T201 -- the figure
