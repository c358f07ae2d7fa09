"""
Measure the ledger: memory for a million ended sessions, and a cold restore.

A million sessions with history take minutes to write. So fewer are written, and
restored by the product itself in a process of its own; and a million are loaded into
the worker's memories as that restore does, without Kafka. What the restore's readers
leave behind in their process is added to it: its whole growth, less that of memories
of as many sessions.
"""

import uuid

from tests.bench import environment, figures
from tests.scale import figures as scale
from tests.scale import history

_SESSIONS = 1_000_000
_RESTORED = 150_000
_ROUNDS = 3
#: as `make restore` measures it; the other one is told beside it
_VERSION, _OTHER = 2, 1


async def measure(on: environment.Stage) -> list[figures.Figure]:
    """Return both figures."""
    plan = history.Plan(
        servers=on.servers,
        prefix=f"bench{uuid.uuid4().hex[:8]}",
        partitions=environment.PARTITIONS,
        mine=[],
        sessions=_RESTORED // environment.PARTITIONS,
        version=_VERSION,
    )
    written = await scale.write(plan)
    rounds = [await scale.restore(plan) for _ in range(_ROUNDS)]
    for each in rounds:
        environment.must_be(written["records"], each["records"], "records restored")
        sessions = plan.sessions * plan.partitions
        environment.must_be(sessions, each["sessions"], "sessions restored")
    bare = await scale.restore(plan, "bare")
    return [await _memory(on, rounds), _restore(rounds, written, bare)]


async def _memory(on: environment.Stage, rounds: list[scale.Figures]) -> figures.Figure:
    loaded = await _loaded(on, _SESSIONS, _VERSION)
    restored = max(each["memory_bytes"] for each in rounds) / 1e6
    readers = max(restored - await _loaded(on, _RESTORED, _VERSION), 0.0)
    return figures.Figure(
        name="ledger_memory",
        what="Ledger: memory of 1,000,000 ended sessions, loaded as restores do",
        unit="MB",
        value=loaded + readers,
        goal=350,
        details={
            "ledger_version": _VERSION,
            "sessions_mb": loaded,
            "readers_mb": readers,
            "sessions_mb_in_version_1": await _loaded(on, _SESSIONS, _OTHER),
        },
    )


async def _loaded(on: environment.Stage, sessions: int, version: int) -> float:
    """Return the MB that so many ended *sessions* take."""
    arguments = map(str, (sessions, environment.PARTITIONS, version))
    found = await on.result("filling", *arguments)
    environment.must_be(sessions, found["sessions"], "sessions in memory")
    environment.must_be(0, found["open"], "open sessions")
    return found["bytes"] / 1e6


def _restore(
    rounds: list[scale.Figures], written: scale.Figures, bare: scale.Figures
) -> figures.Figure:
    best = min(rounds, key=lambda one: float(one["seconds"]))
    return figures.Figure(
        name="ledger_restore",
        what=f"Ledger: cold restore of {_RESTORED:,} sessions with their history",
        unit="records/s",
        value=best["records"] / best["seconds"],
        goal=200_000,
        at_least=True,
        details={
            "records": best["records"],
            "transactions": written["transactions"],
            "ledger_version": _VERSION,
            "cpu_us_a_record": best["cpu_seconds"] / best["records"] * 1e6,
            "bare_reader_records_a_second": bare["records"] / bare["seconds"],
            "rounds": [each["records"] / each["seconds"] for each in rounds],
        },
    )
