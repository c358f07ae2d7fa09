"""Load the whole system, kill a worker in the middle, and count every session."""

import asyncio
import pathlib
import random
import signal
import time
from collections.abc import Iterator

import pytest

from tests.support import system
from worker import model
from worker.devkit import simulators
from worker.kafka import reader

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(900)]

_OUTCOMES = (model.Outcome.APPROVED, model.Outcome.APPROVED, model.Outcome.REJECTED)
_REPEATED = 0.2


def _scenarios(seed: int) -> Iterator[simulators.Scenario]:
    chance = random.Random(seed)
    while True:
        trouble = chance.random()
        yield simulators.Scenario(
            outcome=chance.choice(_OUTCOMES),
            repeat=int(chance.random() < _REPEATED),
            not_ready=int(trouble < 0.05),
            errors=int(0.05 <= trouble < 0.08),
            pending_first=int(0.08 <= trouble < 0.12),
            reorder=chance.random() < 0.1,
        )


def _plan(
    running: system.System, wanted: int
) -> tuple[dict[tuple[str, str], str], list[simulators.OutgoingCallback]]:
    """Return the sessions with what they must end in, and all their callbacks."""
    chance, scenarios = random.Random(1), _scenarios(2)
    truths: dict[tuple[str, str], str] = {}
    callbacks: list[simulators.OutgoingCallback] = []
    names = sorted(running.simulators)
    while len(callbacks) < wanted:
        name = names[len(truths) % len(names)]
        simulator = running.simulators[name]
        session_id = simulator.add(next(scenarios))
        truth = simulator.truth(session_id)
        assert truth is not None
        folded = session_id.lower() if name == "idnow" else session_id
        truths[name, folded] = truth.outcome
        callbacks += simulator.callbacks(session_id)
    chance.shuffle(callbacks)
    return truths, callbacks


async def _settled(
    running: system.System, truths: dict[tuple[str, str], str], patience_s: float
) -> dict[tuple[str, str], list[dict[str, object]]]:
    """Return the decisions once every session ended as it must, or time is over."""
    deadline = time.monotonic() + patience_s
    while True:
        found = await running.decisions()
        missing = [
            key
            for key, outcome in truths.items()
            if not found.get(key) or found[key][-1]["outcome"] != outcome
        ]
        if not missing or time.monotonic() > deadline:
            return found
        await asyncio.sleep(0.5)


async def test_every_session_once_whatever_is_killed(
    kafka: str,
    topic_prefix: str,
    tmp_path: pathlib.Path,
    callbacks_wanted: int,
) -> None:
    """Two ingresses, three workers, one killed: each session ends once, and rightly."""
    async with system.System(kafka, topic_prefix, tmp_path) as running:
        ingresses = [running.start("ingress") for _ in range(2)]
        workers = [running.start("worker") for _ in range(3)]
        for process in (*ingresses, *workers):
            await running.ready(process)
        truths, callbacks = _plan(running, callbacks_wanted)
        driver = system.Driver(ingresses)
        half = len(callbacks) // 2
        begun = time.monotonic()
        await driver.send(callbacks[:half])
        sending = asyncio.create_task(driver.send(callbacks[half:]))
        await asyncio.sleep(0.2)
        workers[1].popen.send_signal(signal.SIGKILL)
        await sending
        sent_s = time.monotonic() - begun
        found = await _settled(running, truths, 60 + callbacks_wanted / 100)
        took_s = time.monotonic() - begun

        assert set(driver.statuses) == {200}
        assert driver.acknowledged == len(callbacks)
        assert set(truths) == set(found)
        for key, history in found.items():
            revisions = [decision["revision"] for decision in history]
            assert list(range(1, len(history) + 1)) == revisions, key
            finals = [d for d in history if d["final"]]
            assert [truths[key]] == [d["outcome"] for d in finals], key
        await _nothing_in_doubt(running)
        for process in (*ingresses, workers[0], workers[2]):
            process.popen.terminate()
        for process in (*ingresses, workers[0], workers[2]):
            assert process.popen.wait(20) == 0, process.logged()[-2000:]
        counted = f"{len(callbacks)} callbacks of {len(truths)} sessions"
        print(f"\n{counted}: sent in {sent_s:.1f} s, decided in {took_s:.1f} s")  # noqa: T201 -- the figure of `make soak`


async def _nothing_in_doubt(running: system.System) -> None:
    """Fail where anything went to the dead letters."""
    kafka = running.settings.kafka
    dead = [
        each.record.value
        async for each in reader.follow(
            kafka, [kafka.topic("dlq")], reader.ReadRange.UNTIL_END
        )
    ]
    assert dead == []
