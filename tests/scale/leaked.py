"""
Measure what a leaked webhook URL costs, and that a purge leaves nothing of it.

One worker owns all partitions. Somebody who has the URL of one source invents sessions
as fast as the ingress takes them; another source's callbacks come at an even rate, as
they did before, and some sessions of the leaked source are registered meanwhile. Then
the worker is killed and started again, and at last the source is purged.
"""

import asyncio
import contextlib
import dataclasses
import pathlib
import re
import sys
import time
from collections.abc import Sequence

import aiohttp

from tests.scale import figures, isolation
from tests.support import system
from worker.kafka import topics

CALM, LEAKED = "idbeyond", "biometric"
_IDBEYOND, _BIOMETRIC = 'provider = "idbeyond"', 'provider = "biometric"'
_PATIENCE_S = 600.0
_BETWEEN_S = 0.5


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How much is sent."""

    invented: int
    #: callbacks of the calm source before the flood, and at most beside it
    callbacks: int
    registered: int = 20
    per_second: float = 20.0
    worker_more: str = ""
    partitions: int = 24
    #: ``callback_rate_limit`` of the leaked source; None: it has none
    limit: str | None = None


@dataclasses.dataclass(slots=True, kw_only=True)
class Found:
    """What came of it; times in seconds, sizes in bytes."""

    alone: Sequence[float]
    beside: Sequence[float]
    registered: Sequence[float]
    flood: figures.Figures
    #: the worker's memory before the flood, the most beside it, and the most that a
    #: new worker took
    memory: tuple[int, int, int]
    #: sessions that waited after the flood, and until it was all taken
    waiting: int
    caught_up_s: float
    restart_s: float
    purge_s: float
    left: int

    @property
    def bound(self) -> float:
        """Return what the p99 beside the flood may be, by promise 7."""
        return 1.5 * isolation.quantile(self.alone, 0.99) + 0.010


async def measure(servers: str, prefix: str, folder: pathlib.Path, plan: Plan) -> Found:
    """Run a system of its own, and measure it by *plan*."""
    running = system.System(
        servers,
        prefix,
        folder,
        partitions=plan.partitions,
        worker_more=plan.worker_more,
    )
    config = running.config.read_text()
    config = config.replace(_IDBEYOND, f'{_IDBEYOND}\nresult = "fetch"')
    if plan.limit is not None:
        limited = f'{_BIOMETRIC}\ncallback_rate_limit = "{plan.limit}"'
        config = config.replace(_BIOMETRIC, limited)
    running.config.write_text(config)
    await topics.create(running.settings.kafka)
    rig = isolation.Rig(running, folder)
    many = dict.fromkeys(running.simulators, 0)
    many |= {CALM: 2 * plan.callbacks + 200, LEAKED: plan.registered + 1}
    rig.prepare(many)
    played = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.scale.providers", *rig.command())
    )
    reading = asyncio.create_task(rig.read())
    try:
        return await _measure(running, rig, folder, plan)
    finally:
        reading.cancel()
        played.terminate()
        await played.wait()
        for process in running.processes:
            process.popen.kill()
            process.popen.wait()


async def _measure(
    running: system.System, rig: isolation.Rig, folder: pathlib.Path, plan: Plan
) -> Found:
    ingress, worker = running.start("ingress"), running.start("worker")
    for process in (ingress, worker):
        await running.ready(process)
    warm = await rig.send(ingress, CALM, 100, plan.per_second)
    await rig.all_decided(warm)
    keys = await rig.send(ingress, CALM, plan.callbacks, plan.per_second)
    await rig.all_decided(keys)
    alone, small = rig.latencies(keys), _memory(worker)
    flooding = asyncio.create_task(_flood(running, rig, ingress, folder, plan))
    await asyncio.sleep(_BETWEEN_S)
    beside: list[tuple[str, str]] = []
    registered = asyncio.create_task(_registered(running, rig, ingress, plan))
    while not flooding.done() and len(beside) < plan.callbacks:
        beside += await rig.send(ingress, CALM, 20, plan.per_second)
    flood, since = await flooding, time.monotonic()
    known = await registered
    await _until(worker, "kyc_consumer_lag_records", 0)
    caught_up_s = time.monotonic() - since
    await rig.all_decided([*beside, *known])
    waiting = await _metric(worker, f'kyc_unanswered_sessions{{source="{LEAKED}"}}')
    most = _memory(worker, "VmHWM")
    worker.popen.kill()
    worker.popen.wait()
    since = time.monotonic()
    heir = running.start("worker")
    await running.ready(heir)
    await rig.all_decided(await rig.send(ingress, CALM, 1, plan.per_second))
    restart_s = time.monotonic() - since
    since = time.monotonic()
    await purge(running, "--apply")
    while left := await purge(running):
        if time.monotonic() > since + _PATIENCE_S:
            break
    return Found(
        alone=alone,
        beside=rig.latencies(beside),
        registered=rig.latencies(known),
        flood=flood,
        memory=(small, most, _memory(heir, "VmHWM")),
        waiting=int(waiting),
        caught_up_s=caught_up_s,
        restart_s=restart_s,
        purge_s=time.monotonic() - since,
        left=left,
    )


async def _flood(
    running: system.System,
    rig: isolation.Rig,
    ingress: system.Process,
    folder: pathlib.Path,
    plan: Plan,
) -> figures.Figures:
    session_id = rig.take(LEAKED)
    callback = running.simulators[LEAKED].callbacks(session_id)[-1]
    body = folder / "body.json"
    body.write_bytes(callback.body)
    url = f"http://127.0.0.1:{ingress.port}{callback.path}"
    return await figures.process(
        "tests.scale.flooding", url, str(body), session_id, str(plan.invented)
    )


async def _registered(
    running: system.System, rig: isolation.Rig, ingress: system.Process, plan: Plan
) -> list[tuple[str, str]]:
    """Register sessions of the leaked source, then let their callbacks come."""
    if plan.limit is not None:  # its provider would have to retry during the flood
        return []
    ids = [rig.take(LEAKED) for _ in range(plan.registered)]
    command = (sys.executable, "-m", "worker", "register", LEAKED)
    registering = await asyncio.create_subprocess_exec(
        *(*command, "--config", str(running.config)),
        stdin=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    lines_ = "".join(f"{each}\torder-{each[:8]}\n" for each in ids)
    _, words = await registering.communicate(lines_.encode())
    assert registering.returncode == 0, words
    rig.give_back(LEAKED, ids)
    return await rig.send(ingress, LEAKED, len(ids), plan.per_second / 10)


async def purge(running: system.System, *more: str) -> int:
    """Run the command; return how many sessions it has counted."""
    command = (sys.executable, "-m", "worker", "sessions", "purge")
    asked = ("--source", LEAKED, "--never-answered", "--config", str(running.config))
    process = await asyncio.create_subprocess_exec(
        *(*command, *asked, *more), stderr=asyncio.subprocess.PIPE
    )
    _, words = await process.communicate()
    counted = re.search(rb"(\d+) sessions of", words)
    assert process.returncode == 0, words
    assert counted is not None, words
    return int(counted[1])


async def _metric(process: system.Process, name: str) -> float:
    url = f"http://127.0.0.1:{process.admin_port}/metrics"
    async with aiohttp.ClientSession() as client, client.get(url) as response:
        text = await response.text()
    found = re.search(rf"^{re.escape(name)} (\S+)$", text, re.MULTILINE)
    assert found is not None, name
    return float(found[1])


async def _until(process: system.Process, name: str, most: float) -> None:
    """Wait until a metric is at *most*, twice in a row: it is read now and then."""
    deadline, times = time.monotonic() + _PATIENCE_S, 0
    while times < 2 and time.monotonic() < deadline:
        with contextlib.suppress(aiohttp.ClientError, TimeoutError):
            times = times + 1 if await _metric(process, name) <= most else 0
        await asyncio.sleep(2.5)


def _memory(process: system.Process, name: str = "VmRSS") -> int:
    """Return the bytes of memory that *process* takes, or with VmHWM the most."""
    status = pathlib.Path(f"/proc/{process.popen.pid}/status").read_text()
    found = re.search(rf"^{name}:\s+(\d+) kB$", status, re.MULTILINE)
    assert found is not None
    return int(found[1]) * 1024


def lines(found: Found) -> list[str]:
    """Return *found* for people."""
    flood, alone, beside = found.flood, found.alone, found.beside
    rate = flood["sent"] / flood["seconds"]
    before, most, heir = (each >> 20 for each in found.memory)

    def result(took: Sequence[float]) -> str:
        p50, p99 = (isolation.quantile(took, share) * 1000 for share in (0.5, 0.99))
        return f"p50 {p50:.1f} ms, p99 {p99:.1f} ms ({len(took)} sessions)"

    sent = f"{flood['sent']:,} invented sessions in {flood['seconds']:.0f} s"
    grown = f"{before} MiB before, at most {most} MiB beside it"
    waited = f"{found.waiting:,} sessions waited"
    return [
        f"{sent} ({rate:,.0f}/s), {flood['taken']:,} acknowledged",
        f"  another source alone   {result(alone)}",
        f"  beside the flood       {result(beside)}",
        f"  the bound of that p99  {found.bound * 1000:.1f} ms",
        *(
            [f"  registered meanwhile   {result(found.registered)}"]
            if found.registered
            else []
        ),
        f"  worker's memory        {grown}, at most {heir} MiB after a restart",
        f"  taken                  {found.caught_up_s:.1f} s after the last; {waited}",
        f"  kill -9 to a decision  {found.restart_s:.1f} s",
        f"  purge                  {found.purge_s:.1f} s, {found.left} left",
    ]
