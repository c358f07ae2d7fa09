"""
Play Biometric.kz "Flow": create, the hosted flow, the widget, result, webhook events.

As documented, with one technology (liveness by head position); what a refusal looks
like is not documented, so those are HTTP's own statuses with a small JSON object.
"""

import uuid
from collections.abc import Collection, Mapping
from typing import Any

import orjson
from aiohttp import web

from worker import clock as clocks
from worker import model
from worker.devkit.simulators import (
    _account,
    _entry,
    _pages,
    _scenario,
    _server,
    biometric_metadata,
)

_TECHNOLOGY = {
    "code": "LDHP",
    "name": "Liveness Head Position",
    "description": "Detect liveness by photo and head position",
}
_PASSED = {
    "result": True,
    "eye_closed": False,
    "prediction": "0.9980",
    "face_center": True,
    "face_direction": "forward",
}
_THANKS = '<p data-testid="done">Thank you.</p>'
# What the widget's page and its script say to each other is their own affair; the
# event ``finish`` on the window of the company's page is documented.
_FINISH = "<script>parent.postMessage('simulated-flow-finished', '*')</script>"
_SCRIPT = """const home = new URL(import.meta.url).origin;
window.FlowWidget = {
    startSession({ id, selector, locale }) {
        const frame = document.createElement('iframe');
        frame.allow = 'camera';
        frame.dataset.testid = 'flow-widget-frame';
        frame.src = `${home}/flow/${encodeURIComponent(id)}` +
            `?widget=true&locale=${encodeURIComponent(locale)}`;
        document.querySelector(selector).append(frame);
        window.addEventListener('message', (event) => {
            if (event.origin !== home) return;
            if (event.data !== 'simulated-flow-finished') return;
            const detail = { session_id: id };
            window.dispatchEvent(new CustomEvent('finish', { detail }));
        });
    },
};
"""
_USUAL_REASON = "CALC_RESULT: Low overall prediction"
_STATUS: Mapping[model.Outcome, str] = {
    model.Outcome.APPROVED: "FINISHED",
    model.Outcome.REJECTED: "FAILED",
    model.Outcome.PENDING: "PROGRESS",
}
_VERDICT: Mapping[model.Outcome, bool | None] = {
    model.Outcome.APPROVED: True,
    model.Outcome.REJECTED: False,
    model.Outcome.PENDING: None,
}


