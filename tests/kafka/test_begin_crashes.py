"""An api killed at each step leaves no intent unknown; two of them begin once."""

import asyncio
import collections
import contextlib
import pathlib
import signal
import subprocess
import sys

import aiohttp
import orjson

from tests.support import api_client, crash_points, system

_WAIT_S = 60.0
#: whose session is known although the process that began it is not there to tell
_KNOWN = {
    # The number is ours: derived from the begin id.
    "idnow": set(crash_points.BEGIN_POINTS),
    # The begin id comes back with the callback, once there is a session.
    "idbeyond": {"begun", "registered", "ended"},
    "identomat": {"registered", "ended"},
    "biometric": {"registered", "ended"},
}
#: what is the same everywhere is tried with one provider of each kind
_TRIED = [
    *((source, "begun") for source in _KNOWN),
    *((source, "intended") for source in ("idnow", "identomat", "idbeyond")),
    ("identomat", "registered"),
    ("identomat", "ended"),
]
_EXPECTED = {
    (source, point): "begun" if point in _KNOWN[source] else "outcome_unknown"
    for source, point in _TRIED
}


async def _begin_and_die(
    running: system.System, at_once: asyncio.Semaphore, source: str, point: str
) -> None:
    """Have a process begin a session of *source*, and be killed at *point*."""
    async with at_once:
        process = running.start("api", ends_at=(point, 1))
        await running.ready(process)
        async with api_client.Caller(running, process) as caller:
            with contextlib.suppress(aiohttp.ClientError):
                answer = await caller.begin(
                    source, key=point, reference=f"customer-{point}"
                )
                raise AssertionError(f"{source} {point}: {answer}")
        code = await asyncio.to_thread(process.popen.wait, 30)
    assert code == -signal.SIGKILL, process.logged()[-2000:]


async def _listed(running: system.System) -> dict[tuple[str, str], dict[str, str]]:
    """Return what ``begins`` prints of each session start."""
    command = [sys.executable, "-m", "worker", "begins"]
    ended = await asyncio.to_thread(
        subprocess.run,
        [*command, "--config", str(running.config)],
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert ended.returncode == 0, ended.stderr.decode()[-2000:]
    body = [orjson.loads(line) for line in ended.stdout.splitlines()]
    return {
        (each["source"], each["reference"].removeprefix("customer-")): each
        for each in body
    }


async def _unresolved(process: system.Process) -> dict[str, float]:
    """Return the metric of unresolved begins, by source."""
    url = f"http://127.0.0.1:{process.admin_port}/metrics"
    async with aiohttp.ClientSession() as client, client.get(url) as response:
        text = await response.text()
    return {
        line.split('"')[1]: float(line.rsplit(" ", 1)[1])
        for line in text.splitlines()
        if line.startswith("kyc_begins_unresolved{") and not line.endswith(" 0.0")
    }


async def test_no_intent_is_unknown_after_a_kill(
    kafka: str, topic_prefix: str, tmp_path: pathlib.Path
) -> None:
    """Whatever the step: the session is found out, or it is told that it is not."""
    async with system.System(kafka, topic_prefix, tmp_path, partitions=3) as running:
        at_once = asyncio.Semaphore(3)
        await asyncio.gather(
            *(_begin_and_die(running, at_once, *each) for each in _TRIED)
        )
        left = collections.Counter(
            source for source, point in _TRIED if point not in _KNOWN[source]
        )
        ingress = running.start("ingress")
        await running.ready(ingress)
        async with api_client.serving(running) as (survivor, caller):
            # The one session of id beyond calls back, and holds its begin id.
            (session_id,) = await caller.held("idbeyond")
            await caller.person("idbeyond", session_id, ingress=ingress)
            body: dict[tuple[str, str], str] = {}
            async with asyncio.timeout(_WAIT_S):
                while body != _EXPECTED or await _unresolved(survivor) != left:
                    await asyncio.sleep(0.2)
                    body = {each: await _again(caller, *each) for each in _TRIED}
            await _check_what_is_told(running, caller)


async def _again(caller: api_client.Caller, source: str, point: str) -> str:
    """Return what becomes of the begin by now, as a repeat is told it."""
    answer = await caller.begin(source, key=point, reference=f"customer-{point}")
    assert answer.status == 409, answer
    state: str = answer.document["state"]
    return state


async def _check_what_is_told(
    running: system.System, caller: api_client.Caller
) -> None:
    listed = await _listed(running)
    for source, point in _TRIED:
        body = listed[source, point]
        again = await caller.begin(source, key=point, reference=f"customer-{point}")
        if point in _KNOWN[source]:
            assert body["state"] == "registered"
            assert body["session_id"] == again.document["session_id"]
        else:
            assert body["state"] == "unresolved"
            assert "session_id" not in again.document


async def test_of_two_processes_one_begins(
    kafka: str, topic_prefix: str, tmp_path: pathlib.Path
) -> None:
    """Asked the same at the same time, one answers 201 and the provider hears once."""
    async with (
        system.System(kafka, topic_prefix, tmp_path, partitions=3) as running,
        api_client.serving(running) as (_, one),
        api_client.serving(running) as (_, two),
    ):
        keys = [f"key-{number}" for number in range(10)]
        answers = await asyncio.gather(
            *(
                caller.begin("identomat", key=key)
                for key in keys
                for caller in (one, two, two, one)
            )
        )
        by_key = [answers[place : place + 4] for place in range(0, 40, 4)]
        for four in by_key:
            assert sorted(each.status for each in four) == [201, 409, 409, 409]
        begun = {each.document["session_id"] for each in answers if each.status == 201}
        assert begun == set(await one.held("identomat"))
        for key, four in zip(keys, by_key, strict=True):
            (first,) = (each for each in four if each.status == 201)
            for caller in (one, two):
                again = await caller.begin("identomat", key=key)
                assert again.document["session_id"] == first.document["session_id"]
                assert again.document["state"] == "begun"
