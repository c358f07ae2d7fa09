"""The ingress knows a new source before the worker does: nothing is lost."""

import asyncio
import contextlib
import pathlib
import signal
import subprocess
import sys

import orjson

from tests.support import kafka_timeouts as profiles
from tests.support import system
from worker.devkit import simulators
from worker.kafka import reader

_NEW = "idbeyond"  # its signed callback is its only result, and comes once


async def _until(running: system.System, expected: set[tuple[str, str]]) -> None:
    """Return once exactly the sessions *expected* are approved."""
    found: dict[tuple[str, str], list[dict[str, object]]] = {}
    for _ in range(300):
        found = await running.decisions()
        if {key for key, all_ in found.items() if _approved(all_)} == expected:
            return
        await asyncio.sleep(0.1)
    assert expected == set(found)


def _approved(history: list[dict[str, object]]) -> bool:
    return history[-1]["outcome"] == "approved"


async def _letters(running: system.System) -> list[dict[str, object]]:
    kafka = running.settings.kafka
    found = reader.follow(kafka, [kafka.topic("dlq")], reader.ReadRange.UNTIL_END)
    async with contextlib.aclosing(found):
        return [orjson.loads(each.record.value or b"") async for each in found]


async def _stop(process: system.Process) -> None:
    process.popen.send_signal(signal.SIGTERM)
    assert await asyncio.to_thread(process.popen.wait, 60) == 0


async def _redrive(running: system.System, *arguments: str) -> str:
    """Run ``dlq redrive`` and return its words; it must end well."""
    command = [sys.executable, "-m", "worker", "dlq", "redrive", *arguments]
    run = await asyncio.to_thread(
        subprocess.run,
        [*command, "--config", str(running.config)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    return run.stderr


def _without_it(text: str) -> str:
    """Return the configuration *text* as it was before the new source."""
    before, _, rest = text.partition(f"[sources.{_NEW}]")
    _, _, after = rest.partition("[sources.")
    return f"{before}[sources.{after}"


async def test_its_callbacks_wait_for_the_worker_to_know_it(
    kafka: str, topic_prefix: str, tmp_path: pathlib.Path, times: profiles.Times
) -> None:
    """
    What has room waits in the ledger, the rest is redriven; the others go on.

    A worker without the source decides the other sources, stays ready, says that it
    misses one, and buries nothing as long as there is room.
    """
    async with system.System(
        *(kafka, topic_prefix, tmp_path),
        partitions=1,
        times=times,
        worker_more="max_deferred_events = 3",
    ) as running:
        ingress = running.start("ingress")
        await running.ready(ingress)
        driver = system.Driver([ingress], at_once=1)
        known = running.config.read_text()

        running.config.write_text(_without_it(known))
        worker = running.start("worker")
        await running.ready(worker)
        new = [running.simulators[_NEW].add(simulators.Scenario()) for _ in range(4)]
        other = running.simulators["biometric"].add(simulators.Scenario())
        await driver.send(
            [
                callback
                for name, one in [*((_NEW, each) for each in new), ("biometric", other)]
                for callback in running.simulators[name].callbacks(one)[-1:]
            ]
        )
        done = {("biometric", other)}
        await _until(running, done)
        await running.ready(worker)
        assert "unknown_source" in worker.logged()
        (letter,) = await _letters(running)
        assert (letter["reason"], letter["last_error"]) == (
            "unmappable",
            "unknown_source",
        )
        assert letter["session_id"] == new[3]
        await _stop(worker)

        running.config.write_text(known)
        again = running.start("worker")
        await running.ready(again)
        done |= {(_NEW, each) for each in new[:3]}
        await _until(running, done)

        command = str(letter["redrive"]).split()[3:]
        assert "1 to redrive, 0 cannot be redriven" in await _redrive(running, *command)
        for _ in range(2):
            assert "redrove 1" in await _redrive(running, *command, "--apply")
        await _until(running, {*done, (_NEW, new[3])})
        found = await running.decisions()
        assert [len(found[_NEW, each]) for each in new] == [1] * 4
        assert len(await _letters(running)) == 1
        await _stop(again)
