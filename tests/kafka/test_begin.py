"""Sessions that begin here, from the first call to the decision, at every provider."""

import asyncio
import functools
import pathlib
import subprocess
import sys
from typing import Any

import orjson
import pytest

from tests.support import api_client, system
from worker.devkit import simulators

_WAIT_S = 60.0
_FETCHED = ("identomat", "idnow", "biometric")
#: So that nobody waits for a day: a deadline of a moment, and polls that follow it.
_SOON = """
session_deadline = "2s"
overdue = { attempts = 2 }
polling = { initial_delay = "500ms", interval = "500ms", max_attempts = 2 }
"""


async def _decision(
    running: system.System, source: str, session_id: str
) -> dict[str, Any]:
    """Return the last decision on a session, once it is final."""
    async with asyncio.timeout(_WAIT_S):
        while True:
            history = (await running.decisions()).get((source, session_id), [])
            if history and history[-1]["final"]:
                return history[-1]
            await asyncio.sleep(0.1)


async def _begun(caller: api_client.Caller, source: str, reference: str) -> str:
    answer = await caller.begin(source, reference=reference)
    assert answer.status == 201, answer.document
    session_id: str = answer.document["session_id"]
    return session_id


async def test_every_provider_from_begin_to_decision(
    kafka: str, topic_prefix: str, tmp_path: pathlib.Path
) -> None:
    """Begin, a person who finishes, a callback, a decision with our reference."""
    async with (
        system.System(kafka, topic_prefix, tmp_path, partitions=3) as running,
        api_client.serving(running) as (_, caller),
    ):
        ingress, _ = running.start("ingress"), running.start("worker")
        await running.ready(ingress)
        for source in api_client.PARAMS:
            reference = f"customer-{source}"
            session_id = await _begun(caller, source, reference)
            found = await caller.person(source, session_id, ingress=ingress)
            assert found["delivered"], source
            assert set(found["delivered"]) == {200}

            decision = await _decision(running, source, session_id)
            assert decision["outcome"] == "approved"
            assert decision["reference"] == reference
            assert decision["cause"]["type"] == "callback"


async def test_no_callback_ever_comes(
    kafka: str,
    topic_prefix: str,
    tmp_path: pathlib.Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Who finished is found by polling, and who left has not completed."""
    monkeypatch.setenv("KYC_SOURCES__IDENTOMAT__TOKEN_LIFETIME", "1s")
    monkeypatch.setenv("KYC_SOURCES__IDNOW__LIST_INTERVAL", "500ms")
    async with (
        system.System(
            kafka, topic_prefix, tmp_path, partitions=3, sources_more=_SOON
        ) as running,
        api_client.serving(running) as (_, caller),
    ):
        running.start("worker")
        finished, left = {}, {}
        for source in _FETCHED:
            finished[source] = await _begun(caller, source, f"finished-{source}")
            left[source] = await _begun(caller, source, f"left-{source}")
            found = await caller.person(source, finished[source], missing=True)
            assert not found["delivered"]
            await caller.person(source, left[source], does="abandon")
        for source in _FETCHED:
            decision = await _decision(running, source, finished[source])
            assert (decision["outcome"], decision["reference"]) == (
                "approved",
                f"finished-{source}",
            )
            assert decision["cause"]["type"] == "poll"
            decision = await _decision(running, source, left[source])
            assert (decision["outcome"], decision["reason"]) == (
                "rejected",
                "not_completed",
            )
            assert decision["retryable"]
            assert decision["reference"] == f"left-{source}"


def _command(
    running: system.System, *arguments: str, lines: str = ""
) -> subprocess.CompletedProcess[str]:
    """Run a command of ours, as somebody at a keyboard."""
    return subprocess.run(  # noqa: S603 -- our own command
        [sys.executable, "-m", "worker", *arguments, "--config", str(running.config)],
        input=lines,
        capture_output=True,
        check=False,
        text=True,
        timeout=60,
    )


async def test_a_begin_of_the_command_line(
    kafka: str, topic_prefix: str, tmp_path: pathlib.Path
) -> None:
    """It prints the answer once, tells wrong fields, and begins nothing twice."""
    params = tmp_path / "params.json"
    params.write_text('{"flags": {"liveness": true}}')
    begin = [
        *("begin", "identomat", "--reference", "customer-1"),
        *("--return-url", f"{system.ORIGIN}/back", "--params", str(params)),
        *("--param", "flags.language=de", "--idempotency-key", "k"),
    ]
    async with system.System(kafka, topic_prefix, tmp_path, partitions=3) as running:
        wrong = await asyncio.to_thread(_command, running, *begin, "--language", "?")
        first = await asyncio.to_thread(_command, running, *begin)
        again = await asyncio.to_thread(_command, running, *begin)

        found = orjson.loads(first.stdout)
        assert found["session_id"] in found["url"]
        held = running.simulators["identomat"].sessions()
        assert [each.session_id for each in held] == [found["session_id"]]
    assert (wrong.returncode, first.returncode, again.returncode) == (1, 0, 1)
    assert "language: must be a language tag" in wrong.stderr
    assert f"its response is returned only once: {found['session_id']}" in again.stderr
    assert wrong.stdout + again.stdout == ""
    assert found["session_id"] not in first.stderr


async def test_sessions_begun_elsewhere(
    kafka: str, topic_prefix: str, tmp_path: pathlib.Path
) -> None:
    """Registered over HTTP or by the line, before the callback or after it."""
    async with (
        system.System(kafka, topic_prefix, tmp_path, partitions=3) as running,
        api_client.serving(running) as (_, caller),
    ):
        ingress, _ = running.start("ingress"), running.start("worker")
        await running.ready(ingress)
        simulator = running.simulators["biometric"]
        ids = [simulator.add(simulators.Scenario()) for _ in range(4)]
        callbacks = [simulator.callbacks(each)[-1] for each in ids]
        answer = await caller.register("biometric", ids[0], reference="customer-0")
        assert answer.status == 202, answer.document
        await system.Driver([ingress]).send(callbacks)

        lines = [
            f"{ids[1].upper()}\tcustomer-1\t2026-01-01T00:00:00Z",
            "no session id\tcustomer-9",
            "",
            orjson.dumps({"session_id": ids[2], "reference": "customer-2"}).decode(),
            "{",
            f"{ids[3]}\t12345678",
            f"{ids[3]}\tcustomer-3",
        ]
        command = functools.partial(_command, lines="\n".join(lines))
        ended = await asyncio.to_thread(command, running, "register", "biometric")

        assert ended.returncode == 1
        assert [
            line.split(" ")[1] for line in ended.stderr.splitlines() if "line " in line
        ] == ["2:", "5:", "6:"]
        assert "registered 3 sessions" in ended.stderr
        assert "3 lines are invalid" in ended.stderr
        for number, session_id in enumerate(ids):
            async with asyncio.timeout(_WAIT_S):
                while True:
                    last = await _decision(running, "biometric", session_id)
                    if last["reference"] == f"customer-{number}":
                        break
                    await asyncio.sleep(0.1)
            assert last["outcome"] == "approved"
