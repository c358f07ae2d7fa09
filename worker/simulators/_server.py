"""Serve a simulated provider on loopback, and steer it over HTTP."""

import asyncio
import base64
import dataclasses
import ipaddress
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Protocol

import aiohttp
import orjson
from aiohttp import web

from worker.simulators import _scenario

_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Simulator(Protocol):
    """One simulated provider, playing towards one account; sessions in memory."""

    name: str

    def app(self) -> web.Application:
        """Return the provider's documented API, without the control endpoint."""
        ...

    def add(
        self,
        scenario: _scenario.Scenario,
        session_id: str | None = None,
        *,
        reference: str | None = None,
    ) -> str:
        """Hold a session and return its id, made up where none is given."""
        ...

    def callbacks(self, session_id: str) -> list[_scenario.OutgoingCallback]:
        """Return the requests that the provider makes for it; raises KeyError."""
        ...

    def truth(self, session_id: str) -> _scenario.Truth | None:
        """Return what the session must end in, None if denied; raises KeyError."""
        ...


async def disturbed(held: _scenario.Held) -> _scenario.Turn | web.Response:
    """
    Count a result call and wait as the scenario says.

    Returns the error to answer with, or the turn that the provider answers itself.
    """
    turn = held.turn()
    await asyncio.sleep(held.scenario.latency_s)
    if turn is _scenario.Turn.HANG:
        await asyncio.Event().wait()  # until the client gives up
    if turn is _scenario.Turn.ERROR:
        retry_after = held.scenario.retry_after
        return web.Response(
            status=held.scenario.error_status,
            text="<html>simulated failure</html>",
            content_type="text/html",
            headers={"Retry-After": retry_after} if retry_after is not None else {},
        )
    return turn


def answer(document: object, *, status: int = 200) -> web.Response:
    """Return *document* as a JSON answer."""
    return web.Response(
        body=orjson.dumps(document), status=status, content_type="application/json"
    )


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """A simulated provider that is listening."""

    name: str
    host: str
    port: int
    runner: web.AppRunner = dataclasses.field(repr=False)

    @property
    def base_url(self) -> str:
        """Return what the source's ``base_url`` must be."""
        return f"http://{self.host}:{self.port}"

    async def close(self) -> None:
        """Stop listening; idempotent."""
        await self.runner.cleanup()


async def serve(
    simulator: Simulator, *, host: str = "127.0.0.1", port: int = 0
) -> Served:
    """Serve the API and ``/_sim/{provider}/sessions``; port 0 is any free port."""
    app = simulator.app()
    _add_control(app, simulator)
    runner = web.AppRunner(
        app,
        access_log=None,
        handler_cancellation=True,  # a hanging call ends with its client
        shutdown_timeout=0.1,
    )
    await runner.setup()
    site = web.TCPSite(runner, host, port)
    try:
        await site.start()
    except OSError:
        await runner.cleanup()
        raise
    return Served(
        name=simulator.name, host=host, port=runner.addresses[0][1], runner=runner
    )


async def serve_all(
    simulators: Iterable[Simulator], *, host: str = "127.0.0.1", first_port: int = 0
) -> list[Served]:
    """
    Serve each on a port of its own, in order from *first_port*; 0 is any free ones.

    A path cannot tell them apart, since ``base_url`` has none. Raises OSError where a
    port is taken; nothing is left listening then.
    """
    served: list[Served] = []
    try:
        for place, simulator in enumerate(simulators):
            port = first_port + place if first_port else 0
            served.append(await serve(simulator, host=host, port=port))
    except OSError:
        for one in served:
            await one.close()
        raise
    return served


def _add_control(app: web.Application, simulator: Simulator) -> None:
    """Add the endpoints that make a session and tell about it."""

    async def create(request: web.Request) -> web.Response:
        try:
            given = orjson.loads(await request.read())
            scenario = _scenario.Scenario.of(given.get("scenario", {}))
            session_id = simulator.add(
                scenario, given.get("session_id"), reference=given.get("reference")
            )
        except (ValueError, TypeError, AttributeError) as error:
            return answer({"error": str(error)}, status=400)
        statuses = None
        if deliver_to := given.get("deliver_to"):
            try:
                statuses = await deliver(simulator.callbacks(session_id), deliver_to)
            except (aiohttp.ClientError, OSError, ValueError) as error:
                told = {"error": f"deliver_to: {type(error).__name__}"}
                return answer(_told(simulator, session_id) | told, status=502)
        return answer(_told(simulator, session_id) | {"delivered": statuses})

    async def show(request: web.Request) -> web.Response:
        try:
            return answer(_told(simulator, request.match_info["session_id"]))
        except KeyError:
            return answer({"error": "no such session"}, status=404)

    path = f"/_sim/{simulator.name}/sessions"
    app.router.add_post(path, _loopback_only(create))
    app.router.add_get(path + "/{session_id}", _loopback_only(show))


def _loopback_only(handler: _Handler) -> _Handler:
    """Refuse every caller that is not on this machine."""

    async def guarded(request: web.Request) -> web.StreamResponse:
        remote = ipaddress.ip_address(request.remote or "0.0.0.0")  # noqa: S104 -- no bind
        if not remote.is_loopback:
            return answer({"error": "loopback only"}, status=403)
        return await handler(request)

    return guarded


def _told(simulator: Simulator, session_id: str) -> dict[str, Any]:
    """Return what a driver in another process needs to know of a session."""
    truth = simulator.truth(session_id)
    return {
        "session_id": session_id,
        "truth": dataclasses.asdict(truth) if truth else None,
        "callbacks": [
            {
                "delay_s": callback.delay_s,
                "method": callback.method,
                "path": callback.path,
                "headers": dict(callback.headers),
                "body_base64": base64.b64encode(callback.body).decode(),
            }
            for callback in simulator.callbacks(session_id)
        ],
    }


async def deliver(
    callbacks: list[_scenario.OutgoingCallback], ingress_url: str
) -> list[int]:
    """Send *callbacks* to the ingress, one after the other; return the statuses."""
    statuses = []
    async with aiohttp.ClientSession(trust_env=False) as session:
        for callback in callbacks:
            await asyncio.sleep(callback.delay_s)
            async with session.request(
                callback.method,
                ingress_url.rstrip("/") + callback.path,
                headers=dict(callback.headers),
                data=callback.body,
                allow_redirects=False,
            ) as response:
                statuses.append(response.status)
    return statuses
