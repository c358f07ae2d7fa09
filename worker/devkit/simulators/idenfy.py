"""
Play iDenfy: the token call, the end user's page, the status call, signed callbacks.

How a refusal looks beyond its identifier and message is not documented: it is made up.
"""

import base64
import secrets
import uuid
from collections.abc import Collection, Mapping
from typing import Any

import orjson
from aiohttp import web

from worker import clock as clocks
from worker import model, signing
from worker.devkit.simulators import _account, _entry, _pages, _scenario, _server

_SCHEME = signing.BodyHmac("Idenfy-Signature")
_FORGED = b"forged-signing-key"
_LIFETIME_S = 3600
_TOKEN_CHARS = 40
_STATUS: Mapping[model.Outcome, str] = {
    model.Outcome.APPROVED: "APPROVED",
    model.Outcome.REJECTED: "DENIED",
    model.Outcome.PENDING: "REVIEWING",
}
_USUAL_REASON = "FACE_MISMATCH"
_THANKS = '<p data-testid="done">Thank you.</p>'


class Idenfy:
    """One account, and the sessions started in it."""

    name = "idenfy"
    addresses = ("base_url", "ui_url")

    def __init__(
        self, account: _account.Account, clock: clocks.Clock | None = None
    ) -> None:
        self._account = account
        self._clock = clock or clocks.SystemClock()
        self._sessions: dict[str, _scenario.SimulatedSession] = {}
        self._finished_at: dict[str, int] = {}
        #: the session of each token that the token call returned
        self._tokens: dict[str, str] = {}

    def app(self) -> web.Application:
        """Return the documented API, and the page that has a host of its own there."""
        app = web.Application()
        app.router.add_post("/api/v2/token", _pages.begins(self._create))
        app.router.add_post("/api/v2/status", self._status)
        _pages.add_page(app, "/", self, self._shown, _leave)
        return app

    def add(
        self,
        scenario: _scenario.Scenario,
        session_id: str | None = None,
        *,
        reference: str | None = None,
    ) -> str:
        """Add a finished session; *reference* is its ``clientId``."""
        session_id = session_id or str(uuid.uuid4())
        self._sessions[session_id.lower()] = _scenario.SimulatedSession(
            session_id, scenario, reference
        )
        self._finished_at[session_id.lower()] = self._clock.now_ms() // 1000
        return session_id

    def held(self, session_id: str) -> _scenario.SimulatedSession:
        """Return a session as it is; raises KeyError."""
        return self._sessions[session_id.lower()]

    def sessions(self) -> Collection[_scenario.SimulatedSession]:
        """Return all sessions, in the order in which they were created."""
        return self._sessions.values()

    def callbacks(self, session_id: str) -> list[_scenario.OutgoingCallback]:
        """Return *pending_first* automatic results and the final one, all signed."""
        held = self._sessions[session_id.lower()]
        review = _scenario.Scenario(outcome=model.Outcome.PENDING)
        courses = [review] * held.scenario.pending_first + [held.scenario]
        return _scenario.schedule(
            held.scenario, [self._sent(held, course) for course in courses]
        )

    def truth(self, session_id: str) -> _scenario.ExpectedDecision | None:
        """Return what the session ends in."""
        scenario = self._sessions[session_id.lower()].scenario
        return _scenario.truth(scenario, scenario.status or _STATUS[scenario.outcome])

    def _sent(
        self, held: _scenario.SimulatedSession, course: _scenario.Scenario
    ) -> _scenario.OutgoingCallback:
        """Return the request about *held* as *course* has it."""
        forged = held.scenario.bad_signature
        checks = _checks(course)
        finished = self._finished_at[held.session_id.lower()]
        body = orjson.dumps(
            {
                "clientId": held.reference or held.session_id,
                "scanRef": held.session_id,
                "externalRef": None,
                "platform": "PC",
                "startTime": finished,
                "finishTime": finished,
                "final": course.outcome is not model.Outcome.PENDING,
                "status": {"overall": checks.pop("status"), **checks},
                "data": {"docFirstName": "SPECIMEN"},
            }
        )
        key = _FORGED if forged else (self._account.text("hmac_secrets") or "").encode()
        headers = {"Content-Type": "application/json"}
        if key:
            headers[_SCHEME.header] = _SCHEME.sign(key, body)
        return _scenario.OutgoingCallback(
            delay_s=0.0,
            method="POST",
            path=self._account.webhook_path(forged=forged),
            headers=headers,
            body=body,
        )

    async def _create(self, request: web.Request) -> web.Response:
        """Create a session that waits for its end user."""
        if not self._is_ours(request):
            return _refused(401, "UNAUTHORIZED", "Invalid API credentials.")
        given = await _object(request)
        if given is None:
            return _refused(400, "JSON_ERROR", "The body is not valid JSON.")
        reference = given.get("clientId")
        if not isinstance(reference, str) or not reference:
            return _refused(400, "MISSING_VALUE", "Field 'clientId' is required.")
        if given.get("tokenType") not in {"IDENTIFICATION", "DOCUMENT"}:
            return _refused(400, "BAD_VALUE", "Field 'tokenType' is not a type.")
        session_id = self.add(_scenario.Scenario(), reference=reference)
        held = self.held(session_id)
        held.standing = _scenario.PersonState.BEGUN
        held.return_url = given.get("successUrl")
        token = secrets.token_hex(_TOKEN_CHARS // 2)
        self._tokens[token] = session_id
        created = {
            "message": "Token created successfully",
            "authToken": token,
            "redirectUrl": f"{request.url.origin()}/?authToken={token}",
            "scanRef": session_id,
            "expiryTime": given.get("expiryTime", _LIFETIME_S),
        }
        return _server.answer(given | created, status=201)

    def _shown(self, request: web.Request) -> str:
        """Return the session of a page's token, nothing without one."""
        return self._tokens.get(request.query.get("authToken", ""), "")

    async def _status(self, request: web.Request) -> web.Response:
        """Answer as the session's scenario says."""
        if not self._is_ours(request):
            return _refused(401, "UNAUTHORIZED", "Invalid API credentials.")
        given = await _object(request) or {}
        held = self._sessions.get(str(given.get("scanRef")).lower())
        if held is None or held.scenario.denied:
            return _refused(404, "BAD_VALUE", "Field 'scanRef' is not known.")
        match await _server.disturbed(held):
            case web.Response() as disturbance:
                return disturbance
            case _scenario.ResponseKind.NOT_READY:
                document = _checks(held.scenario) | {"status": None}
            case _scenario.ResponseKind.UNFINISHED:
                document = _empty() | {"status": "ACTIVE"}
            case _scenario.ResponseKind.PENDING:
                document = _checks(_scenario.Scenario(outcome=model.Outcome.PENDING))
            case _:
                document = _checks(held.scenario)
        client_id = held.reference or held.session_id
        return _server.answer(
            document | {"scanRef": held.session_id, "clientId": client_id}
        )

    def _is_ours(self, request: web.Request) -> bool:
        """Return whether the caller shows the key and the secret."""
        pair = f"{self._account.text('api_key')}:{self._account.text('api_secret')}"
        expected = f"Basic {base64.b64encode(pair.encode()).decode()}"
        return request.headers.get("Authorization") == expected


def _checks(course: _scenario.Scenario) -> dict[str, Any]:
    """Return the status and the words of the checks; a reviewer ends every course."""
    status = course.status or _STATUS[course.outcome]
    if course.unknown_word:
        status = _scenario.UNKNOWN_WORD
    document = _empty() | {"status": status}
    paper, face = "DOC_VALIDATED", "FACE_MATCH"
    if course.outcome is model.Outcome.REJECTED:
        reason = course.reason or _USUAL_REASON
        if "FACE" in reason.partition("_")[0] or reason == "NO_FACE_FOUND":
            face = reason
        else:
            paper = reason
    document |= {"autoDocument": paper, "autoFace": face}
    if course.outcome is not model.Outcome.PENDING:
        document |= {"manualDocument": paper, "manualFace": face}
    return document


def _empty() -> dict[str, Any]:
    return {
        "fraudTags": [],
        "mismatchTags": [],
        "autoDocument": "",
        "autoFace": "",
        "manualDocument": "",
        "manualFace": "",
    }


def _leave(_: web.Request, held: _scenario.SimulatedSession) -> web.Response:
    """Redirect the browser of an end user who has finished, or say thanks."""
    if held.return_url is None:
        return _pages.page(Idenfy.name, _THANKS)
    return _pages.back(held.return_url, {})


async def _object(request: web.Request) -> dict[str, Any] | None:
    """Return the object of the body, None if it is no object."""
    try:
        given = orjson.loads(await request.read())
    except orjson.JSONDecodeError:
        return None
    return given if isinstance(given, dict) else None


def _refused(status: int, identifier: str, message: str) -> web.Response:
    """Return an error in the documented shape."""
    return _server.answer({"identifier": identifier, "message": message}, status=status)


ENTRY = _entry.SimulatorEntry(
    build=Idenfy,
    addresses=Idenfy.addresses,
    rejected=model.Reason.BIOMETRIC_FAILED,
    pending=model.Reason.UNDER_REVIEW,
    rejections=((None, None), (None, "DOC_EXPIRED"), (None, "DOC_FAKE")),
)
