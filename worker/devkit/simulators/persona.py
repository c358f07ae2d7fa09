"""Play Persona: create, hosted flow, retrieve, signed events."""

import uuid
from collections.abc import Mapping
from typing import Any, ClassVar

import orjson
from aiohttp import web

from worker import clock as clocks
from worker import model, signing
from worker.devkit.simulators import _entry, _pages, _scenario, _server, _sessions

_SCHEME = signing.TimestampedHmac("Persona-Signature", set_separator=" ")
_INQUIRIES = "/api/v1/inquiries"
_THANKS = '<p data-testid="done">Thank you.</p>'
#: The event of each status, where it has another name.
_EVENTS: Mapping[str, str] = {"needs_review": "marked-for-review"}


class Persona(_sessions.SignedSimulator):
    """One environment, and its inquiries."""

    name = "persona"
    addresses = ("base_url", "hosted_url")
    statuses: ClassVar[Mapping[model.Outcome, str]] = {
        model.Outcome.APPROVED: "approved",
        model.Outcome.REJECTED: "declined",
        model.Outcome.PENDING: "needs_review",
    }

    def app(self) -> web.Application:
        """Return the documented API and the hosted flow."""
        app = web.Application()
        app.router.add_post(_INQUIRIES, _pages.begins(self._create))
        app.router.add_get(_INQUIRIES + "/{inquiry_id}", self._retrieve)
        _pages.add_page(app, "/verify", self, _session_id, _leave)
        return app

    def new_id(self) -> str:
        """Return an id as Persona makes them."""
        return f"inq_{uuid.uuid4().hex}"

    def bodies(self, held: _scenario.SimulatedSession) -> list[bytes]:
        """Return the events: created, reviews, and the end."""
        last = self.status(held.scenario)
        reviews = ["needs_review"] * held.scenario.pending_first
        return [
            orjson.dumps(self._event(held, status, place))
            for place, status in enumerate(["created", *reviews, last])
        ]

    def _event(
        self, held: _scenario.SimulatedSession, status: str, place: int
    ) -> dict[str, Any]:
        """Return the event of *status*; a repeat keeps its id."""
        return {
            "data": {
                "type": "event",
                "id": f"evt_{_sessions.derived_uuid(held.session_id, place).hex}",
                "attributes": {
                    "name": f"inquiry.{_EVENTS.get(status, status)}",
                    "created-at": clocks.format_rfc3339(self.clock.now_ms()),
                    "payload": _inquiry(held, status),
                },
            }
        }

    def sign(self, key: bytes, body: bytes) -> Mapping[str, str]:
        """Return the signature header."""
        return {_SCHEME.header: _SCHEME.sign(key, body, self.now_s())}

    async def _create(self, request: web.Request) -> web.Response:
        """Create an inquiry that waits for its end user."""
        if not self._is_ours(request):
            return _refused(401, "Unauthorized")
        try:
            attributes = orjson.loads(await request.read())["data"]["attributes"]
            template = attributes["inquiry-template-id"]
        except (orjson.JSONDecodeError, KeyError, TypeError):
            return _refused(400, "Bad request")
        if not isinstance(template, str):
            return _refused(400, "Bad request")
        held = self.start(reference=attributes.get("reference-id"), return_url=None)
        return _server.answer(_inquiry(held, "created"), status=201)

    async def _retrieve(self, request: web.Request) -> web.Response:
        """Answer as the inquiry's scenario says."""
        if not self._is_ours(request):
            return _refused(401, "Unauthorized")
        held = self.by_id.get(request.match_info["inquiry_id"])
        if held is None or held.scenario.denied:
            return _refused(404, "Record not found")
        match await _server.disturbed(held):
            case web.Response() as disturbance:
                return disturbance
            case _scenario.ResponseKind.NOT_READY:
                return _refused(429, "Too many requests")
            case _scenario.ResponseKind.UNFINISHED:
                status = "pending"
            case _scenario.ResponseKind.PENDING:
                status = "needs_review"
            case _:
                status = self.status(held.scenario)
        return _server.answer(_inquiry(held, status))

    def _is_ours(self, request: web.Request) -> bool:
        """Return whether the caller has the API key."""
        key = self.account.text("api_key")
        return request.headers.get("Authorization") == f"Bearer {key}"


def _inquiry(held: _scenario.SimulatedSession, status: str) -> dict[str, Any]:
    """Return the inquiry with *status*."""
    attributes = {"status": status, "reference-id": held.reference}
    return {
        "data": {"type": "inquiry", "id": held.session_id, "attributes": attributes}
    }


def _refused(status: int, title: str) -> web.Response:
    """Return an error in Persona's shape."""
    return _server.answer({"errors": [{"title": title}]}, status=status)


def _session_id(request: web.Request) -> str:
    """Return the inquiry that the page's URL names."""
    return request.query.get("inquiry-id", "")


def _leave(request: web.Request, held: _scenario.SimulatedSession) -> web.Response:
    """Redirect to ``redirect-uri`` with the inquiry's id, if the URL has one."""
    target = request.query.get("redirect-uri")
    if target is None:
        return _pages.page(Persona.name, _THANKS)
    return _pages.back(target, {"inquiry-id": held.session_id})


ENTRY = _entry.SimulatorEntry(
    build=Persona,
    addresses=Persona.addresses,
    rejected=model.Reason.DECLINED,
    pending=model.Reason.UNDER_REVIEW,
    rejections=((None, None), ("failed", None), ("expired", None)),
)
