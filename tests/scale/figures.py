"""Write a ledger with history, restore it in a process of its own, tell the figures."""

import asyncio
import dataclasses
import pathlib
import subprocess
import sys
import tempfile
from typing import Any

import orjson

from tests.scale import history
from worker.devkit import broker
from worker.kafka import topics

PARTITIONS = 24
_WRITERS = 2
Figures = dict[str, Any]


async def process(module: str, *arguments: str) -> Figures:
    """Return the JSON line that ``python -m`` *module* tells."""
    running = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", module, *arguments), stdout=subprocess.PIPE
    )
    result, _ = await running.communicate()
    if running.returncode:
        raise SystemExit(f"{module} ended with {running.returncode}")
    found: Figures = orjson.loads(result)
    return found


async def write(plan: history.Plan, writers: int = _WRITERS) -> Figures:
    """Write *plan* with several processes at once; return the sums."""
    await topics.create(plan.kafka)
    parts = [
        dataclasses.replace(plan, mine=list(range(first, plan.partitions, writers)))
        for first in range(writers)
    ]
    each = await asyncio.gather(
        *(process("tests.scale.history", _argument(part)) for part in parts)
    )
    summed = {name: sum(one[name] for one in each) for name in each[0]}
    return summed | {"seconds": max(one["seconds"] for one in each)}


async def restore(plan: history.Plan, kind: str = "restore") -> Figures:
    """Return what a restore (or a ``bare`` reader) of *plan*'s ledger took."""
    return await process("tests.scale.restoring", kind, _argument(plan))


def _argument(plan: history.Plan) -> str:
    return orjson.dumps(plan).decode()


async def measure(sessions: int, version: int, rounds: int) -> Figures:
    """Write and restore *sessions*; a few times, and the best counts."""
    with tempfile.TemporaryDirectory(prefix="kyc-scale-") as folder:
        data = pathlib.Path(folder)
        async with broker.Cluster(
            data_dir=data, fast_start=False, heap_mib=1024
        ) as cluster:
            plan = history.Plan(
                servers=cluster.bootstrap_servers,
                prefix="kyc",
                partitions=PARTITIONS,
                mine=[],
                sessions=sessions // PARTITIONS,
                version=version,
            )
            written = await write(plan)
            size = _size(data)
            found: Figures = {"version": version, "written": written}
            for kind in ("bare", "restore"):
                took = [await restore(plan, kind) for _ in range(rounds)]
                found[kind] = min(took, key=lambda one: float(one["seconds"]))
            found["topic_bytes"] = size
            return found


def _size(data: pathlib.Path) -> int:
    """Return the bytes that the ledger takes on the broker's disk."""
    return sum(each.stat().st_size for each in data.rglob("kyc.ledger-*/*.log"))


def lines(found: Figures) -> list[str]:
    """Return *found* for people."""
    written, restored, bare = found["written"], found["restore"], found["bare"]
    sessions, records = restored["sessions"], restored["records"]
    topic, held = found["topic_bytes"], restored["memory_bytes"]
    head = f"ledger version {found['version']}: {sessions:,} sessions"
    history_ = f"{records:,} records in {written['transactions']:,} transactions"
    rows = {
        "in the topic": f"{topic / sessions:.0f} bytes a session with its history",
        "in memory": f"{held / sessions:.0f} bytes a session ({held >> 20:,} MiB)",
        "cold restore": _speed(restored, sessions),
        "a bare reader": _speed(bare, sessions),
    }
    return [
        f"{head}, {history_}, written in {written['seconds']:.0f} s",
        *(f"  {name:14} {result}" for name, result in rows.items()),
    ]


def _speed(took: Figures, sessions: int) -> str:
    records, seconds = took["records"], took["seconds"]
    cpu = took["cpu_seconds"] / records * 1e6
    return (
        f"{records / seconds:,.0f} records/s, {sessions / seconds:,.0f} sessions/s,"
        f" {cpu:.2f} CPU us a record ({seconds:.1f} s)"
    )
