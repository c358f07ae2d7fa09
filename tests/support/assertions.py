"""Begin sessions whose end is known, and judge what was decided about them."""

import asyncio

from tests.support import system
from worker import model
from worker.devkit import simulators

Key = tuple[str, str]
Truths = dict[Key, str]
Histories = dict[Key, list[dict[str, object]]]


def sessions(
    running: system.System, count: int, *, latency_s: float = 0.0
) -> tuple[Truths, list[simulators.OutgoingCallback]]:
    """Return sessions of Biometric and id beyond, and their callbacks."""
    truths: Truths = {}
    callbacks: list[simulators.OutgoingCallback] = []
    for number in range(count):
        name = ("biometric", "idbeyond")[number % 2]
        outcome = (model.Outcome.APPROVED, model.Outcome.REJECTED)[number % 3 % 2]
        scenario = simulators.Scenario(outcome=outcome, latency_s=latency_s)
        session_id = running.simulators[name].add(scenario)
        truths[name, session_id] = outcome
        callbacks += running.simulators[name].callbacks(session_id)
    return truths, callbacks


async def check(running: system.System, truths: Truths) -> None:
    """Fail unless each session gets the one decision that it must have, in time."""
    found: Histories = {}
    loop = asyncio.get_running_loop()
    deadline = loop.time() + running.times.patience_s
    while not set(truths) <= set(found) and loop.time() < deadline:
        await asyncio.sleep(0.1)
        found = await running.decisions()
    wrong = {
        key: (truths.get(key), outcomes(found.get(key, [])))
        for key in truths.keys() | found.keys()
        if [(1, truths.get(key))] != outcomes(found.get(key, []))
    }
    assert not wrong, wrong


def outcomes(history: list[dict[str, object]]) -> list[tuple[object, object]]:
    """Return revision and outcome of each decision about one session."""
    return [(each["revision"], each["outcome"]) for each in history]
