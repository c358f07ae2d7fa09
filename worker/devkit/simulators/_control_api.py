"""Steer a simulated provider over HTTP, from this machine only: ``/_sim/…``."""

import base64
import dataclasses
import ipaddress
from typing import Any

import aiohttp
import orjson
from aiohttp import web

from worker.devkit.simulators import _delivery, _pages, _protocol, _scenario
from worker.devkit.simulators._faults import answer

#: what a wish of the wrong shape raises
_BAD_WISH = (ValueError, TypeError, AttributeError, KeyError)
_NOBODY_LISTENS = (aiohttp.ClientError, OSError, ValueError)


def add(app: web.Application, simulator: _protocol.Simulator) -> None:
    """Add the endpoints that make sessions, tell of them, and play their persons."""
    control = _Control(simulator)
    root = f"/_sim/{simulator.name}"
    for method, path, handler in (
        ("POST", "/sessions", control.create),
        ("GET", "/sessions", control.list),
        ("GET", "/sessions/{session_id}", control.show),
        ("POST", "/sessions/{session_id}/person", control.act),
        ("PUT", "/dashboard", control.steer),
    ):
        app.router.add_route(method, root + path, loopback_only(handler))


class _Control:
    """The endpoints of one simulated provider."""

    def __init__(self, simulator: _protocol.Simulator) -> None:
        self._simulator = simulator

    async def create(self, request: web.Request) -> web.Response:
        """Make a finished session, and call back if there is a ``deliver_to``."""
        try:
            given = orjson.loads(await request.read())
            scenario = _scenario.Scenario.of(given.get("scenario", {}))
            session_id = self._simulator.add(
                scenario, given.get("session_id"), reference=given.get("reference")
            )
        except _BAD_WISH as error:
            return answer({"error": str(error)}, status=400)
        statuses = None
        if deliver_to := given.get("deliver_to"):
            try:
                statuses = await _delivery.deliver(
                    self._simulator.callbacks(session_id), deliver_to
                )
            except _NOBODY_LISTENS as error:
                return self._undelivered(session_id, error)
        return answer(self._session_document(session_id) | {"delivered": statuses})

    async def list(self, _: web.Request) -> web.Response:
        """Tell every session, and how far its person is."""
        return answer({"sessions": _pages.session_list(self._simulator)})

    async def show(self, request: web.Request) -> web.Response:
        """Tell one session."""
        try:
            return answer(self._session_document(request.match_info["session_id"]))
        except KeyError:
            return answer({"error": "no such session"}, status=404)

    async def act(self, request: web.Request) -> web.Response:
        """Play the person: ``{"does": "finish", "scenario": {…}, "deliver_to": …}``."""
        session_id = request.match_info["session_id"]
        try:
            given = orjson.loads(await request.read())
            deed = _pages.PersonAction(given["does"])
            scenario = _scenario.Scenario.of(given.get("scenario", {}))
            deliver_to = given.get("deliver_to")
        except _BAD_WISH as error:
            return answer({"error": str(error)}, status=400)
        try:
            statuses = await _pages.act(
                self._simulator,
                session_id,
                deed,
                scenario,
                deliver_to=deliver_to,
                dashboard=request.app[_pages.DASHBOARD],
            )
        except KeyError:
            return answer({"error": "no such session"}, status=404)
        except _pages.PersonIsThrough:
            return answer({"error": "the person is through"}, status=409)
        except _NOBODY_LISTENS as error:
            return self._undelivered(session_id, error)
        return answer(self._session_document(session_id) | {"delivered": statuses})

    async def steer(self, request: web.Request) -> web.Response:
        """Set where callbacks go, and how the next begin calls go wrong."""
        dashboard = request.app[_pages.DASHBOARD]
        try:
            given = orjson.loads(await request.read())
            if unknown := set(given) - {"ingress_url", "begins"}:
                raise ValueError(f"no such field: {', '.join(sorted(unknown))}")
            if "begins" in given:
                scenario = _scenario.Scenario.of(given["begins"])
                dashboard.begins = _scenario.SimulatedSession("begins", scenario)
            dashboard.ingress_url = given.get("ingress_url", dashboard.ingress_url)
        except _BAD_WISH as error:
            return answer({"error": str(error)}, status=400)
        return answer({"ingress_url": dashboard.ingress_url})

    def _undelivered(self, session_id: str, error: Exception) -> web.Response:
        failure = {"error": f"deliver_to: {type(error).__name__}"}
        return answer(self._session_document(session_id) | failure, status=502)

    def _session_document(self, session_id: str) -> dict[str, Any]:
        """
        Return what a driver in another process needs to know of a session.

        Without a finished person there is no truth, and nothing is called back.
        """
        standing = self._simulator.held(session_id).standing
        finished = standing is _scenario.PersonState.FINISHED
        truth = self._simulator.truth(session_id) if finished else None
        callbacks = self._simulator.callbacks(session_id) if finished else []
        return {
            "session_id": session_id,
            "standing": standing,
            "truth": dataclasses.asdict(truth) if truth else None,
            "callbacks": [
                {
                    "delay_s": callback.delay_s,
                    "method": callback.method,
                    "path": callback.path,
                    "headers": dict(callback.headers),
                    "body_base64": base64.b64encode(callback.body).decode(),
                }
                for callback in callbacks
            ],
        }


def loopback_only(handler: _pages.Handler) -> _pages.Handler:
    """Refuse every caller that is not on this machine."""

    async def guarded(request: web.Request) -> web.StreamResponse:
        remote = ipaddress.ip_address(request.remote or "0.0.0.0")  # noqa: S104 -- no bind
        if not remote.is_loopback:
            return answer({"error": "loopback only"}, status=403)
        return await handler(request)

    return guarded
