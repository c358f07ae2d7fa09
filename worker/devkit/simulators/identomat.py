"""
Play Identomat: ``begin``, the person's page, signed results, callbacks with their key.

Errors are not documented by the vendor: 401 and 404 are the plain meaning of the
status. The ``type`` of the status callback was not visible either: ours is made up.
"""

import hmac
import secrets
import string
from collections.abc import Collection, Mapping
from typing import Any

import orjson
from aiohttp import web

from worker import clock as clocks
from worker import model, signing
from worker.devkit.simulators import (
    _account,
    _entry,
    _pages,
    _scenario,
    _server,
    identomat_arguments,
)

_SCHEME = signing.BodyHmac(
    "Authorization", encoding="base64", prefix='signature="', suffix='"'
)
_FORGED = "forged-callback-api-key"
_DONE = """<p data-testid="done">Thank you.</p>
<script>parent.postMessage('DONE', '*')</script>"""
_STATUS_EVENT = "session-status-updated"
_ALPHABET = string.ascii_lowercase + string.digits
_STATUS: Mapping[model.Outcome, str] = {
    model.Outcome.APPROVED: "approved",
    model.Outcome.REJECTED: "rejected",
    model.Outcome.PENDING: "manual_check",
}


class Identomat:
    """One company, and the sessions made by it."""

    name = "identomat"
    addresses = ("base_url",)

    def __init__(
        self,
        account: _account.Account,
        clock: clocks.Clock | None = None,  # noqa: ARG002 -- all simulators take one
    ) -> None:
        self._account = account
        self._sessions: dict[str, _scenario.SimulatedSession] = {}

    def app(self) -> web.Application:
        """Return the documented API; arguments in a JSON body, a form or a query."""
        app = web.Application()
        prefix = self._account.text("path_prefix") or ""
        begin = _pages.begins(self._begin)
        for method in ("GET", "POST"):
            app.router.add_route(method, f"{prefix}/begin/", begin)
            app.router.add_route(method, f"{prefix}/result/", self._result)
        _pages.add_page(app, "/", self, _session_token, _leave)
        return app

    def add(
        self,
        scenario: _scenario.Scenario,
        session_id: str | None = None,
        *,
        reference: str | None = None,
    ) -> str:
        """Hold a session; Identomat keeps no *reference* of the company's."""
        if session_id is None:
            session_id = "".join(secrets.choice(_ALPHABET) for _ in range(40))
        self._sessions[session_id] = _scenario.SimulatedSession(
            session_id, scenario, reference
        )
        return session_id

    def held(self, session_id: str) -> _scenario.SimulatedSession:
        """Return a session as it stands; raises KeyError."""
        return self._sessions[session_id]

    def sessions(self) -> Collection[_scenario.SimulatedSession]:
        """Return all sessions, in the order in which they were made."""
        return self._sessions.values()

    def callbacks(self, session_id: str) -> list[_scenario.OutgoingCallback]:
        """Return one callback for each preliminary result and one for the last."""
        scenario = self._sessions[session_id].scenario
        sent = self._sent(scenario, {"type": _STATUS_EVENT, "sessionId": session_id})
        return _scenario.schedule(scenario, [sent] * (scenario.pending_first + 1))

    def message(self, session_id: str) -> _scenario.OutgoingCallback:
        """Return the documented request to deliver a one-time code."""
        return self._sent(
            self._sessions[session_id].scenario,
            {
                "type": "one-time-password-request",
                "sessionId": session_id,
                "text": "Your code is 0000",
                "phoneNumber": "+995500000000",
            },
        )

    def truth(self, session_id: str) -> _scenario.ExpectedDecision | None:
        """Return what the session ends in."""
        scenario = self._sessions[session_id].scenario
        return _scenario.truth(scenario, scenario.status or _STATUS[scenario.outcome])

    def _sent(
        self, scenario: _scenario.Scenario, document: dict[str, str]
    ) -> _scenario.OutgoingCallback:
        """Return the request that carries *document*, with every proof configured."""
        forged = scenario.bad_signature
        key = _FORGED if forged else self._account.text("callback_api_keys")
        body = orjson.dumps({"callbackApiKey": key, **document})
        headers = {"Content-Type": "application/json"}
        if "hmac_body" in self._account.settings.authenticators:
            secret = _FORGED if forged else self._account.text("hmac_secrets") or ""
            headers[_SCHEME.header] = _SCHEME.sign(secret.encode(), body)
        return _scenario.OutgoingCallback(
            delay_s=0.0,
            method="POST",
            path=self._account.webhook_path(forged=forged),
            headers=headers,
            body=body,
        )

    async def _begin(self, request: web.Request) -> web.Response:
        """Begin a session that a person must finish; answer with the bare token."""
        given = await self._given(request)
        if given is None:
            return self._refused(401)
        wrong = identomat_arguments.wrong(given)
        if wrong:
            # How a refusal tells the field is not documented: this is made up.
            errors = {name: ["simulated refusal"] for name in wrong}
            return _server.answer({"errors": errors}, status=400)
        session_id = self.add(_scenario.Scenario())
        held = self.held(session_id)
        held.standing = _scenario.PersonState.BEGUN
        held.return_url = identomat_arguments.return_url(given)
        return self._signed(orjson.dumps(session_id))

    async def _result(self, request: web.Request) -> web.Response:
        """Answer as the session's scenario says."""
        given = await self._given(request)
        if given is None:
            return self._refused(401)
        held = self._sessions.get(str(given.get("session_token")))
        if held is None or held.scenario.denied:
            return self._refused(404)
        match await _server.disturbed(held):
            case web.Response() as disturbance:
                return disturbance
            case _scenario.ResponseKind.NOT_READY | _scenario.ResponseKind.UNFINISHED:
                return self._signed(b"{}")
            case _scenario.ResponseKind.PENDING:
                course = _scenario.Scenario(outcome=model.Outcome.PENDING)
            case _:
                course = held.scenario
        return self._signed(orjson.dumps(_result(course)))

    async def _given(self, request: web.Request) -> dict[str, Any] | None:
        """Return the arguments of a call that is ours, None of any other."""
        body = await request.read()
        if request.content_type == "application/json" and body:
            try:
                given = orjson.loads(body)
            except orjson.JSONDecodeError:
                return None
        else:
            given = {**request.query, **(await request.post())}
        key = given.get("company_key") if isinstance(given, dict) else None
        secret = self._account.text("secret_key")
        if key != self._account.text("company_key"):
            return None
        if secret is not None:
            expected = _SCHEME.sign(secret.encode(), body).encode()
            shown = request.headers.get(_SCHEME.header, "").encode()
            if not hmac.compare_digest(expected, shown):
                return None
        return dict(given)

    def _signed(self, body: bytes) -> web.Response:
        """Return a successful answer, signed if the company has a secret key."""
        secret = self._account.text("secret_key")
        headers = {}
        if secret is not None:
            headers[_SCHEME.header] = _SCHEME.sign(secret.encode(), body)
        return web.Response(body=body, content_type="application/json", headers=headers)

    def _refused(self, status: int) -> web.Response:
        """Return a failed answer; those carry no signature."""
        return _server.answer({"error": "refused"}, status=status)


