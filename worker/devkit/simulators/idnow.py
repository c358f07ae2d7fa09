"""
Play IDnow: login, start, the person's page, the single result, the lists, callbacks.

As documented, transactions that are pending, aborted or cancelled are in their lists
only; that the single result answers 404 for them is a guess that is left open there.
"""

import base64
import hashlib
import secrets
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
    idnow_start,
)

_STATUS: Mapping[model.Outcome, str] = {
    model.Outcome.APPROVED: "SUCCESS",
    model.Outcome.REJECTED: "FRAUD_SUSPICION_CONFIRMED",
    model.Outcome.PENDING: "REVIEW_PENDING",
}
_LIST_OF: Mapping[str, str] = {
    "SUCCESS": "",
    "SUCCESS_DATA_CHANGED": "",
    "ABORTED": "aborted",
    "CANCELED": "cancelled",
    "CANCELLED": "cancelled",
}
_UNLISTED_RESULT = frozenset({"aborted", "cancelled"})


class Idnow:
    """One company, and the identifications made by it."""

    name = "idnow"
    addresses = ("base_url", "go_url")

    def __init__(
        self, account: _account.Account, clock: clocks.Clock | None = None
    ) -> None:
        self._account = account
        self._clock = clock or clocks.SystemClock()
        self._sessions: dict[str, _scenario.SimulatedSession] = {}
        #: what start was told of each, less what is said of the person
        self._custom: dict[str, dict[str, str]] = {}
        self._tokens: set[str] = set()
        self.logins = 0  #: how often somebody logged in
        self.list_calls = 0  #: how often a list was read

    def app(self) -> web.Application:
        """Return the documented API of the one company."""
        app = web.Application()
        root = f"/api/v1/{self._account.text('company_id')}"
        one = root + "/identifications/{number}"
        app.router.add_post(f"{root}/login", self._log_in)
        app.router.add_post(one + "/start", _pages.begins(self._start))
        app.router.add_get(one, self._result)
        app.router.add_get(f"{root}/identifications", self._list)
        # Chapter 6.1: the long link, and the one for an iframe. The API and these
        # pages have hosts of their own at IDnow.
        page = f"/{self._account.text('company_id')}/identifications/{{number}}"
        for path in (page, page + "/identification/start"):
            _pages.add_page(app, path, self, _number, _thanks)
        return app

    def add(
        self,
        scenario: _scenario.Scenario,
        session_id: str | None = None,
        *,
        reference: str | None = None,
    ) -> str:
        """Hold a transaction under its number, whose case does not matter."""
        session_id = session_id or f"idn-{uuid.uuid4()}"
        held = _scenario.SimulatedSession(session_id, scenario, reference)
        self._sessions[session_id.lower()] = held
        return session_id

    def expire_tokens(self) -> None:
        """Let every login token die, as each does after an hour without use."""
        self._tokens.clear()

    def held(self, session_id: str) -> _scenario.SimulatedSession:
        """Return a session as it stands; raises KeyError."""
        return self._sessions[session_id.lower()]

    def sessions(self) -> Collection[_scenario.SimulatedSession]:
        """Return all sessions, in the order in which they were made."""
        return self._sessions.values()

    def callbacks(self, session_id: str) -> list[_scenario.OutgoingCallback]:
        """Return one callback for each preliminary result and one for the last."""
        held = self._sessions[session_id.lower()]
        review = _scenario.Scenario(outcome=model.Outcome.PENDING)
        courses = [review] * held.scenario.pending_first + [held.scenario]
        return _scenario.schedule(
            held.scenario, [self._sent(held, course) for course in courses]
        )

    def truth(self, session_id: str) -> _scenario.ExpectedDecision | None:
        """Return what the transaction ends in."""
        scenario = self._sessions[session_id.lower()].scenario
        return _scenario.truth(scenario, scenario.status or _STATUS[scenario.outcome])

    def _sent(
        self, held: _scenario.SimulatedSession, course: _scenario.Scenario
    ) -> _scenario.OutgoingCallback:
        """Return the request: a POST of the identification, or a bare GET."""
        settings = self._account.settings
        path = self._account.webhook_path(forged=held.scenario.bad_signature)
        if "POST" not in settings.methods:
            query = f"?{settings.session_id_query}={held.session_id}"
            return _scenario.OutgoingCallback(
                delay_s=0.0, method="GET", path=path + query, headers={}, body=b""
            )
        return _scenario.OutgoingCallback(
            delay_s=0.0,
            method="POST",
            path=path,
            headers={"Content-Type": "application/json"},
            body=orjson.dumps(self._identification(held, course)),
        )

    def _identification(
        self, held: _scenario.SimulatedSession, course: _scenario.Scenario
    ) -> dict[str, Any]:
        """Return an identification in the shape of the vendor's sample, of nobody."""
        process = {
            "companyid": self._account.text("company_id"),
            "id": _ident_id(held.session_id),
            "href": f"/api/v1/elsewhere/identifications/{held.session_id}.zip",
            "type": "WEB",
            "transactionnumber": held.session_id.upper(),
        }
        if held.standing is _scenario.PersonState.FINISHED:
            process["result"] = _word(course)
            process["agentname"] = "SPECIMEN"
            process["identificationtime"] = clocks.format_rfc3339(self._clock.now_ms())
        if course.reason is not None:
            process["reason"] = course.reason
        field = self._account.text("reference_field") or "custom1"
        named = {field: held.reference} if held.reference else {}
        document: dict[str, Any] = {
            "identificationprocess": process,
            "customdata": dict(self._custom.get(held.session_id.lower(), named)),
            "userdata": {"firstname": {"value": "SPECIMEN", "status": "MATCH"}},
        }
        if self._account.text("product") == "esign":
            document["esigning"] = {"result": "SUCCESS", "sessionid": "specimen"}
        return document

    async def _log_in(self, request: web.Request) -> web.Response:
        """Answer with a new token; every login has its own."""
        try:
            given = orjson.loads(await request.read())
        except orjson.JSONDecodeError:
            return _refused(400, "UNPARSEABLE_JSON")
        key = given.get("apiKey") if isinstance(given, dict) else None
        if key != self._account.text("api_key"):
            return _refused(401, "SECURITY_VIOLATION")
        self.logins += 1
        token = secrets.token_hex(16)
        self._tokens.add(token)
        return _server.answer({"authToken": token})

    async def _start(self, request: web.Request) -> web.Response:
        """Make a transaction, or update one that nobody has finished."""
        if request.headers.get("X-API-KEY") != self._account.text("api_key"):
            return _refused(401, "INVALID_LOGIN_TOKEN")
        number = request.match_info["number"]
        if not idnow_start.NUMBER.fullmatch(number):
            return _refused(400, "BAD_REQUEST", "transactionnumber")
        try:
            given = idnow_start.checked(await request.read() or b"{}", self._extra())
        except idnow_start.Refused as refused:
            return _refused(400, refused.cause, refused.key)
        held = self._sessions.get(number.lower())
        if held is not None and held.standing is _scenario.PersonState.FINISHED:
            return _refused(409, "EXISTING_IDENTIFICATION")
        if new := held is None:
            held = _scenario.SimulatedSession(
                number, _scenario.Scenario(), standing=_scenario.PersonState.BEGUN
            )
            self._sessions[number.lower()] = held
        custom = {name: given[name] for name in idnow_start.CUSTOM if name in given}
        held.reference = custom.get(self._account.text("reference_field") or "")
        self._custom[number.lower()] = custom
        return _server.answer({"id": _ident_id(number)}, status=201 if new else 200)

    def _extra(self) -> tuple[str, ...]:
        """Return the fields of the account beyond the documented ones."""
        settings = self._account.settings
        names = (*getattr(settings, "begin_fields", ()), "preferredLang")
        return (*names, self._account.text("language_field") or "preferredLang")

    async def _result(self, request: web.Request) -> web.Response:
        """Answer as the transaction's scenario says; before there is a result, 404."""
        if not self._is_ours(request):
            return _refused(401, "INVALID_LOGIN_TOKEN")
        held = self._sessions.get(request.match_info["number"].lower())
        if held is None or held.scenario.denied:
            return _refused(404, "OBJECT_NOT_FOUND")
        match await _server.disturbed(held):
            case web.Response() as disturbance:
                return disturbance
            case _scenario.ResponseKind.NOT_READY | _scenario.ResponseKind.UNFINISHED:
                return _refused(404, "OBJECT_NOT_FOUND")
            case _scenario.ResponseKind.PENDING:
                course = _scenario.Scenario(outcome=model.Outcome.PENDING)
            case _:
                course = held.scenario
        if _LIST_OF.get(_word(course)) in _UNLISTED_RESULT:
            return _refused(404, "OBJECT_NOT_FOUND")
        return _server.answer(self._identification(held, course))

    async def _list(self, request: web.Request) -> web.Response:
        """Answer with the successful ones, or with the list that the query names."""
        if not self._is_ours(request):
            return _refused(401, "INVALID_LOGIN_TOKEN")
        self.list_calls += 1
        wanted = next((name for name, v in request.query.items() if v == "true"), "")
        return _server.answer(
            {
                "identifications": [
                    self._identification(held, held.scenario)
                    for held in self._sessions.values()
                    if not held.scenario.denied and _is_listed(held, wanted)
                ]
            }
        )

    def _is_ours(self, request: web.Request) -> bool:
        """Return whether the caller shows a token that lives."""
        return request.headers.get("X-API-LOGIN-TOKEN") in self._tokens


