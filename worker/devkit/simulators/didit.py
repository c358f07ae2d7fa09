"""Play Didit: create, hosted flow, decision, signed events."""

import uuid
from collections.abc import Mapping
from typing import Any, ClassVar

import orjson
from aiohttp import web

from worker import model, signing
from worker.devkit.simulators import _entry, _pages, _scenario, _server, _sessions

_SCHEME = signing.BodyHmac("X-Signature")
_SESSION = "/v3/session/"
_THANKS = '<p data-testid="done">Thank you.</p>'


class Didit(_sessions.SignedSimulator):
    """One application, and its sessions."""

    name = "didit"
    statuses: ClassVar[Mapping[model.Outcome, str]] = {
        model.Outcome.APPROVED: "Approved",
        model.Outcome.REJECTED: "Declined",
        model.Outcome.PENDING: "In Review",
    }

    def app(self) -> web.Application:
        """Return the documented API and the hosted flow."""
        app = web.Application()
        app.router.add_post(_SESSION, _pages.begins(self._create))
        app.router.add_get(_SESSION + "{session_id}/decision/", self._decision)
        _pages.add_page(app, "/session/{session_id}", self, _session_id, _leave)
        return app

    def new_id(self) -> str:
        """Return an id as Didit makes them."""
        return str(uuid.uuid4())

    def bodies(self, held: _scenario.SimulatedSession) -> list[bytes]:
        """Return the events: in progress, reviews, and the end."""
        last = self.status(held.scenario)
        reviews = ["In Review"] * held.scenario.pending_first
        return [
            orjson.dumps(self._event(held, status, place))
            for place, status in enumerate(["In Progress", *reviews, last])
        ]

    def _event(
        self, held: _scenario.SimulatedSession, status: str, place: int
    ) -> dict[str, Any]:
        """Return the event of *status*; a repeat keeps its id."""
        return {
            "environment": "live",
            "event_id": str(_sessions.derived_uuid(held.session_id, place)),
            "session_id": held.session_id,
            "status": status,
            "timestamp": self.now_s(),
            "vendor_data": held.reference,
            "webhook_type": "status.updated",
        }

    def sign(self, key: bytes, body: bytes) -> Mapping[str, str]:
        """Return the signature header, and the time, which it does not cover."""
        return {
            _SCHEME.header: _SCHEME.sign(key, body),
            "X-Timestamp": str(self.now_s()),
        }

    async def _create(self, request: web.Request) -> web.Response:
        """Create a session that waits for its end user."""
        if not self._is_ours(request):
            return _refused(403, "Authentication credentials were not provided.")
        try:
            given = orjson.loads(await request.read())
            workflow, target = given["workflow_id"], given.get("callback")
        except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError):
            return _refused(400, "Bad request")
        if not isinstance(workflow, str):
            return _refused(400, "Bad request")
        held = self.start(reference=given.get("vendor_data"), return_url=target)
        return _server.answer(
            {
                "session_id": held.session_id,
                "url": f"http://{request.host}/session/{held.session_id}",
                "vendor_data": held.reference,
                "status": "Not Started",
                "workflow_id": workflow,
            },
            status=201,
        )

    async def _decision(self, request: web.Request) -> web.Response:
        """Answer as the session's scenario says."""
        if not self._is_ours(request):
            return _refused(403, "Authentication credentials were not provided.")
        held = self.by_id.get(request.match_info["session_id"])
        if held is None or held.scenario.denied:
            return _refused(404, "Not found.")
        match await _server.disturbed(held):
            case web.Response() as disturbance:
                return disturbance
            case _scenario.ResponseKind.NOT_READY:
                return _refused(429, "Request was throttled.")
            case _scenario.ResponseKind.UNFINISHED:
                status = "In Progress"
            case _scenario.ResponseKind.PENDING:
                status = "In Review"
            case _:
                status = self.status(held.scenario)
        return _server.answer(
            {
                "session_id": held.session_id,
                "session_kind": "user",
                "status": status,
                "vendor_data": held.reference,
                "id_verifications": [],
            }
        )

    def _is_ours(self, request: web.Request) -> bool:
        """Return whether the caller has the API key."""
        return request.headers.get("x-api-key") == self.account.text("api_key")


def _refused(status: int, detail: str) -> web.Response:
    """Return an error in Didit's shape."""
    return _server.answer({"detail": detail}, status=status)


def _session_id(request: web.Request) -> str:
    """Return the session that the page's URL names."""
    return request.match_info["session_id"]


def _leave(_: web.Request, held: _scenario.SimulatedSession) -> web.Response:
    """Redirect to the session's ``callback`` with its id, if it has one."""
    if held.return_url is None:
        return _pages.page(Didit.name, _THANKS)
    return _pages.back(held.return_url, {"verificationSessionId": held.session_id})


ENTRY = _entry.SimulatorEntry(
    build=Didit,
    addresses=Didit.addresses,
    rejected=model.Reason.DECLINED,
    pending=model.Reason.UNDER_REVIEW,
    rejections=((None, None), ("Expired", None), ("Abandoned", None)),
)
