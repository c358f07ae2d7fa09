"""Answer as simulated providers do, and fail as their scenarios say."""

import asyncio

import orjson
from aiohttp import web

from worker.devkit.simulators import _scenario


def answer(document: object, *, status: int = 200) -> web.Response:
    """Return *document* as a JSON answer."""
    return web.Response(
        body=orjson.dumps(document), status=status, content_type="application/json"
    )


async def inject_faults(
    held: _scenario.SimulatedSession,
) -> _scenario.ResponseKind | web.Response:
    """
    Count a result call and wait as the scenario says.

    Returns the error to answer with, or the turn that the provider answers itself.
    """
    turn = held.turn()
    await asyncio.sleep(held.scenario.latency_s)
    if turn is _scenario.ResponseKind.HANG:
        await never()
    if turn is _scenario.ResponseKind.ERROR:
        return failure(held.scenario)
    return turn


async def never() -> None:
    """Wait until the client gives up."""
    await asyncio.Event().wait()


def failure(scenario: _scenario.Scenario) -> web.Response:
    """Return the error that the scenario names, as a balancer would answer it."""
    retry_after = scenario.retry_after
    return web.Response(
        status=scenario.error_status,
        text="<html>simulated failure</html>",
        content_type="text/html",
        headers={"Retry-After": retry_after} if retry_after is not None else {},
    )
