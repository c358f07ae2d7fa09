"""
Play id beyond (Uniicy): create, hosted flow, signed callbacks, perhaps a result call.

The result call is not documented: its path is the source's setting, its answer the
callback's own fields. Callbacks go where the create call said, signed with the secret
that it gave.
"""

import dataclasses
import hmac
import urllib.parse
import uuid
from collections.abc import Collection, Mapping
from typing import Any

import orjson
from aiohttp import web

from worker import clock as clocks
from worker import model, signing
from worker.devkit.simulators import _account, _entry, _pages, _scenario, _server
from worker.devkit.simulators import idbeyond_pages as pages

_SCHEME = signing.BodyHmac("X-Verification-Signature")
_FORGED = b"forged-webhook-secret"
_CREATE = "/api/verification/sessions"
_LIFETIME_MS = 900_000
_STATUS: Mapping[model.Outcome, str] = {
    model.Outcome.APPROVED: "approved",
    model.Outcome.REJECTED: "rejected",
    model.Outcome.PENDING: "pending_review",
}


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class _Made:
    """What the create call said of a session, and the credential that it answered."""

    at_ms: int
    token: str = dataclasses.field(default="", repr=False)
    secret: bytes | None = dataclasses.field(default=None, repr=False)
    user: str | None = None
    metadata: Mapping[str, Any] = dataclasses.field(default_factory=dict)


class IdBeyond:
    """One organisation, and the sessions made by it."""

    name = "idbeyond"
    addresses = ("base_url", "widget_url")

    def __init__(
        self, account: _account.Account, clock: clocks.Clock | None = None
    ) -> None:
        self._account = account
        self._clock = clock or clocks.SystemClock()
        self._sessions: dict[str, _scenario.SimulatedSession] = {}
        self._made: dict[str, _Made] = {}

    def app(self) -> web.Application:
        """Return the documented API, and the result call at the configured path."""
        app = web.Application()
        app.router.add_post(_CREATE, _pages.begins(self._create))
        path = self._account.text("result_path") or _CREATE + "/{session_id}"
        app.router.add_get(path, self._result)
        app.router.add_get("/", pages.module)
        _pages.add_page(app, pages.PATH, self, self._shown, _leave)
        return app

    def add(
        self,
        scenario: _scenario.Scenario,
        session_id: str | None = None,
        *,
        reference: str | None = None,
    ) -> str:
        """Hold a session; *reference* stands in its ``metadata``."""
        session_id = session_id or str(uuid.uuid4())
        field = self._account.text("reference_field") or "kyc_reference"
        self._hold(
            _scenario.SimulatedSession(session_id, scenario, reference),
            _Made(
                at_ms=self._clock.now_ms(),
                metadata={} if reference is None else {field: reference},
            ),
        )
        return session_id

    def _hold(self, held: _scenario.SimulatedSession, made: _Made) -> None:
        self._sessions[held.session_id.lower()] = held
        self._made[held.session_id.lower()] = made

    def held(self, session_id: str) -> _scenario.SimulatedSession:
        """Return a session as it stands; raises KeyError."""
        return self._sessions[session_id.lower()]

    def sessions(self) -> Collection[_scenario.SimulatedSession]:
        """Return all sessions, in the order in which they were made."""
        return self._sessions.values()

    def callbacks(self, session_id: str) -> list[_scenario.OutgoingCallback]:
        """Return the extraction, *pending_first* reviews, and the end, all signed."""
        held = self._sessions[session_id.lower()]
        scenario = held.scenario
        if scenario.denied and not self._account.settings.fetches:
            return []  # a session that is not there calls nobody
        if self._made[held.session_id.lower()].token and held.webhook_url is None:
            return []  # "Confirm that webhookUrl is set on the session"
        review = _scenario.Scenario(outcome=model.Outcome.PENDING)
        bodies = [self._told(held, "verification.extraction", {}, place=0)]
        bodies += [
            self._told(held, "verification.completed", _words(course), place=place)
            for place, course in enumerate(
                [review] * scenario.pending_first + [scenario], start=1
            )
        ]
        return _scenario.schedule(scenario, [self._sent(held, body) for body in bodies])

    def truth(self, session_id: str) -> _scenario.ExpectedDecision | None:
        """Return what the session ends in."""
        scenario = self._sessions[session_id.lower()].scenario
        word = scenario.status or _STATUS[scenario.outcome]
        return _scenario.truth(scenario, word)

    def _told(
        self,
        held: _scenario.SimulatedSession,
        event: str,
        words: Mapping[str, str | None],
        *,
        place: int,
    ) -> bytes:
        """Return a callback's body; each is a millisecond later than the one before."""
        made = self._made[held.session_id.lower()]
        return orjson.dumps(
            {
                "event": event,
                "verificationSessionId": held.session_id,
                "externalUserId": made.user,
                **words,
                "metadata": dict(made.metadata),
                "timestamp": clocks.format_rfc3339(made.at_ms + place),
            }
        )

    def _sent(
        self, held: _scenario.SimulatedSession, body: bytes
    ) -> _scenario.OutgoingCallback:
        """Return the request that carries *body*, signed unless no secret is known."""
        forged = held.scenario.bad_signature
        secret = self._made[held.session_id.lower()].secret
        if secret is None:
            secret = (self._account.text("hmac_secrets") or "").encode()
        key = _FORGED if forged else secret
        headers = {"Content-Type": "application/json"}
        if key:
            headers[_SCHEME.header] = _SCHEME.sign(key, body)
        return _scenario.OutgoingCallback(
            delay_s=0.0,
            method="POST",
            path=_path(held.webhook_url) or self._account.webhook_path(forged=forged),
            headers=headers,
            body=body,
        )

    async def _create(self, request: web.Request) -> web.Response:
        """Make a session that waits for its person."""
        if not self._is_ours(request):
            return _refused(401, "API_KEY_INVALID")
        try:
            given = orjson.loads(await request.read() or b"{}")
        except orjson.JSONDecodeError:
            given = None
        if wrong := pages.wrong_field(given):
            return _refused(400, "INVALID_REQUEST", field=wrong)
        metadata = given.get("metadata") or {}
        made = _Made(
            at_ms=self._clock.now_ms(),
            token=f"kvs_{uuid.uuid4().hex}",
            secret=(given.get("webhookSecret") or "").encode(),
            user=given.get("externalUserId"),
            metadata=metadata,
        )
        reference = metadata.get(self._account.text("reference_field") or "")
        held = _scenario.SimulatedSession(
            str(uuid.uuid4()),
            _scenario.Scenario(),
            reference if isinstance(reference, str) else None,
            standing=_scenario.PersonState.BEGUN,
            return_url=_browsable(given.get("returnUrl")),
            webhook_url=given.get("webhookUrl"),
        )
        self._hold(held, made)
        return _server.answer(
            {
                "ok": True,
                "sessionId": held.session_id,
                "token": made.token,
                "clientSecret": made.token,
                "hostedUrl": pages.hosted_url(request, held.session_id, made.token),
                "expiresAt": clocks.format_rfc3339(made.at_ms + _LIFETIME_MS),
            }
        )

    def _shown(self, request: web.Request) -> str:
        """Return the session of a page's address, nothing without its credential."""
        session_id = request.match_info["session_id"]
        made = self._made.get(session_id.lower())
        shown = request.query.get("token", "").encode()
        if made and made.token and hmac.compare_digest(made.token.encode(), shown):
            return session_id
        return ""

    async def _result(self, request: web.Request) -> web.Response:
        """Answer as the session's scenario says, before there is a result with 404."""
        if not self._is_ours(request):
            return _refused(401, "API_KEY_INVALID")
        held = self._sessions.get(request.match_info["session_id"].lower())
        if held is None or held.scenario.denied:
            return _refused(404, "NOT_FOUND")
        match await _server.disturbed(held):
            case web.Response() as disturbance:
                return disturbance
            case _scenario.ResponseKind.NOT_READY:
                return _refused(404, "NOT_FOUND")
            case _scenario.ResponseKind.UNFINISHED:
                words = {"decision": None, "reviewStatus": "none", "rationale": ""}
            case _scenario.ResponseKind.PENDING:
                words = _words(_scenario.Scenario(outcome=model.Outcome.PENDING))
            case _:
                words = _words(held.scenario)
        made = self._made[held.session_id.lower()]
        return _server.answer(
            {
                "sessionId": held.session_id,
                "externalUserId": made.user,
                **words,
                "metadata": dict(made.metadata),
            }
        )

    def _is_ours(self, request: web.Request) -> bool:
        """Return whether the caller shows the secret key."""
        key = self._account.text("api_key")
        return request.headers.get("Authorization") == f"Bearer {key}"