def _word(course: _scenario.Scenario) -> str:
    """Return the provider's word for what the course ends in."""
    if course.unknown_word:
        return _scenario.UNKNOWN_WORD
    return course.status or _STATUS[course.outcome]


def _is_listed(held: _scenario.SimulatedSession, wanted: str) -> bool:
    """Return whether the list *wanted* has the transaction."""
    if held.standing is not _scenario.PersonState.FINISHED:
        return wanted == "pending"
    return held.ended and _LIST_OF.get(_word(held.scenario)) == wanted


def _number(request: web.Request) -> str:
    return request.match_info["number"]


def _thanks(_: web.Request, held: _scenario.SimulatedSession) -> web.Response:  # noqa: ARG001 -- the same for all
    """End here: the way back to the company is a matter of the account, not played."""
    return _pages.page("idnow", '<p data-testid="done">Thank you.</p>')


def _ident_id(number: str) -> str:
    """Return IDnow's own id, which looks like ABC-DEFGH; the same for a number."""
    digest = hashlib.sha256(number.lower().encode()).digest()
    return f"TST-{base64.b32encode(digest).decode()[:5]}"


def _refused(status: int, cause: str, key: str | None = None) -> web.Response:
    """Return a documented error."""
    message = f"Please provide a correct value for '{key}'" if key else None
    error = {"cause": cause, "id": "487800773", "key": key, "message": message}
    return _server.answer({"errors": [error]}, status=status)


ENTRY = _entry.SimulatorEntry(
    build=Idnow,
    addresses=Idnow.addresses,
    rejected=model.Reason.FRAUD,
    pending=model.Reason.UNDER_REVIEW,
    rejections=(
        (None, None),
        ("CANCELED", "DATA_ID_EXPIRED"),
        ("CANCELED", "USER_WRONG_PERSON"),
    ),
)
