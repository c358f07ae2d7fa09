"""Start again what ends by itself, and say so."""

import asyncio
from collections.abc import Awaitable, Callable

from worker.devkit import broker
from worker.devkit.dev import console, service
from worker.devkit.dev import environment as staging

_POLL_S = 0.1
_PAUSE_S = 2.0


async def supervise(stage: staging.DevEnvironment, screen: console.Console) -> None:
    """Keep every process of *stage* running; ends only by being cancelled."""
    several = len(stage.workers) > 1
    fate = (
        "its partitions move to the others"
        if several
        else "nothing is decided and nothing lost until it is back"
    )
    watched = [
        _watch(stage.ingress, "callbacks are refused until it is back", screen),
        _watch(stage.api, "no session can be begun until it is back", screen),
        *(_watch(worker, fate, screen) for worker in stage.workers),
    ]
    if stage.kafka.node is not None:
        watched.append(_watch_broker(stage.kafka.node, screen))
    await asyncio.gather(*watched)


async def _watch(watched: service.Service, fate: str, screen: console.Console) -> None:
    while True:
        pid = watched.pid
        await _gone(watched.alive)
        await _again(f"{watched.name} (pid {pid})", fate, watched.start, screen)
        screen.say(f"{watched.name} runs again (pid {watched.pid})")


async def _watch_broker(node: broker.Node, screen: console.Console) -> None:
    async def alive() -> bool:
        return await asyncio.to_thread(lambda: node.pid is not None)

    while True:
        pid = node.pid
        await _gone(alive)
        fate = "everything waits for it"
        await _again(f"Kafka (pid {pid})", fate, node.start, screen)
        screen.say(f"Kafka runs again (pid {node.pid})")


async def _gone(alive: Callable[[], Awaitable[bool]]) -> None:
    while await alive():  # noqa: ASYNC110 -- a process tells nobody that it ends
        await asyncio.sleep(_POLL_S)


async def _again(
    name: str, fate: str, start: Callable[[], Awaitable[None]], screen: console.Console
) -> None:
    screen.say(f"{name} ended; {fate}; it starts again in {_PAUSE_S:g} s")
    await asyncio.sleep(_PAUSE_S)
    await start()
