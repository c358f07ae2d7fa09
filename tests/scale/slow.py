"""
Measure what many slow connections cost the callbacks beside them.

Two ingresses run at the same time, and one client sends the same callbacks to both at
the same fixed rate. Slow connections go to one of them only. Whatever else the machine
does meets both, so that their difference is what slow connections cost.
"""

import asyncio
import contextlib
import dataclasses
import pathlib
import resource
import sys
import time
from collections.abc import AsyncIterator

import orjson
import psutil

from tests.scale import callbacks as callbacks_of
from tests.scale import isolation

_ROOT = pathlib.Path(__file__).parents[2]
#: of good callbacks, to each of the two
PER_SECOND = 50.0
_BLOCK = 100
_SPARE_FILES = 500
_Process = asyncio.subprocess.Process


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How much is sent, and what the ingresses allow."""

    connections: int
    #: to each ingress, once all connections were opened
    callbacks: int
    max_connections: int = 4000


@dataclasses.dataclass(kw_only=True)
class Found:
    """What was measured; times in seconds, sizes in bytes."""

    plan: Plan
    #: before the slow connections, from both ingresses
    before: list[float] = dataclasses.field(default_factory=list)
    #: from the ingress without them and the one with them, while they are opened
    opening: tuple[list[float], list[float]] = dataclasses.field(
        default_factory=lambda: ([], [])
    )
    #: the same, once all were opened
    beside: list[float] = dataclasses.field(default_factory=list)
    attacked: list[float] = dataclasses.field(default_factory=list)
    #: why callbacks had no 200, from either
    failures: list[str] = dataclasses.field(default_factory=list)
    rss_before: int = 0
    rss_most: int = 0
    #: of one processor, once all were opened
    shares: dict[str, float] = dataclasses.field(default_factory=dict)
    #: the share of the time in which it was ready to run, and another process ran
    waited: dict[str, float] = dataclasses.field(default_factory=dict)
    #: of all processors, everything that ran on the machine
    machine: float = 0.0
    #: what the attacked ingress counted
    counted: dict[str, int] = dataclasses.field(default_factory=dict)


async def measure(plan: Plan) -> Found:
    """Send callbacks to both ingresses: before, while and after they are opened."""
    plan = dataclasses.replace(plan, connections=min(plan.connections, _affordable()))
    most = str(plan.max_connections)
    found = Found(plan=plan)
    async with (
        _running("tests.scale.slow_server", most) as calm,
        _running("tests.scale.slow_server", most) as ill,
    ):
        ports = [int(await _line(each)) for each in (calm, ill)]
        clients = [callbacks_of.Client(port) for port in ports]
        await callbacks_of.send(clients, _BLOCK, PER_SECOND)  # warm
        for times in await callbacks_of.send(clients, plan.callbacks // 2, PER_SECOND):
            found.before += times
        process = psutil.Process(ill.pid)
        found.rss_before = process.memory_info().rss
        asked = ("tests.scale.slow_clients", str(ports[1]), str(plan.connections))
        async with _running(*asked) as slow:
            watching = asyncio.create_task(_watch(process, found))
            await _attacked(found, clients, slow, (calm, ill))
            watching.cancel()
            if ill.stdin is not None:
                ill.stdin.close()
            found.counted = orjson.loads(await _line(ill))
        for each in clients:
            found.failures += each.failures
            await each.close()
    return found


async def _attacked(
    found: Found,
    clients: list[callbacks_of.Client],
    slow: _Process,
    ingresses: tuple[_Process, _Process],
) -> None:
    """Send beside the slow connections, and take the shares of the processors."""
    opened = asyncio.create_task(_line(slow))
    while not opened.done():
        sent = await callbacks_of.send(clients, _BLOCK, PER_SECOND)
        for so_far, times in zip(found.opening, sent, strict=True):
            so_far.extend(times)
    running = {
        "attacker": psutil.Process(slow.pid),
        "other ingress": psutil.Process(ingresses[0].pid),
        "attacked ingress": psutil.Process(ingresses[1].pid),
        "client": psutil.Process(),
    }
    used = {name: _times(each) for name, each in running.items()}
    began = time.monotonic()
    psutil.cpu_percent()
    found.beside, found.attacked = await callbacks_of.send(
        clients, found.plan.callbacks, PER_SECOND
    )
    found.machine = psutil.cpu_percent() / 100
    took = time.monotonic() - began
    for name, each in running.items():
        ran, waited = _times(each)
        found.shares[name] = (ran - used[name][0]) / took
        found.waited[name] = (waited - used[name][1]) / took


async def _watch(process: psutil.Process, found: Found) -> None:
    while True:
        found.rss_most = max(found.rss_most, process.memory_info().rss)
        await asyncio.sleep(0.1)


def _times(process: psutil.Process) -> tuple[float, float]:
    """Return how long the main thread ran, and how long it waited for a processor."""
    with contextlib.suppress(OSError):  # Linux alone tells
        text = pathlib.Path(f"/proc/{process.pid}/schedstat").read_text("ascii")
        ran, waited, _ = map(int, text.split())
        return ran / 1e9, waited / 1e9
    times = process.cpu_times()
    return float(times.user + times.system), 0.0


def lines(found: Found) -> list[str]:
    """Return what a person reads."""
    plan = found.plan
    ratio = p99(found.attacked) / p99(found.beside)
    shares = ", ".join(f"{name} {share:.0%}" for name, share in found.shares.items())
    waited = ", ".join(f"{name} {share:.0%}" for name, share in found.waited.items())
    counted = ", ".join(f"{name} {each:,}" for name, each in found.counted.items())
    return [
        (
            f"{plan.connections:,} slow connections, max_connections"
            f" {plan.max_connections:,}, {PER_SECOND:.0f} callbacks a second to each"
            " ingress; times from when a callback was due"
        ),
        f"  before                     {_figures(found.before)}",
        f"  opening: the other ingress {_figures(found.opening[0])}",
        f"  opening: the attacked one  {_figures(found.opening[1])}",
        f"  opened: the other ingress  {_figures(found.beside)}",
        f"  opened: the attacked one   {_figures(found.attacked)}",
        f"  p99, attacked / other      {ratio:.2f}",
        f"  without a 200              {len(found.failures)} {found.failures[:10]}",
        (
            f"  memory                     {found.rss_before >> 20} MiB before,"
            f" at most {found.rss_most >> 20} MiB"
        ),
        f"  ran, of one processor      {shares}",
        f"  waited for a processor     {waited}",
        f"  the machine was busy       {found.machine:.0%}",
        f"  the attacked one counted   {counted}",
    ]


def p99(seconds: list[float]) -> float:
    """Return what 99 of 100 are not above."""
    return isolation.quantile(seconds, 0.99)


def _figures(seconds: list[float]) -> str:
    shares = {"p50": 0.5, "p99": 0.99, "most": 1.0}
    text = (
        f"{name} {isolation.quantile(seconds, share) * 1000:.2f} ms"
        for name, share in shares.items()
    )
    return f"{', '.join(text)} of {len(seconds):,}"


def _affordable() -> int:
    """Return how many connections one process may hold; raises its limit."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard - _SPARE_FILES


@contextlib.asynccontextmanager
async def _running(*asked: str) -> AsyncIterator[_Process]:
    """Run a module of the tests; it ends when its input does."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        *asked,
        cwd=_ROOT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        yield process
    finally:
        if process.stdin is not None:
            process.stdin.close()
        try:
            await asyncio.wait_for(process.wait(), 20)
        except TimeoutError:
            process.kill()
            await process.wait()


async def _line(process: _Process) -> str:
    """Return the next line that *process* writes."""
    if process.stdout is None:
        raise RuntimeError("its output is not read")
    return (await process.stdout.readline()).decode().strip()
