"""Raise the ledger's version under load and lower it again: no decision differs."""

import asyncio
import contextlib
import pathlib
import re

import aiohttp
import orjson

from tests.support import kafka_timeouts as profiles
from tests.support import system
from worker import model
from worker.devkit import simulators
from worker.kafka import reader

#: which version each of the two workers writes, from one phase to the next
_PHASES = ((1, 1), (1, 2), (2, 2), (2, 1), (1, 1))
_LONG = 30
_TABLE = re.compile(r"\n\[ledger\]\nversion = \d\n|\Z")


def _worker(running: system.System, version: int) -> system.Process:
    """Start a worker that writes *version*."""
    text = running.config.read_text()
    table = f"\n[ledger]\nversion = {version}\n"
    running.config.write_text(_TABLE.sub(table, text, count=1))
    return running.start("worker")


async def _replaced(
    running: system.System, old: system.Process, version: int
) -> system.Process:
    """Return a worker that writes *version* instead of *old*, which has drained."""
    new = _worker(running, version)
    await running.ready(new)
    old.popen.terminate()
    assert await asyncio.to_thread(old.popen.wait, 30) == 0, old.logged()[-2000:]
    return new


Callbacks = list[simulators.OutgoingCallback]
Expected = dict[tuple[str, str], list[tuple[int, str]]]


def _long_sessions(running: system.System) -> tuple[Expected, list[Callbacks]]:
    """Return sessions that last over all phases, and what each phase sends of them."""
    expected: Expected = {}
    phases: list[Callbacks] = [[] for _ in _PHASES]
    simulator = running.simulators["idbeyond"]
    for number in range(_LONG):
        outcome = (model.Outcome.APPROVED, model.Outcome.REJECTED)[number % 2]
        reviews = len(_PHASES) - 1
        scenario = simulators.Scenario(outcome=outcome, pending_first=reviews)
        session_id = simulator.add(scenario)
        expected["idbeyond", session_id] = [(1, "pending"), (2, outcome)]
        _, *result = simulator.callbacks(session_id)
        for phase, callback in zip(phases, result, strict=True):
            phase.append(callback)
    return expected, phases


async def _load(
    running: system.System, driver: system.Driver, enough: asyncio.Event
) -> Expected:
    """Send sessions that are fetched, some in vain at first, until there are enough."""
    expected: Expected = {}
    simulator = running.simulators["biometric"]
    while not enough.is_set():
        callbacks: Callbacks = []
        for not_ready in range(4):
            scenario = simulators.Scenario(latency_s=0.05, not_ready=not_ready)
            session_id = simulator.add(scenario)
            expected["biometric", session_id] = [(1, "approved")]
            callbacks += simulator.callbacks(session_id)
        await driver.send(callbacks)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(enough.wait(), 0.3)
    return expected


async def _decided(running: system.System, expected: Expected) -> Expected:
    """Return what is decided, once that is what is expected, or after some time."""
    result: Expected = {}
    for _ in range(300):
        result = {
            key: [(int(str(d["revision"])), str(d["outcome"])) for d in history]
            for key, history in (await running.decisions()).items()
        }
        if result == expected:
            break
        await asyncio.sleep(0.1)
    return result


async def _records(running: system.System, name: str) -> list[reader.ConsumedRecord]:
    kafka = running.settings.kafka
    found = reader.follow(kafka, [kafka.topic(name)], reader.ReadRange.UNTIL_END)
    async with contextlib.aclosing(found):
        return [each async for each in found]


async def _versions(running: system.System, keys: Expected) -> set[int]:
    """Return in which versions the latest records of *keys* are written."""
    latest = {each.record.key: each for each in await _records(running, "ledger")}
    found = (latest[":".join(key).encode()].record.value or b"{}" for key in keys)
    return {orjson.loads(value)["v"] for value in found}


async def test_a_rolling_upgrade_and_back(
    kafka: str, topic_prefix: str, tmp_path: pathlib.Path, times: profiles.Times
) -> None:
    """Workers that write 1, then 1 and 2, then 2, then both, then 1 decide the same."""
    async with system.System(kafka, topic_prefix, tmp_path, times=times) as running:
        ingress = running.start("ingress")
        workers = [_worker(running, version) for version in _PHASES[0]]
        for process in (ingress, *workers):
            await running.ready(process)
        driver = system.Driver([ingress], at_once=8)
        lasting, phases = _long_sessions(running)
        expected = {key: result[:1] for key, result in lasting.items()}
        before = _PHASES[0]
        for phase, callbacks in zip(_PHASES, phases, strict=True):
            enough = asyncio.Event()
            loading = asyncio.create_task(_load(running, driver, enough))
            for place, version in enumerate(phase):
                if version != before[place]:
                    workers[place] = await _replaced(running, workers[place], version)
            await driver.send(callbacks)
            enough.set()
            expected |= await loading
            if callbacks is phases[-1]:
                expected |= lasting
            assert expected == await _decided(running, expected)
            assert set(phase) == await _versions(running, lasting)
            before = phase

        assert await _records(running, "dlq") == []


async def test_an_older_release_leaves_a_raised_ledger_alone(
    kafka: str, topic_prefix: str, tmp_path: pathlib.Path, times: profiles.Times
) -> None:
    """It knows 1 only: not ready, an alarm, no dead letter; others go on after it."""
    async with system.System(kafka, topic_prefix, tmp_path, times=times) as running:
        ingress, worker = running.start("ingress"), _worker(running, 2)
        for process in (ingress, worker):
            await running.ready(process)
        driver = system.Driver([ingress], at_once=8)
        lasting, phases = _long_sessions(running)
        await driver.send(phases[0])
        expected = {key: result[:1] for key, result in lasting.items()}
        assert expected == await _decided(running, expected)

        older = running.start("worker", module=["tests.support.previous_release"])
        await _alarmed(older, "unknown_version")
        await driver.send(phases[-1])
        assert not await _ready(older)
        older.popen.terminate()
        assert await asyncio.to_thread(older.popen.wait, 30) == 0

        assert lasting == await _decided(running, lasting)
        assert await _records(running, "dlq") == []
        assert b'"v":1' not in b"".join(
            each.record.value or b""
            for each in await _records(running, "ledger")
            if each.record.key != model.POSITION_KEY.encode()
        )


async def _alarmed(process: system.Process, kind: str) -> None:
    """Return once *process* has raised the alarm *kind*."""
    for _ in range(300):
        lines = process.logged().splitlines()
        result = [orjson.loads(line) for line in lines if line.startswith("{")]
        if any(line.get("kind") == kind for line in result):
            return
        await asyncio.sleep(0.1)
    raise AssertionError(process.logged()[-2000:])


async def _ready(process: system.Process) -> bool:
    url = f"http://127.0.0.1:{process.admin_port}/readyz"
    async with aiohttp.ClientSession() as client, client.get(url) as response:
        return bool(response.status == 200)
