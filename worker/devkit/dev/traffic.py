"""Have the simulated providers call, about once a second, with something of all."""

import asyncio
import itertools
import random
from collections.abc import Callable

from worker import model
from worker.devkit import simulators
from worker.devkit.dev import callbacks, cases, sample_config, session_starts
from worker.devkit.dev import environment as staging
from worker.devkit.simulators import Scenario

_PAUSE_S = 1.0

_REFUSED = model.Outcome.REJECTED


async def run_sample_traffic(stage: staging.DevEnvironment) -> None:
    """
    Play a session every second, each provider in turn, until cancelled.

    In every other round our own api begins them, in the others somebody else has.
    """
    chance = random.Random()  # noqa: S311 -- a pleasant mix, no secret
    under_way: set[asyncio.Task[None]] = set()
    try:
        names = sample_config.names()
        for number, source in enumerate(itertools.cycle(names), start=1):
            starts = cases.Name.BEGUN in cases.scenarios(source)
            ours = starts and (number - 1) // len(names) % 2 == 0
            play = _begun if ours else _session
            task = asyncio.create_task(play(stage, source, number, chance))
            under_way.add(task)
            task.add_done_callback(under_way.discard)
            await asyncio.sleep(_PAUSE_S)
    finally:
        for task in under_way:
            task.cancel()


async def _begun(
    stage: staging.DevEnvironment, source: str, number: int, chance: random.Random
) -> None:
    """Begin a session here, and have its person finish it."""
    session_id = await session_starts.begin(stage, source, f"begun-{number}")
    if session_id is not None:
        scenario = course(source, chance)
        await session_starts.finish(stage, source, session_id, scenario)


async def _session(
    stage: staging.DevEnvironment, source: str, number: int, chance: random.Random
) -> None:
    simulator = stage.playing[source]
    session_id = simulator.add(course(source, chance), reference=f"customer-{number}")
    await callbacks.deliver(simulator.callbacks(session_id), stage.url)


def course(source: str, chance: random.Random) -> Scenario:
    """Return how one session goes: all of them end, most of them well."""
    status, reason = chance.choice(simulators.find(source).rejections)
    delay_s = chance.uniform(1.0, 3.0)
    courses: dict[Callable[[], Scenario], int] = {
        Scenario: 35,
        lambda: Scenario(latency_s=chance.uniform(0.1, 1.5)): 10,
        lambda: Scenario(pending_first=1, callback_delay_s=delay_s): 20,
        lambda: Scenario(outcome=_REFUSED, status=status, reason=reason): 20,
        lambda: Scenario(repeat=chance.randint(1, 3)): 5,
        lambda: Scenario(not_ready=chance.randint(1, 3)): 5,
        lambda: Scenario(errors=chance.randint(1, 3)): 5,
    }
    [made] = chance.choices(list(courses), weights=list(courses.values()))
    return made()
