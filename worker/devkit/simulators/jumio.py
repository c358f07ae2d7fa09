"""
Play Jumio: tokens, account creation, the web client, retrieval, unsigned callbacks.

Token endpoint, accounts, retrieval and web client have hosts of their own at Jumio;
here one host plays all.
"""

import base64
import secrets
import uuid
from collections.abc import Collection, Mapping
from typing import Any

import orjson
from aiohttp import web

from worker import clock as clocks
from worker import model
from worker.devkit.simulators import _account, _entry, _pages, _scenario, _server

_STATUS: Mapping[model.Outcome, str] = {
    model.Outcome.APPROVED: "PASSED",
    model.Outcome.REJECTED: "REJECTED",
    model.Outcome.PENDING: "WARNING",
}
_LAPSED = frozenset({"SESSION_EXPIRED", "TOKEN_EXPIRED"})
_USUAL_LABEL = "NO_MATCH"
_PAGE = "/web/v4/app"
_THANKS = '<p data-testid="done">Thank you.</p>'


class Jumio:
    """One tenant, and the workflow executions of its accounts."""

    name = "jumio"
    addresses = ("base_url", "auth_url", "account_url")

    def __init__(
        self, account: _account.Account, clock: clocks.Clock | None = None
    ) -> None:
        self._account = account
        self._clock = clock or clocks.SystemClock()
        self._sessions: dict[str, _scenario.SimulatedSession] = {}
        self._tokens: set[str] = set()
        #: the session of each token of the web client
        self._entries: dict[str, str] = {}
        self.token_calls = 0  #: how often a token was requested

    def app(self) -> web.Application:
        """Return the documented APIs."""
        app = web.Application()
        app.router.add_post("/oauth2/token", self._token)
        app.router.add_post("/api/v1/accounts", _pages.begins(self._create))
        app.router.add_get(
            "/api/v1/accounts/{account}/workflow-executions/{workflow}", self._result
        )
        _pages.add_page(app, _PAGE, self, self._shown, self._leave)
        return app

    def add(
        self,
        scenario: _scenario.Scenario,
        session_id: str | None = None,
        *,
        reference: str | None = None,
    ) -> str:
        """Add a finished workflow execution of an account of its own."""
        session_id = session_id or f"{uuid.uuid4()}.{uuid.uuid4()}"
        self._sessions[session_id.lower()] = _scenario.SimulatedSession(
            session_id, scenario, reference
        )
        return session_id

    def expire_tokens(self) -> None:
        """Let every access token expire, as each does after an hour."""
        self._tokens.clear()

    def held(self, session_id: str) -> _scenario.SimulatedSession:
        """Return a session as it is; raises KeyError."""
        return self._sessions[session_id.lower()]

    def sessions(self) -> Collection[_scenario.SimulatedSession]:
        """Return all sessions, in the order in which they were created."""
        return self._sessions.values()

    def callbacks(self, session_id: str) -> list[_scenario.OutgoingCallback]:
        """Return *pending_first* callbacks of the acquisition and the last one."""
        held = self._sessions[session_id.lower()]
        scenario = held.scenario
        last = scenario.status if scenario.status in _LAPSED else "PROCESSED"
        words = ["ACQUIRED"] * scenario.pending_first + [str(last)]
        return _scenario.schedule(scenario, [self._sent(held, word) for word in words])

    def truth(self, session_id: str) -> _scenario.ExpectedDecision | None:
        """Return what the session ends in."""
        scenario = self._sessions[session_id.lower()].scenario
        return _scenario.truth(scenario, scenario.status or _STATUS[scenario.outcome])

    def _sent(
        self, held: _scenario.SimulatedSession, status: str
    ) -> _scenario.OutgoingCallback:
        """Return the request, whose addresses lead elsewhere."""
        account, _, workflow = held.session_id.partition(".")
        nowhere = "https://retrieval.invalid/api/v1"
        body = {
            "callbackSentAt": clocks.format_rfc3339(self._clock.now_ms()),
            "userReference": held.reference,
            "workflowExecution": {
                "id": workflow,
                "href": f"{nowhere}/workflow-executions/{workflow}",
                "definitionKey": self._key(),
                "status": status,
            },
            "account": {"id": account, "href": f"{nowhere}/accounts/{account}"},
        }
        return _scenario.OutgoingCallback(
            delay_s=0.0,
            method="POST",
            path=self._account.webhook_path(forged=held.scenario.bad_signature),
            headers={"Content-Type": "application/json"},
            body=orjson.dumps(body),
        )

    def _key(self) -> str:
        return str(getattr(self._account.settings, "workflow_keys", (10164,))[0])

    async def _token(self, request: web.Request) -> web.Response:
        """Answer with a new access token."""
        account = self._account
        pair = f"{account.text('client_id')}:{account.text('client_secret')}"
        expected = f"Basic {base64.b64encode(pair.encode()).decode()}"
        given = await request.post()
        if request.headers.get("Authorization") != expected:
            return _server.answer({"error": "invalid_client"}, status=401)
        if given.get("grant_type") != "client_credentials":
            return _server.answer({"error": "unsupported_grant_type"}, status=400)
        self.token_calls += 1
        token = secrets.token_hex(16)
        self._tokens.add(token)
        return _server.answer(
            {"access_token": token, "expires_in": 3600, "token_type": "Bearer"}
        )

    async def _create(self, request: web.Request) -> web.Response:
        """Create an account and a workflow execution that waits for its end user."""
        if not self._is_ours(request):
            return _server.answer({"message": "Unauthorized"}, status=401)
        try:
            given = orjson.loads(await request.read())
        except orjson.JSONDecodeError:
            given = None
        if wrong := _wrong(given):
            # How a refusal names the field is not documented: this is made up.
            return _server.answer({"errors": [{"field": wrong}]}, status=400)
        reference = given["customerInternalReference"]
        session_id = self.add(_scenario.Scenario(), reference=reference)
        held = self.held(session_id)
        held.standing = _scenario.PersonState.BEGUN
        held.return_url = given.get("web", {}).get("successUrl")
        held.webhook_url = given.get("callbackUrl")
        account, _, workflow = session_id.partition(".")
        token = secrets.token_hex(16)
        self._entries[token] = session_id
        return _server.answer(
            {
                "timestamp": clocks.format_rfc3339(self._clock.now_ms()),
                "account": {"id": account},
                "web": {
                    "href": f"{request.url.origin()}{_PAGE}?authorizationToken={token}"
                },
                "sdk": {"token": "specimen"},
                "workflowExecution": {"id": workflow, "credentials": []},
            }
        )

    def _shown(self, request: web.Request) -> str:
        """Return the session of a page's token, nothing without one."""
        return self._entries.get(request.query.get("authorizationToken", ""), "")

    async def _result(self, request: web.Request) -> web.Response:
        """Answer as the session's scenario says."""
        if not self._is_ours(request):
            return _server.answer({"message": "Unauthorized"}, status=401)
        parts = request.match_info
        held = self._sessions.get(f"{parts['account']}.{parts['workflow']}".lower())
        if held is None or held.scenario.denied:
            return _server.answer({"message": "Not Found"}, status=404)
        match await _server.disturbed(held):
            case web.Response() as disturbance:
                return disturbance
            case _scenario.ResponseKind.NOT_READY:
                document = self._execution(held, None, None)
            case _scenario.ResponseKind.UNFINISHED:
                document = self._execution(held, "INITIATED", None)
            case _scenario.ResponseKind.PENDING:
                document = self._execution(held, "PROCESSED", "WARNING")
            case _:
                document = self._outcome(held)
        return _server.answer(document)

    def _outcome(self, held: _scenario.SimulatedSession) -> dict[str, Any]:
        """Return the end of the scenario."""
        scenario = held.scenario
        word = scenario.status or _STATUS[scenario.outcome]
        if word in _LAPSED:
            return self._execution(held, word, "NOT_EXECUTED", label=word)
        if scenario.unknown_word:
            word = _scenario.UNKNOWN_WORD
        label = scenario.reason or _USUAL_LABEL if word == "REJECTED" else "OK"
        return self._execution(held, "PROCESSED", word, label=label)

    def _execution(
        self,
        held: _scenario.SimulatedSession,
        status: str | None,
        kind: str | None,
        *,
        label: str = "OK",
    ) -> dict[str, Any]:
        """Return a workflow execution in the shape of the documentation's sample."""
        account, _, workflow = held.session_id.partition(".")
        document: dict[str, Any] = {
            "workflow": {
                "id": workflow,
                "status": status,
                "definitionKey": self._key(),
                "userReference": held.reference,
                "customerInternalReference": held.reference,
            },
            "account": {"id": account},
            "completedAt": clocks.format_rfc3339(self._clock.now_ms()),
            "credentials": [],
        }
        if kind is not None:
            document["decision"] = {"type": kind, "details": {"label": kind}}
            if kind in {"PASSED", "REJECTED"}:
                decision = {"type": kind, "details": {"label": label}}
                document["capabilities"] = {"similarity": [{"decision": decision}]}
        return document

    def _is_ours(self, request: web.Request) -> bool:
        """Return whether the caller shows a token that has not expired."""
        shown = request.headers.get("Authorization", "")
        return shown.removeprefix("Bearer ") in self._tokens

    def _leave(
        self,
        _: web.Request,
        held: _scenario.SimulatedSession,
    ) -> web.Response:
        """Redirect the browser of an end user who has finished, or say thanks."""
        if held.return_url is None:
            return _pages.page(self.name, _THANKS)
        account, _dot, workflow = held.session_id.partition(".")
        return _pages.back(
            held.return_url,
            {
                "accountId": account,
                "workflowExecutionId": workflow,
                "acquisitionStatus": "SUCCESS",
            },
        )


def _wrong(given: object) -> str | None:
    """Return the first required field that is not as documented."""
    if not isinstance(given, dict):
        return "body"
    reference = given.get("customerInternalReference")
    if not isinstance(reference, str) or not reference:
        return "customerInternalReference"
    workflow = given.get("workflowDefinition")
    if not isinstance(workflow, dict) or not isinstance(workflow.get("key"), int):
        return "workflowDefinition"
    return None if isinstance(given.get("web", {}), dict) else "web"


ENTRY = _entry.SimulatorEntry(
    build=Jumio,
    addresses=Jumio.addresses,
    rejected=model.Reason.BIOMETRIC_FAILED,
    pending=model.Reason.UNDER_REVIEW,
    rejections=((None, None), (None, "MANIPULATED_DOCUMENT"), ("TOKEN_EXPIRED", None)),
)
