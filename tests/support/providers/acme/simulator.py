"""Play Acme: ``GET /checks/{id}`` and the signed callback."""

import uuid
from collections.abc import Collection, Mapping

import orjson
from aiohttp import web

from tests.support.providers.acme import adapter
from worker import model
from worker.devkit.simulators import _account, _entry, _scenario, _server

_STATUS: Mapping[model.Outcome, str] = {
    model.Outcome.APPROVED: "passed",
    model.Outcome.REJECTED: "refused",
    model.Outcome.PENDING: "in_review",
}


class Acme:
    """One account, and its checks."""

    name = "acme"
    addresses = ("base_url",)

    def __init__(self, account: _account.Account) -> None:
        self._account = account
        self._sessions: dict[str, _scenario.SimulatedSession] = {}

    def app(self) -> web.Application:
        """Return the documented API."""
        app = web.Application()
        app.router.add_get("/checks/{id}", self._check)
        return app

    def add(
        self,
        scenario: _scenario.Scenario,
        session_id: str | None = None,
        *,
        reference: str | None = None,
    ) -> str:
        """Add a finished check."""
        session_id = session_id or str(uuid.uuid4())
        held = _scenario.SimulatedSession(session_id, scenario, reference)
        self._sessions[session_id] = held
        return session_id

    def held(self, session_id: str) -> _scenario.SimulatedSession:
        """Return a check; raises KeyError."""
        return self._sessions[session_id]

    def sessions(self) -> Collection[_scenario.SimulatedSession]:
        """Return all checks."""
        return self._sessions.values()

    def callbacks(self, session_id: str) -> list[_scenario.OutgoingCallback]:
        """Return the one callback of a check; raises KeyError."""
        scenario = self.held(session_id).scenario
        body = orjson.dumps({"event": "check.done", "check": session_id})
        key = "forged" if scenario.bad_signature else self._account.text("hmac_secrets")
        settings = self._account.settings
        assert isinstance(settings, adapter.Settings)
        scheme = adapter.signature(settings)
        callback = _scenario.OutgoingCallback(
            delay_s=0,
            method="POST",
            path=self._account.webhook_path(forged=scenario.bad_signature),
            headers={scheme.header: scheme.sign(str(key).encode(), body)},
            body=body,
        )
        return _scenario.schedule(scenario, [callback])

    def truth(self, session_id: str) -> _scenario.ExpectedDecision | None:
        """Return what the check must end in; raises KeyError."""
        scenario = self.held(session_id).scenario
        return _scenario.truth(scenario, scenario.status or _STATUS[scenario.outcome])

    async def _check(self, request: web.Request) -> web.Response:
        """Answer as the check's scenario says."""
        if request.headers.get("X-Api-Key") != self._account.text("api_key"):
            return _server.answer({}, status=401)
        held = self._sessions.get(request.match_info["id"])
        if held is None or held.scenario.denied:
            return _server.answer({}, status=404)
        scenario = held.scenario
        status = scenario.status or _STATUS[scenario.outcome]
        match await _server.disturbed(held):
            case web.Response() as disturbance:
                return disturbance
            case _scenario.ResponseKind.NOT_READY:
                return _server.answer({}, status=409)
            case _scenario.ResponseKind.PENDING | _scenario.ResponseKind.UNFINISHED:
                status = _STATUS[model.Outcome.PENDING]
            case _:
                status = _scenario.UNKNOWN_WORD if scenario.unknown_word else status
        return _server.answer(
            {"id": held.session_id, "status": status, "reference": held.reference}
        )


ENTRY = _entry.SimulatorEntry(
    build=Acme,
    addresses=Acme.addresses,
    rejected=model.Reason.DECLINED,
    pending=model.Reason.UNDER_REVIEW,
)
