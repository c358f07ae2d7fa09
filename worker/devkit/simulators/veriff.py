"""Play Veriff: create, hosted flow, decision, signed callbacks."""

import hmac
import uuid
from collections.abc import Mapping
from typing import Any, ClassVar

import orjson
from aiohttp import web

from worker import clock as clocks
from worker import model, signing
from worker.devkit.simulators import _entry, _pages, _scenario, _server, _sessions

_SCHEME = signing.BodyHmac("X-HMAC-SIGNATURE")
_CLIENT = "X-AUTH-CLIENT"
_SESSIONS = "/v1/sessions"
_THANKS = '<p data-testid="done">Thank you.</p>'
_CODES: Mapping[str, int] = {
    "approved": 9001,
    "declined": 9102,
    "resubmission_requested": 9103,
    "expired": 9104,
    "abandoned": 9104,
    "review": 9121,
}


class Veriff(_sessions.SignedSimulator):
    """One integration, and its sessions."""

    name = "veriff"
    statuses: ClassVar[Mapping[model.Outcome, str]] = {
        model.Outcome.APPROVED: "approved",
        model.Outcome.REJECTED: "declined",
        model.Outcome.PENDING: "review",
    }

    def app(self) -> web.Application:
        """Return the documented API and the hosted flow."""
        app = web.Application()
        app.router.add_post(_SESSIONS, _pages.begins(self._create))
        app.router.add_get(_SESSIONS + "/{session_id}/decision", self._decision)
        _pages.add_page(app, "/v/{session_id}", self, _session_id, _leave)
        return app

    def new_id(self) -> str:
        """Return an id as Veriff makes them."""
        return str(uuid.uuid4())

    def bodies(self, held: _scenario.SimulatedSession) -> list[bytes]:
        """Return the callbacks: started, submitted, reviews, and the end."""
        last = self.status(held.scenario)
        reviews = ["review"] * held.scenario.pending_first
        return [
            *(
                orjson.dumps(_event(held, code, action))
                for code, action in ((7001, "started"), (7002, "submitted"))
            ),
            *(
                orjson.dumps(self._document(held, status))
                for status in [*reviews, last]
            ),
        ]

    def sign(self, key: bytes, body: bytes) -> Mapping[str, str]:
        """Return the signature header, and the integration's API key."""
        return {
            _SCHEME.header: _SCHEME.sign(key, body),
            _CLIENT: self.account.text("api_key") or "",
        }

    async def _create(self, request: web.Request) -> web.Response:
        """Create a session that waits for its end user."""
        if not self._is_ours(request):
            return _refused(401, "Unauthorized")
        try:
            given = orjson.loads(await request.read())["verification"]
            reference, target = given.get("vendorData"), given.get("callback")
        except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError):
            return _refused(400, "Bad request")
        held = self.start(reference=reference, return_url=target)
        verification = {
            "id": held.session_id,
            "url": f"http://{request.host}/v/{held.session_id}",
            "vendorData": held.reference,
            "status": "created",
        }
        return _server.answer(
            {"status": "success", "verification": verification}, status=201
        )

    async def _decision(self, request: web.Request) -> web.Response:
        """Answer as the session's scenario says."""
        session_id = request.match_info["session_id"]
        key = (self.account.text("shared_secret") or "").encode()
        expected = _SCHEME.sign(key, session_id.encode())
        given = request.headers.get(_SCHEME.header, "")
        if not (self._is_ours(request) and hmac.compare_digest(given, expected)):
            return _refused(401, "Unauthorized")
        held = self.by_id.get(session_id)
        if held is None or held.scenario.denied:
            return _refused(404, "Not found")
        match await _server.disturbed(held):
            case web.Response() as disturbance:
                return disturbance
            case _scenario.ResponseKind.NOT_READY | _scenario.ResponseKind.UNFINISHED:
                return _server.answer({"status": "success", "verification": None})
            case _scenario.ResponseKind.PENDING:
                status = "review"
            case _:
                status = self.status(held.scenario)
        return _server.answer(self._document(held, status))

    def _is_ours(self, request: web.Request) -> bool:
        """Return whether the caller has the API key."""
        return request.headers.get(_CLIENT) == self.account.text("api_key")

    def _document(
        self, held: _scenario.SimulatedSession, status: str
    ) -> dict[str, Any]:
        """Return the decision with *status*."""
        verification = {
            "id": held.session_id,
            "attemptId": _attempt_id(held),
            "code": _CODES.get(status),
            "status": status,
            "vendorData": held.reference,
            "reason": None,
            "reasonCode": None,
            "decisionTime": clocks.format_rfc3339(self.clock.now_ms()),
        }
        return {"status": "success", "verification": verification}


def _event(held: _scenario.SimulatedSession, code: int, action: str) -> dict[str, Any]:
    """Return the callback that says what the end user does."""
    return {
        "id": held.session_id,
        "attemptId": _attempt_id(held),
        "feature": "selfid",
        "code": code,
        "action": action,
        "vendorData": held.reference,
    }


def _attempt_id(held: _scenario.SimulatedSession) -> str:
    """Return the id of the session's only attempt."""
    return str(_sessions.derived_uuid(held.session_id, "attempt"))


def _refused(status: int, message: str) -> web.Response:
    """Return an error in Veriff's shape."""
    return _server.answer({"status": "fail", "message": message}, status=status)


def _session_id(request: web.Request) -> str:
    """Return the session that the page's URL names."""
    return request.match_info["session_id"]


def _leave(_: web.Request, held: _scenario.SimulatedSession) -> web.Response:
    """Redirect to the ``callback`` of the session, if it has one."""
    if held.return_url is None:
        return _pages.page(Veriff.name, _THANKS)
    return _pages.back(held.return_url, {})


ENTRY = _entry.SimulatorEntry(
    build=Veriff,
    addresses=Veriff.addresses,
    rejected=model.Reason.DECLINED,
    pending=model.Reason.UNDER_REVIEW,
    unfinished=model.Reason.UNDER_REVIEW,
    rejections=((None, None), ("expired", None), ("abandoned", None)),
)
