"""Run commands of ours as a person does, and read what processes logged."""

import asyncio
import pathlib
import subprocess
import sys
from typing import NamedTuple

import orjson

_TIMEOUT_S = 60


class Ended(NamedTuple):
    """How a command ended."""

    code: int
    out: bytes
    err: str


async def run(config: pathlib.Path, *arguments: str) -> Ended:
    """Run ``kyc-worker`` with *arguments* to its end."""
    ended = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "worker", *arguments, "--config", str(config)],
        capture_output=True,
        timeout=_TIMEOUT_S,
        check=False,
    )
    return Ended(ended.returncode, ended.stdout, ended.stderr.decode())


async def output(config: pathlib.Path, *arguments: str) -> bytes:
    """Return what a command wrote; fails unless it exits 0."""
    ended = await run(config, *arguments)
    assert ended.code == 0, (arguments, ended.err[-2000:])
    return ended.out


def lines(logged: str, event: str = "") -> list[dict[str, object]]:
    """Return the lines of a log, those of *event* alone if one is named."""
    found = [orjson.loads(line) for line in logged.splitlines() if line[:1] == "{"]
    return [line for line in found if event in ("", line["event"])]
