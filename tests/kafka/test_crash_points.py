"""End a process at every named point of its cycle: the decisions stay the same."""

import asyncio
import pathlib
import signal
import uuid

import pytest

from tests.support import crash_points, system
from worker import model
from worker.devkit import simulators

_SESSIONS = 24
_INGRESS = ("before_publication", "after_publication")
#: which passage is the last one: late enough that something is under way
_NTH = {"restored": 1, "before_fencing": 1, "after_fencing": 1, "revoked": 1}
_USUAL_NTH = 5
_COMPARED = (
    *("decision_id", "revision", "outcome", "final", "reason", "retryable"),
    *("next_step", "flags", "supersedes", "provider_status", "provider_reason"),
)


def _begin(running: system.System) -> list[simulators.OutgoingCallback]:
    """Return the callbacks of sessions that are the same in every run."""
    callbacks = []
    for number in range(_SESSIONS):
        name = ("biometric", "idbeyond")[number % 2]
        outcome = (model.Outcome.APPROVED, model.Outcome.REJECTED)[number % 3 % 2]
        # Nothing that depends on the order of arrival: a callback that was not
        # answered comes again later, and may come after the next one.
        scenario = simulators.Scenario(outcome=outcome, latency_s=0.02, repeat=1)
        session_id = str(uuid.uuid5(uuid.NAMESPACE_URL, f"crash:{number}"))
        running.simulators[name].add(scenario, session_id)
        callbacks += running.simulators[name].callbacks(session_id)
    return callbacks


async def _decisions(
    running: system.System,
) -> dict[tuple[str, str], list[list[object]]]:
    """Return every session's decisions, once each of them is final."""
    found: dict[tuple[str, str], list[dict[str, object]]] = {}
    for _ in range(300):
        found = await running.decisions()
        ended = [history for history in found.values() if history[-1]["final"]]
        if len(ended) == _SESSIONS:
            break
        await asyncio.sleep(0.1)
    return {
        (source.split(".")[-1], session_id): [
            [decision[field] for field in _COMPARED] for decision in history
        ]
        for (source, session_id), history in found.items()
    }


@pytest.fixture(name="undisturbed", scope="module")
def _undisturbed() -> dict[tuple[str, str], list[list[object]]]:
    """Hold what the run without a crash has told, once it was made."""
    return {}


async def _run(
    kafka: str, prefix: str, folder: pathlib.Path, point: str | None
) -> dict[tuple[str, str], list[list[object]]]:
    """Return what is decided although a process ended at *point*, and was replaced."""
    async with system.System(kafka, prefix, folder, partitions=3) as running:
        ends_at = None if point is None else (point, _NTH.get(point, _USUAL_NTH))
        hurt = "ingress" if point in _INGRESS else "worker"
        ingress = running.start(
            "ingress", ends_at=ends_at if hurt == "ingress" else None
        )
        worker = running.start("worker", ends_at=ends_at if hurt == "worker" else None)
        victim = ingress if hurt == "ingress" else worker
        await running.ready(ingress)
        callbacks = _begin(running)
        driver = system.Driver([ingress], at_once=4)
        sending = asyncio.create_task(driver.send(callbacks))
        if point == "revoked":
            await running.ready(worker)
            running.start("worker")
        if point is not None:
            code = await asyncio.to_thread(victim.popen.wait, 60)
            assert code == -signal.SIGKILL, victim.logged()[-2000:]
            running.start(hurt, port=victim.port if hurt == "ingress" else None)
        await sending
        return await _decisions(running)


@pytest.mark.parametrize("point", [None, *crash_points.POINTS])
async def test_a_crash_changes_no_decision(
    kafka: str,
    topic_prefix: str,
    tmp_path: pathlib.Path,
    undisturbed: dict[tuple[str, str], list[list[object]]],
    point: str | None,
) -> None:
    """Killed exactly there and started again, it decides what it would have decided."""
    result = await _run(kafka, topic_prefix, tmp_path, point)

    assert len(result) == _SESSIONS
    if not undisturbed:
        undisturbed.update(result)
    assert undisturbed == result
