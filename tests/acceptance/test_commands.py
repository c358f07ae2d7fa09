"""Run every command as a person does, against a system that is running."""

import asyncio
import pathlib
import subprocess
import sys

import orjson
import pytest

from tests.support import system
from worker import model
from worker.devkit import simulators


async def _run(
    running: system.System, *arguments: str, stdin: bytes = b""
) -> "subprocess.CompletedProcess[bytes]":
    """Return what ``kyc-worker`` with *arguments* wrote, and how it ended."""
    command = [sys.executable, "-m", "worker", *arguments]
    if arguments[0] != "--help":
        command += ["--config", str(running.config)]
    return await asyncio.to_thread(
        subprocess.run,
        command,
        input=stdin,
        capture_output=True,
        timeout=60,
        check=False,
    )


async def _decided(
    running: system.System, key: tuple[str, str], outcome: str
) -> list[dict[str, object]]:
    """Return the session's history once it has ended in *outcome*."""
    for _ in range(200):
        history = (await running.decisions()).get(key, [])
        if history and history[-1]["outcome"] == outcome:
            return history
        await asyncio.sleep(0.1)
    raise AssertionError(f"{key} never became {outcome}")


async def test_the_commands_of_a_running_system(
    kafka: str, topic_prefix: str, tmp_path: pathlib.Path
) -> None:
    """Topics, check, url, recheck, tail, session and dlq do what their help says."""
    async with system.System(kafka, topic_prefix, tmp_path) as running:
        checked = await _run(running, "check")
        assert checked.returncode == 0, checked.stderr
        assert b"sources: idbeyond" in checked.stdout
        topics = await _run(running, "topics")
        assert topics.returncode == 0, topics.stderr
        assert b"match the configuration" in topics.stdout

        hidden = await _run(running, "url", "idnow")
        assert hidden.returncode == 1
        assert b"--reveal" in hidden.stderr
        shown = await _run(running, "url", "idnow", "--reveal")
        expected = running.simulators["idnow"].callbacks(
            running.simulators["idnow"].add(simulators.Scenario())
        )[0]
        assert shown.stdout.decode().strip().endswith(expected.path)

        worker = running.start("worker")
        await running.ready(worker)
        simulator = running.simulators["identomat"]
        ended = simulator.add(simulators.Scenario(outcome=model.Outcome.REJECTED))
        backfill = await _run(
            running,
            "recheck",
            "identomat",
            "--stdin",
            stdin=f"\ufeff{ended}\r\n".encode(),
        )
        assert backfill.returncode == 0, backfill.stderr
        history = await _decided(running, ("identomat", ended), "rejected")
        assert [decision["revision"] for decision in history] == [1]
        assert {"type": "recheck"}.items() <= history[0]["cause"].items()  # type: ignore[attr-defined]  # an object

        tail = await _run(running, "tail", "--until-end", "--outcome", "rejected")
        assert [ended] == [
            orjson.loads(line)["session_id"] for line in tail.stdout.splitlines()
        ]
        session = await _run(running, "session", "identomat", ended)
        document = orjson.loads(session.stdout)
        assert f"identomat:{ended}" == document["session"]
        assert [each["outcome"] for each in document["decisions"]] == ["rejected"]
        assert document["next_due_at"] is None

        listed = await _run(running, "dlq", "list")
        assert (listed.returncode, listed.stdout) == (0, b"")
        none = await _run(running, "dlq", "show", "no-such-id")
        assert none.returncode == 1
        assert b"no dead letter" in none.stderr

        worker.popen.terminate()
        assert worker.popen.wait(20) == 0


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (("recheck", "idbeyond", "x"), 1, b"no result to fetch"),
        (("recheck", "identomat", "../etc"), 1, b"no session id of identomat"),
        (("recheck", "identomat"), 2, b"--stdin"),
        (("recheck", "nobody", "x"), 2, b"no source is named 'nobody'"),
        (("session", "idnow", "a/b"), 1, b"no session id of idnow"),
        (("url", "nobody", "--reveal"), 2, b"no source is named 'nobody'"),
        (("tail", "--outcome", "maybe"), 2, b"'maybe' is not one of"),
    ],
)
async def test_a_bad_argument_is_a_sentence(
    tmp_path: pathlib.Path, arguments: tuple[str, ...], code: int, sentence: bytes
) -> None:
    """Bad arguments end with a sentence and the right code, before Kafka is asked."""
    running = system.System("127.0.0.1:1", "never", tmp_path)
    ended = await _run(running, *arguments)

    assert code == ended.returncode, ended.stderr
    assert sentence in ended.stderr
    assert b"Traceback" not in ended.stderr
