"""Measure the ingress's job as others would do it, against ours."""

import asyncio
import contextlib
import os
import pathlib
import subprocess
import sys
from collections.abc import AsyncIterator

from tests.bench import environment, figures, ingress, tally
from tests.support import ports

_HERE = pathlib.Path(__file__).parent
_VENV = _HERE.parents[1] / "build" / "bench-peers"
_REQUIREMENTS = _HERE / "peers" / "requirements.txt"
_WARM, _COUNT, _ROUNDS = 2_000, 5_000, 3


async def measure(on: environment.Stage) -> list[figures.Figure]:
    """Return the figure; what both have acknowledged is in Kafka."""
    python = await asyncio.to_thread(_installed)
    # As uvicorn comes: it writes a line for each request, and so does our ingress.
    theirs, mine = await _by_turns(on, python)
    # The least of the rounds: others on the machine only ever add.
    quiet, beside = await _by_turns(on, python, "--no-access-log")
    return [
        figures.Figure(
            name="peer_cpu",
            what="FastAPI + FastStream + HMAC: CPU a callback, against our ingress",
            unit="µs",
            value=min(theirs),
            floor=min(mine),
            goal=2.5,
            at_least=True,
            cpu_ratio=True,
            details={
                "rounds_us": theirs,
                "floor_rounds_us": mine,
                "without_its_access_log_us": min(quiet),
                "without_its_access_log_ratio": min(quiet) / min(beside),
            },
        )
    ]


async def _by_turns(
    on: environment.Stage, python: pathlib.Path, *options: str
) -> tuple[list[float], list[float]]:
    """Return the CPU microseconds a callback of the peer and of ours, each round."""
    theirs: list[float] = []
    mine: list[float] = []
    config, other = await on.configured(), await on.configured()
    async with on.ingress(config) as ours, _peer(on, python, other, *options) as peer:
        for count in (_WARM, *[_COUNT] * _ROUNDS):
            for service, found in ((peer, theirs), (ours, mine)):
                _, cpu_s = await ingress.burst(on, service.process, service.port, count)
                found.append(cpu_s / count * 1e6)
    sent = _WARM + _ROUNDS * _COUNT
    for each in (config, other):
        counted = await tally.count(each.kafka, "events", sent)
        counted.must_be(sent, "events")
    return theirs[1:], mine[1:]


@contextlib.asynccontextmanager
async def _peer(
    on: environment.Stage,
    python: pathlib.Path,
    config: environment.Configured,
    *options: str,
) -> AsyncIterator[environment.Service]:
    """Run the peer in a process of its own."""
    port = ports.free()
    variables = {
        "KAFKA": on.servers,
        "TOPIC": config.kafka.topic("events"),
        "SECRET": environment.HMAC_SECRET,
    }
    program = ("env", *(f"{name}={value}" for name, value in variables.items()))
    program += (str(python), "-m", "uvicorn", "--app-dir", str(_HERE / "peers"))
    served = ("app:app", "--host", "127.0.0.1", "--port", str(port), *options)
    async with on.running(*served, program=program, tells=False) as process:
        ready_s = await process.ready(port)
        yield environment.Service(
            process=process, admin_port=0, port=port, ready_s=ready_s
        )


def _installed() -> pathlib.Path:
    """Return the Python that has what the peer needs, installed once."""
    python = _VENV / "bin" / "python"
    mark = _VENV / ".installed"
    wanted = _REQUIREMENTS.read_bytes()
    if mark.exists() and mark.read_bytes() == wanted:
        return python
    pip = (str(python), "-m", "pip", "install", "--quiet", "--require-hashes")
    commands = (
        (sys.executable, "-m", "venv", "--clear", str(_VENV)),
        (*pip, "--disable-pip-version-check", "--requirement", str(_REQUIREMENTS)),
    )
    for command in commands:
        if subprocess.run(command, check=False, env=os.environ).returncode:  # noqa: S603 -- our own command
            raise figures.Untrue("what the peer needs could not be installed")
    mark.write_bytes(wanted)
    return python
