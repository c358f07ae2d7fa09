"""Measure the ledger: memory for ended sessions, and a cold restore with history."""

import uuid

from tests.bench import figures, stage
from tests.scale import figures as scale
from tests.scale import history

_SESSIONS = 1_000_000
#: with history, as ``make restore`` writes it, where a million takes minutes
_RESTORED = 150_000
_ROUNDS = 3
_VERSION = 2


async def measure(on: stage.Stage) -> list[figures.Figure]:
    """Return both figures."""
    return [await _memory(on), await _restore(on)]


async def _memory(on: stage.Stage) -> figures.Figure:
    arguments = map(str, (_SESSIONS, stage.PARTITIONS, _VERSION))
    told = await on.told("filling", *arguments)
    stage.must_be(_SESSIONS, told["sessions"], "sessions in memory")
    stage.must_be(0, told["open"], "open sessions")
    return figures.Figure(
        name="ledger_memory",
        what="Ledger: memory of 1,000,000 ended sessions, loaded as a restore does",
        unit="MB",
        value=told["bytes"] / 1e6,
        goal=350,
        details={"ledger_version": _VERSION},
    )


async def _restore(on: stage.Stage) -> figures.Figure:
    plan = history.Plan(
        servers=on.servers,
        prefix=f"bench{uuid.uuid4().hex[:8]}",
        partitions=stage.PARTITIONS,
        mine=[],
        sessions=_RESTORED // stage.PARTITIONS,
        version=_VERSION,
    )
    written = await scale.write(plan)
    rounds = [await scale.restore(plan) for _ in range(_ROUNDS)]
    for each in rounds:
        stage.must_be(written["records"], each["records"], "records restored")
        sessions = plan.sessions * plan.partitions
        stage.must_be(sessions, each["sessions"], "sessions restored")
    best = min(rounds, key=lambda one: float(one["seconds"]))
    bare = await scale.restore(plan, "bare")
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
            "bytes_a_session": best["memory_bytes"] / best["sessions"],
            "rounds": [each["records"] / each["seconds"] for each in rounds],
        },
    )
