"""Play Shufti Pro: ``POST /status`` and callbacks, both signed."""

import base64
import uuid
from collections.abc import Collection, Mapping
from typing import Any

import orjson
from aiohttp import web

from worker import model
from worker.devkit.simulators import _account, _entry, _scenario, _server
from worker.providers.shuftipro import adapter

_EVENT: Mapping[model.Outcome, str] = {
    model.Outcome.APPROVED: "verification.accepted",
    model.Outcome.REJECTED: "verification.declined",
    model.Outcome.PENDING: "review.pending",
}
_CHECK = {"verification.accepted": 1, "verification.declined": 0}


class ShuftiPro:
    """One account, and its verifications."""

    name = "shuftipro"
    addresses = ("base_url",)

    def __init__(self, account: _account.Account) -> None:
        self._account = account
        settings = adapter.Settings.model_validate(account.settings)
        self._signature = adapter.signature(settings)
        self._sessions: dict[str, _scenario.SimulatedSession] = {}

    def app(self) -> web.Application:
        """Return the documented API."""
        app = web.Application()
        app.router.add_post("/status", self._status)
        return app

    def add(
        self,
        scenario: _scenario.Scenario,
        session_id: str | None = None,
        *,
        reference: str | None = None,
    ) -> str:
        """Add a finished verification; the company's *reference* would be its id."""
        session_id = session_id or f"sample-{uuid.uuid4()}"
        held = _scenario.SimulatedSession(session_id, scenario, reference)
        self._sessions[session_id] = held
        return session_id

    def held(self, session_id: str) -> _scenario.SimulatedSession:
        """Return a verification; raises KeyError."""
        return self._sessions[session_id]

    def sessions(self) -> Collection[_scenario.SimulatedSession]:
        """Return all verifications, in the order in which they were added."""
        return self._sessions.values()

    def callbacks(self, session_id: str) -> list[_scenario.OutgoingCallback]:
        """Return the callbacks of a verification; raises KeyError."""
        scenario = self.held(session_id).scenario
        events = ["review.pending"] * scenario.pending_first + [_event(scenario)]
        made = [self._callback(session_id, event, scenario) for event in events]
        return _scenario.schedule(scenario, made)

    def truth(self, session_id: str) -> _scenario.ExpectedDecision | None:
        """Return what the verification must end in; raises KeyError."""
        scenario = self.held(session_id).scenario
        return _scenario.truth(scenario, scenario.status or _EVENT[scenario.outcome])

    def _callback(
        self, session_id: str, event: str, scenario: _scenario.Scenario
    ) -> _scenario.OutgoingCallback:
        body = orjson.dumps(_document(session_id, event))
        key = "forged" if scenario.bad_signature else self._account.text("hmac_secrets")
        return _scenario.OutgoingCallback(
            delay_s=0,
            method="POST",
            path=self._account.webhook_path(forged=scenario.bad_signature),
            headers={
                "Content-Type": "application/json",
                self._signature.header: self._signature.sign(str(key).encode(), body),
            },
            body=body,
        )

    async def _status(self, request: web.Request) -> web.Response:
        """Answer as the verification's scenario says."""
        account = (
            f"{self._account.text('client_id')}:{self._account.text('secret_key')}"
        )
        expected = f"Basic {base64.b64encode(account.encode()).decode()}"
        if request.headers.get("Authorization") != expected:
            return _server.answer({"event": "request.unauthorized"}, status=401)
        given = orjson.loads(await request.read())
        held = self._sessions.get(str(given.get("reference")))
        if held is None or held.scenario.denied:
            return _server.answer({"event": "request.invalid"}, status=404)
        event = _event(held.scenario)
        match await _server.disturbed(held):
            case web.Response() as disturbance:
                return disturbance
            case _scenario.ResponseKind.NOT_READY | _scenario.ResponseKind.UNFINISHED:
                event = "request.pending"
            case _scenario.ResponseKind.PENDING:
                event = "review.pending"
            case _:
                pass
        response = _server.answer(_document(held.session_id, event))
        key = str(self._account.text("secret_key")).encode()
        body = orjson.dumps(_document(held.session_id, event))
        response.headers[self._signature.header] = self._signature.sign(key, body)
        return response


def _event(scenario: _scenario.Scenario) -> str:
    if scenario.unknown_word:
        return _scenario.UNKNOWN_WORD
    return scenario.status or _EVENT[scenario.outcome]


def _document(session_id: str, event: str) -> dict[str, Any]:
    checks = {"document": {"document": _CHECK.get(event)}}
    return {"reference": session_id, "event": event, "verification_result": checks}


ENTRY = _entry.SimulatorEntry(
    build=ShuftiPro,
    addresses=ShuftiPro.addresses,
    rejected=model.Reason.DECLINED,
    pending=model.Reason.UNDER_REVIEW,
    unfinished=model.Reason.IN_PROGRESS,
    rejections=((None, None), ("verification.cancelled", None)),
)
