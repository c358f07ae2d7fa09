"""Measure a start: from the process's beginning to its first "ready"."""

import statistics
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

from tests.bench import environment, figures

_ROUNDS = 4
_Start = Callable[
    [environment.Configured], AbstractAsyncContextManager[environment.Service]
]


async def measure(on: environment.Stage) -> list[figures.Figure]:
    """Return the figures of ``ingress`` and of ``worker`` with an empty ledger."""
    return [
        await _one(on, "ingress", on.ingress, 1.0),
        await _one(on, "worker", on.worker, 2.0),
    ]


async def _one(
    on: environment.Stage, kind: str, start: _Start, goal: float
) -> figures.Figure:
    config = await on.configured()
    walls, cpus = [], []
    for _ in range(_ROUNDS):
        async with start(config) as service:
            walls.append(service.ready_s)
            cpus.append(service.process.cpu_s())
    # The first one may compile modules; the least of the others: a start waits for
    # nothing, so that whatever comes on top is somebody else's.
    return figures.Figure(
        name=f"start_{kind}",
        what=f"Start of `{kind}` to ready, imports included",
        unit="s",
        value=min(walls[1:]),
        goal=goal,
        details={
            "median_s": statistics.median(walls[1:]),
            "cpu_s": min(cpus[1:]),
            "rounds_s": walls,
        },
    )
