"""Measure the ingress's job as others would do it, against ours."""

import asyncio
import os
import pathlib
import subprocess
import sys
from collections.abc import Mapping

from tests.bench import figures, ingress, stage, tally
from tests.support import ports

_HERE = pathlib.Path(__file__).parent
_VENV = _HERE.parents[1] / "build" / "bench-peers"
_REQUIREMENTS = _HERE / "peers" / "requirements.txt"
_WARM, _COUNT, _ROUNDS = 2_000, 6_000, 3


async def measure(on: stage.Stage) -> list[figures.Figure]:
    """Return the figure; what both have acknowledged is in Kafka."""
    python = await asyncio.to_thread(_installed)
    mine: list[float] = []
    theirs: list[float] = []
    config, other = await on.configured(), await on.configured()
    port = ports.free()
    environment = {
        "KAFKA": on.servers,
        "TOPIC": other.kafka.topic("events"),
        "SECRET": stage.HMAC_SECRET,
    }
    served = ("app:app", "--host", "127.0.0.1", "--port", str(port), "--no-access-log")
    program = (str(python), "-m", "uvicorn", "--app-dir", str(_HERE / "peers"))
    async with (
        on.ingress(config) as ours,
        on.running(*served, program=_with(environment, program)) as peer,
    ):
        await peer.ready(port)
        for count in (_WARM, *[_COUNT] * _ROUNDS):
            for process, at, found in (
                (peer, port, theirs),
                (ours.process, ours.port, mine),
            ):
                told, cpu_s = await ingress.burst(on, process, at, count)
                stage.must_be(count, told["accepted"], "acknowledgements")
                found.append(cpu_s / count * 1e6)
    sent = _WARM + _ROUNDS * _COUNT
    for each in (config, other):
        counted = await tally.count(each.kafka, "events", sent)
        counted.must_be(sent, "events")
    # The least of the rounds: others on the machine only ever add.
    return [
        figures.Figure(
            name="peer_cpu",
            what="FastAPI + FastStream + HMAC: CPU a callback, against our ingress",
            unit="µs",
            value=min(theirs[1:]),
            floor=min(mine[1:]),
            goal=2.5,
            at_least=True,
            cpu_ratio=True,
            details={"rounds_us": theirs[1:], "floor_rounds_us": mine[1:]},
        )
    ]


def _with(environment: Mapping[str, str], program: tuple[str, ...]) -> tuple[str, ...]:
    """Return *program* with *environment* beside the one that is."""
    return (
        "env",
        *(f"{name}={value}" for name, value in environment.items()),
        *program,
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