class Biometric:
    """One flow, and the sessions made in it."""

    name = "biometric"
    addresses = ("base_url", "remote_url")

    def __init__(
        self, account: _account.Account, clock: clocks.Clock | None = None
    ) -> None:
        self._account = account
        self._clock = clock or clocks.SystemClock()
        self._sessions: dict[str, _scenario.SimulatedSession] = {}
        self._made_at: dict[str, int] = {}

    def app(self) -> web.Application:
        """Return the documented API."""
        app = web.Application()
        create = _pages.begins(self._create)
        app.router.add_post("/api/v1/flows/session/create/", create)
        app.router.add_get("/api/v1/flows/session/result/", self._result)
        _pages.add_page(app, "/flow/{session_id}", self, _session_id, _leave)
        app.router.add_get("/widget/flow-widget.umd.js", _widget)
        return app

    def add(
        self,
        scenario: _scenario.Scenario,
        session_id: str | None = None,
        *,
        reference: str | None = None,
    ) -> str:
        """Hold a session; the provider has no field for a *reference*."""
        session_id = session_id or str(uuid.uuid4())
        held = _scenario.SimulatedSession(session_id, scenario, reference)
        self._sessions[session_id.lower()] = held
        self._made_at[session_id.lower()] = self._clock.now_ms()
        return session_id

    def held(self, session_id: str) -> _scenario.SimulatedSession:
        """Return a session as it stands; raises KeyError."""
        return self._sessions[session_id.lower()]

    def sessions(self) -> Collection[_scenario.SimulatedSession]:
        """Return all sessions, in the order in which they were made."""
        return self._sessions.values()

    def callbacks(self, session_id: str) -> list[_scenario.OutgoingCallback]:
        """Return the four events, unsigned, at the address that holds the token."""
        held = self._sessions[session_id.lower()]
        scenario = held.scenario
        path = self._account.webhook_path(forged=scenario.bad_signature)
        sent = [
            _scenario.OutgoingCallback(
                delay_s=0.0,
                method="POST",
                path=path,
                headers={"Content-Type": "application/json"},
                body=orjson.dumps(event),
            )
            for event in self._events(held)
        ]
        return _scenario.schedule(scenario, sent)

    def truth(self, session_id: str) -> _scenario.ExpectedDecision | None:
        """Return what the session ends in."""
        scenario = self._sessions[session_id.lower()].scenario
        return _scenario.truth(scenario, _status(scenario))

    def _events(self, held: _scenario.SimulatedSession) -> list[dict[str, Any]]:
        """Return one envelope an event; a repeat keeps its id."""
        passed = _VERDICT[held.scenario.outcome]
        result = _result_of(held.scenario)
        session_result = {"session_id": held.session_id} | result
        liveness = result["liveness_result"]
        start = {"technology_code": "LDHP", "technology_name": _TECHNOLOGY["name"]}
        events: list[tuple[str, bool, dict[str, Any]]] = [
            ("flow.start", True, {"technologies": ["LDHP"]}),
            ("technology.start", True, start),
            ("technology.end", passed is not False, {"liveness_result": liveness}),
            ("flow.end", passed is True, {"session_result": session_result}),
        ]
        created = self._made_at[held.session_id.lower()] // 1000
        return [
            {
                "id": str(uuid.uuid5(uuid.NAMESPACE_OID, f"{held.session_id} {event}")),
                "event": event,
                "session_id": held.session_id,
                "created": created + place,
                "success": success,
                "flow_name": "Head position",
                "metadata": {},
                "data": data,
            }
            for place, (event, success, data) in enumerate(events)
        ]

    async def _create(self, request: web.Request) -> web.Response:
        """Begin a session that a person must finish."""
        try:
            given = orjson.loads(await request.read())
        except orjson.JSONDecodeError:
            given = None
        if not isinstance(given, dict):
            return _server.answer({"detail": "JSON object expected"}, status=400)
        if not self._is_ours(given.get("api_key")):
            return _server.answer({"detail": "Invalid API key"}, status=403)
        wrong = biometric_metadata.wrong(given.get("metadata", {}))
        if wrong:
            # How a refusal tells the field is not documented: this is made up.
            refusals = {name: ["simulated refusal"] for name in wrong}
            return _server.answer(refusals, status=400)
        session_id = self.add(_scenario.Scenario())
        self.held(session_id).standing = _scenario.PersonState.BEGUN
        return _server.answer({"session_id": session_id, "technologies": ["LDHP"]})

    async def _result(self, request: web.Request) -> web.Response:
        """Answer as the session's scenario says."""
        if not self._is_ours(request.query.get("flow_api_key")):
            return _server.answer({"detail": "Invalid API key"}, status=403)
        held = self._sessions.get(request.query.get("session_id", "").lower())
        if held is None or held.scenario.denied:
            return _server.answer({"detail": "Not found"}, status=404)
        match await _server.disturbed(held):
            case web.Response() as disturbance:
                return disturbance
            case _scenario.ResponseKind.NOT_READY:
                result = _result_of(held.scenario) | {"liveness_result": {}}
                if result["status"] == _STATUS[model.Outcome.PENDING]:
                    result["status"] = _STATUS[model.Outcome.APPROVED]
            case _scenario.ResponseKind.PENDING | _scenario.ResponseKind.UNFINISHED:
                result = _result_of(_scenario.Scenario(outcome=model.Outcome.PENDING))
            case _:
                result = _result_of(held.scenario)
        return _server.answer({"id": held.session_id} | result)

    def _is_ours(self, key: object) -> bool:
        return key == self._account.text("flow_api_key")


def _session_id(request: web.Request) -> str:
    """Return the session that the hosted flow's address names."""
    return request.match_info["session_id"]


def _leave(
    request: web.Request,
    held: _scenario.SimulatedSession,  # noqa: ARG001 -- the same for all
) -> web.StreamResponse:
    """Say thanks; inside of the widget, tell it too. There is nowhere to go back to."""
    button = _FINISH if "widget" in request.query else ""
    return _pages.page(Biometric.name, _THANKS + button)


async def _widget(_: web.Request) -> web.Response:
    """Return the widget's script, which any page may load as a module."""
    return web.Response(
        text=_SCRIPT,
        content_type="text/javascript",
        headers={"Access-Control-Allow-Origin": "*"},
    )


def _status(scenario: _scenario.Scenario) -> str:
    """Return the status word that goes with the scenario."""
    if scenario.unknown_word:
        return _scenario.UNKNOWN_WORD
    return scenario.status or _STATUS[scenario.outcome]


def _result_of(scenario: _scenario.Scenario) -> dict[str, Any]:
    """Return status, technologies, parts and verdict, without the session's id."""
    passed = _VERDICT[scenario.outcome]
    liveness: dict[str, Any] = {}
    if passed is False:
        kind, _, detail = (scenario.reason or _USUAL_REASON).partition(": ")
        reason = {"type": kind} | ({"detail": detail} if detail else {})
        liveness = {"result": False, "failure_reason": reason}
    elif passed:
        liveness = dict(_PASSED)
    return {
        "status": _status(scenario),
        "technologies": [dict(_TECHNOLOGY)],
        "liveness_result": liveness,
        "flow_session_result": passed,
    }


ENTRY = _entry.SimulatorEntry(
    build=Biometric,
    addresses=Biometric.addresses,
    rejected=model.Reason.BIOMETRIC_FAILED,
    pending=model.Reason.IN_PROGRESS,
    rejections=(
        (None, "CALC_RESULT: Low overall prediction"),
        (None, "CALC_RESULT: Mask Attack"),
        (None, "TIMEOUT"),
    ),
)