def _session_token(request: web.Request) -> str:
    """Return the session that the documented address names."""
    return request.query.get("session_token", "")


def _leave(_: web.Request, held: _scenario.SimulatedSession) -> web.StreamResponse:
    """
    Let the browser go as the guide says.

    Back to ``return_url`` with the token in the query, or, without one, with the word
    ``DONE`` to the page around the iframe.
    """
    if held.return_url is not None:
        return _pages.back(held.return_url, {"session_token": held.session_id})
    return _pages.page(Identomat.name, _DONE)


def _result(scenario: _scenario.Scenario) -> dict[str, object]:
    """Return a result in the shape of the vendor's samples, of nobody."""
    status = scenario.status or _STATUS[scenario.outcome]
    if scenario.unknown_word:
        status = _scenario.UNKNOWN_WORD
    rejected = scenario.outcome is model.Outcome.REJECTED
    usual = "face_mismatch" if rejected else ""
    return {
        "result": status,
        "similarity": 0.9027283530404249,
        "live": not rejected,
        "document_type": "id",
        "generalDocuments": [],
        "reject_reason": {"value": scenario.reason or usual, "description": ""},
        "result_comment": "",
        "name": "SPECIMEN SPECIMEN",
        "face_images": 1,
        "suggested": {},
        "person": {},
        "technicalDetails": {"remoteAddress": "127.0.0.1", "userAgent": "simulated"},
    }


ENTRY = _entry.SimulatorEntry(
    build=Identomat,
    addresses=Identomat.addresses,
    rejected=model.Reason.BIOMETRIC_FAILED,
    pending=model.Reason.UNDER_REVIEW,
    rejections=((None, "face_mismatch"), (None, "blurred_document")),
)