def _words(scenario: _scenario.Scenario) -> dict[str, str | None]:
    """Return the words of the scenario's end; a review has no decision yet."""
    word = scenario.status or _STATUS[scenario.outcome]
    rationale = scenario.reason or ""
    if scenario.unknown_word:
        word = _scenario.UNKNOWN_WORD
    elif scenario.outcome is model.Outcome.PENDING:
        return {"decision": None, "reviewStatus": word, "rationale": rationale}
    review = _STATUS[scenario.outcome]
    return {"decision": word, "reviewStatus": review, "rationale": rationale}


def _leave(_: web.Request, held: _scenario.SimulatedSession) -> web.Response:
    return pages.leave(held, str(_words(held.scenario)["reviewStatus"]))


def _path(webhook_url: str | None) -> str | None:
    """Return path and query of an address, None of none."""
    if webhook_url is None:
        return None
    parts = urllib.parse.urlsplit(webhook_url)
    return parts._replace(scheme="", netloc="", fragment="").geturl()


def _browsable(return_url: str | None) -> str | None:
    """Return *return_url* unless its scheme is one that is ignored (guide)."""
    scheme = urllib.parse.urlsplit(return_url or "").scheme
    return return_url if scheme in {"http", "https"} else None


def _refused(status: int, code: str, **more: str) -> web.Response:
    """Return an error; of the codes only ``API_KEY_INVALID`` is documented."""
    return _server.answer({"ok": False, "error": code, **more}, status=status)


ENTRY = _entry.SimulatorEntry(
    build=IdBeyond,
    addresses=IdBeyond.addresses,
    rejected=model.Reason.DECLINED,
    pending=model.Reason.UNDER_REVIEW,
)
