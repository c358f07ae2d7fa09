"""What a worker knows outlives a rebalance without a restore, and a session its end."""

import asyncio
import collections
import pathlib

import orjson

from tests.support import kafka_timeouts as profiles
from tests.support import system
from worker import model
from worker.devkit import simulators

_PARTITIONS = 6
#: one whose result is fetched, one whose signed callback is the result
_NAMES = ("identomat", "idbeyond")

History = list[tuple[object, ...]]


def _restores(process: system.Process) -> collections.Counter[int]:
    """Count how often *process* has restored each partition."""
    lines = [
        orjson.loads(line)
        for line in process.logged().splitlines()
        if '"partition.restored"' in line
    ]
    return collections.Counter(line["partition"] for line in lines)


async def _becomes(
    running: system.System, expected: dict[tuple[str, str], History]
) -> None:
    """Return once the decisions are *expected*; fails with what they are instead."""
    found: dict[tuple[str, str], History] = {}
    for _ in range(300):
        found = {
            key: [(d["revision"], d["outcome"]) for d in history]
            for key, history in (await running.decisions()).items()
        }
        if found == expected:
            return
        await asyncio.sleep(0.1)
    assert expected == found


def _sessions(
    running: system.System, count: int, outcome: model.Outcome
) -> list[tuple[str, str]]:
    scenario = simulators.Scenario(outcome=outcome)
    return [
        (name, running.simulators[name].add(scenario))
        for name in _NAMES
        for _ in range(count)
    ]


def _callbacks(
    running: system.System, keys: list[tuple[str, str]]
) -> list[simulators.OutgoingCallback]:
    return [
        each for name, one in keys for each in running.simulators[name].callbacks(one)
    ]


async def _restored(process: system.Process, times: int) -> None:
    """Return once *process* has restored so many times."""
    for _ in range(300):
        if _restores(process).total() >= times:
            return
        await asyncio.sleep(0.1)
    raise AssertionError(process.logged()[-2000:])


async def test_a_partition_that_is_given_back_is_not_restored(
    kafka: str, topic_prefix: str, tmp_path: pathlib.Path, times: profiles.Times
) -> None:
    """Another worker comes and goes: only what moves is read again."""
    async with system.System(
        kafka, topic_prefix, tmp_path, partitions=_PARTITIONS, times=times
    ) as running:
        ingress, first = running.start("ingress"), running.start("worker")
        await running.ready(ingress)
        await running.ready(first)
        driver = system.Driver([ingress])
        expected: dict[tuple[str, str], History] = {}

        async def found() -> None:
            keys = _sessions(running, 12, model.Outcome.APPROVED)
            await driver.send(_callbacks(running, keys))
            expected.update({key: [(1, "approved")] for key in keys})
            await _becomes(running, expected)

        await found()
        second = running.start("worker")
        await running.ready(second)
        moved = _restores(second)
        assert set(moved.values()) == {1}
        assert 0 < len(moved) < _PARTITIONS
        await found()
        assert _restores(first) == dict.fromkeys(range(_PARTITIONS), 1)

        second.popen.terminate()
        assert await asyncio.to_thread(second.popen.wait, 30) == 0
        await _restored(first, _PARTITIONS + len(moved))
        await found()
        kept = set(range(_PARTITIONS)) - set(moved)
        assert _restores(first) == {
            **dict.fromkeys(kept, 1),
            **dict.fromkeys(moved, 2),
        }


async def test_a_late_callback_continues_the_revisions_of_an_ended_session(
    kafka: str, topic_prefix: str, tmp_path: pathlib.Path, times: profiles.Times
) -> None:
    """A stub is what a later worker finds: repeats do nothing, news is revision 2."""
    async with system.System(
        *(kafka, topic_prefix, tmp_path),
        partitions=2,
        times=times,
        sources_more='recheck_min_interval = "100ms"',
    ) as running:
        ingress, worker = running.start("ingress"), running.start("worker")
        await running.ready(ingress)
        await running.ready(worker)
        driver = system.Driver([ingress])
        keys = _sessions(running, 10, model.Outcome.APPROVED)
        said = _callbacks(running, keys)
        await driver.send(said)
        expected: dict[tuple[str, str], History] = {k: [(1, "approved")] for k in keys}
        await _becomes(running, expected)

        # The next worker writes the other version of the ledger: a stub outlives that.
        text = running.config.read_text()
        running.config.write_text(f"{text}\n[ledger]\nversion = 1\n")
        for _ in range(2):
            worker.popen.terminate()
            assert await asyncio.to_thread(worker.popen.wait, 30) == 0
            worker = running.start("worker")
            await running.ready(worker)
            await driver.send(said)
        rejected = simulators.Scenario(outcome=model.Outcome.REJECTED)
        for name, session_id in keys:
            running.simulators[name].add(rejected, session_id)
        await driver.send(_callbacks(running, keys))

        await _becomes(running, {k: [(1, "approved"), (2, "rejected")] for k in keys})
        for first, second in (await running.decisions()).values():
            assert first["decision_id"] == second["supersedes"]
