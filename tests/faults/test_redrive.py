"""An outage past the horizon ends in dead letters; ``dlq redrive`` makes them good."""

import asyncio
import contextlib
import os
import pathlib
import pty
import signal
import subprocess
import sys
from collections.abc import Sequence

from tests.support import kafka_timeouts as profiles
from tests.support import system
from worker.devkit import simulators
from worker.kafka import partitioning, reader

_SESSIONS = 12
_OUTAGE = simulators.Scenario(errors=10**6)
_RETRY = 'retry = { initial_delay = "100ms", max_delay = "1s" }'
_BRIEF = 'retry = { initial_delay = "50ms", max_delay = "200ms", give_up_after = "1s" }'
#: the circuit breaker would leave the source alone, and make the outage last longer
_SOURCES = "circuit = { failure_threshold = 100000 }"

Decided = dict[tuple[str, str], list[tuple[object, ...]]]
_GIVEN_UP = (1, "pending", "provider_unavailable", "callback")
_REDRIVEN = (2, "approved", "verified", "recheck")


async def _redrive(
    running: system.System, *arguments: str, module: Sequence[str] = ("worker",)
) -> tuple[int, str]:
    """Run ``dlq redrive`` before a terminal; return its exit code and its words."""
    screen, terminal = pty.openpty()
    command = [sys.executable, "-m", *module, "dlq", "redrive"]
    config = ["--config", str(running.config)]
    process = subprocess.Popen(  # noqa: ASYNC220, S603 -- our own command, waited for aside
        [*command, *config, *arguments],
        stdin=subprocess.DEVNULL,
        stderr=terminal,
        env=os.environ | {"TERM": "xterm", "COLUMNS": "100"},
    )
    os.close(terminal)
    result = await asyncio.to_thread(_words, screen)
    return await asyncio.to_thread(process.wait, 60), result


def _words(screen: int) -> str:
    """Return all that is written to *screen* until its last writer is gone."""
    found = b""
    with open(screen, "rb", buffering=0) as stream, contextlib.suppress(OSError):
        while portion := stream.read(4096):
            found += portion
    return found.decode(errors="replace")


async def _decided(running: system.System) -> Decided:
    """Return every session's decisions."""
    return {
        key: [
            (d["revision"], d["outcome"], d["reason"], _cause(d["cause"]))
            for d in history
        ]
        for key, history in (await running.decisions()).items()
    }


def _cause(cause: object) -> object:
    assert isinstance(cause, dict)
    return cause["type"]


async def _becomes(running: system.System, expected: Decided) -> None:
    """Return once the decisions are *expected*; fails with what they are instead."""
    result: Decided = {}
    for _ in range(300):
        result = await _decided(running)
        if result == expected:
            return
        await asyncio.sleep(0.1)
    assert expected == result


async def _count(running: system.System, name: str) -> int:
    """Return how many records the topic *name* holds."""
    kafka = running.settings.kafka
    found = reader.follow(kafka, [kafka.topic(name)], reader.ReadRange.UNTIL_END)
    async with contextlib.aclosing(found):
        return len([each async for each in found])


def _callbacks(
    running: system.System, keys: Sequence[tuple[str, str]]
) -> list[simulators.OutgoingCallback]:
    return [
        each for name, one in keys for each in running.simulators[name].callbacks(one)
    ]


def _everywhere(running: system.System) -> list[tuple[str, str]]:
    """Return new sessions, at least one in each partition."""
    kafka, keys = running.settings.kafka, []
    missing = set(range(kafka.partitions))
    while missing:
        session_id = running.simulators["biometric"].add(simulators.Scenario())
        key = f"biometric:{session_id}".encode()
        missing.discard(partitioning.partition_of(key, kafka.partitions))
        keys.append(("biometric", session_id))
    return keys


async def test_an_outage_past_the_horizon_is_redriven(
    kafka: str, topic_prefix: str, tmp_path: pathlib.Path, times: profiles.Times
) -> None:
    """Dry by default, narrowed down, interrupted, gone on with, repeated: all right."""
    async with system.System(
        *(kafka, topic_prefix, tmp_path),
        partitions=2,
        times=times,
        sources_more=_SOURCES,
    ) as running:
        text = running.config.read_text()
        assert _RETRY in text
        running.config.write_text(text.replace(_RETRY, _BRIEF))
        ingress, worker = running.start("ingress"), running.start("worker")
        await running.ready(ingress)
        await running.ready(worker)
        driver = system.Driver([ingress])

        down = [
            (name, running.simulators[name].add(_OUTAGE))
            for name in ["biometric"] * _SESSIONS + ["identomat"] * 2
        ]
        await driver.send(_callbacks(running, down))
        result: Decided = {key: [_GIVEN_UP] for key in down}
        await _becomes(running, result)
        assert len(down) == await _count(running, "dlq")
        for name, session_id in down:
            running.simulators[name].add(simulators.Scenario(), session_id)
        events = await _count(running, "events")

        narrowed = ("--reason", "fetch_exhausted", "--source", "biometric")
        code, words = await _redrive(running, *narrowed)
        assert (code, await _count(running, "events")) == (0, events), words
        assert f"{_SESSIONS} to redrive, 0 cannot be redriven" in words
        assert "dry run" in words

        interrupted = ("tests.support.crash_points", "after_publication", "4")
        code, words = await _redrive(running, *narrowed, "--apply", module=interrupted)
        assert code == -signal.SIGKILL, words
        assert events < await _count(running, "events") <= events + _SESSIONS
        code, words = await _redrive(running, *narrowed, "--apply")
        assert code == 0, words
        assert f"redrove {_SESSIONS}" in words
        assert "publishing" in words
        assert "100%" in words
        result |= {key: [_GIVEN_UP, _REDRIVEN] for key in down[:_SESSIONS]}
        await _becomes(running, result)

        await _repeated(running, driver, narrowed, result)
        *_, (name, last) = down
        code, words = await _redrive(
            *(running, "--source", name, "--session", last, "--apply")
        )
        assert (code, "redrove 1" in words) == (0, True), words
        result[name, last] = [_GIVEN_UP, _REDRIVEN]
        await _becomes(running, result)
        assert len(down) == await _count(running, "dlq")


async def _repeated(
    running: system.System,
    driver: system.Driver,
    narrowed: Sequence[str],
    result: Decided,
) -> None:
    """Redrive all of it once more: no fetch, no decision."""
    simulator = running.simulators["biometric"]
    calls = {
        one: simulator.held(one).calls for name, one in result if name == "biometric"
    }
    code, words = await _redrive(running, *narrowed, "--apply")
    assert (code, f"redrove {_SESSIONS}" in words) == (0, True), words
    # What comes later in each partition is decided: the repeats have been taken.
    later = _everywhere(running)
    await driver.send(_callbacks(running, later))
    result |= {key: [(1, "approved", "verified", "callback")] for key in later}
    await _becomes(running, result)
    assert calls == {one: simulator.held(one).calls for one in calls}
