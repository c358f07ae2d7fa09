"""Play Stripe Identity: create, hosted page, modal, retrieve, signed events."""

import urllib.parse
import uuid
from collections.abc import Mapping
from typing import Any, ClassVar

import orjson
from aiohttp import web

from worker import model, signing
from worker.devkit.simulators import _entry, _pages, _scenario, _server, _sessions

_SCHEME = signing.TimestampedHmac("Stripe-Signature")
_OBJECT = "identity.verification_session"
_SESSIONS = "/v1/identity/verification_sessions"
_THANKS = '<p data-testid="done">Thank you.</p>'
# What the modal's page and Stripe.js say to each other is not documented.
_FINISH = "<script>parent.postMessage('simulated-stripe-finished', '*')</script>"
_SCRIPT = """const home = new URL(document.currentScript.src).origin;
window.Stripe = () => ({
    verifyIdentity(secret) {
        const frame = document.createElement('iframe');
        frame.allow = 'camera';
        frame.dataset.testid = 'stripe-modal';
        frame.src = `${home}/start/${encodeURIComponent(secret)}?modal=true`;
        document.body.append(frame);
        return new Promise((resolve) => {
            window.addEventListener('message', (event) => {
                if (event.origin !== home) return;
                if (event.data !== 'simulated-stripe-finished') return;
                frame.remove();
                resolve({});
            });
        });
    },
});
"""
#: The event of each status.
_EVENTS: Mapping[str, str] = {
    word: f"{_OBJECT}.{word}"
    for word in ("processing", "requires_input", "verified", "canceled")
}


class Stripe(_sessions.SignedSimulator):
    """One account, and its verification sessions."""

    name = "stripe"
    addresses = ("base_url", "js_url")
    statuses: ClassVar[Mapping[model.Outcome, str]] = {
        model.Outcome.APPROVED: "verified",
        model.Outcome.REJECTED: "canceled",
        model.Outcome.PENDING: "processing",
    }

    def app(self) -> web.Application:
        """Return the documented API, the hosted page and Stripe.js."""
        app = web.Application()
        app.router.add_post(_SESSIONS, _pages.begins(self._create))
        app.router.add_get(_SESSIONS + "/{session_id}", self._retrieve)
        app.router.add_get("/v3/", _stripe_js)
        _pages.add_page(app, "/start/{secret}", self, _session_id, _leave)
        return app

    def new_id(self) -> str:
        """Return an id as Stripe makes them."""
        return f"vs_{uuid.uuid4().hex}"

    def bodies(self, held: _scenario.SimulatedSession) -> list[bytes]:
        """Return the events: created, processing, and the end."""
        scenario = held.scenario
        last = self.status(scenario)
        events: list[tuple[str, str]] = [(f"{_OBJECT}.created", "requires_input")]
        events += [(_EVENTS["processing"], "processing")] * scenario.pending_first
        events += [(_EVENTS.get(last, _EVENTS["requires_input"]), last)]
        return [
            orjson.dumps(
                {
                    "id": f"evt_{_sessions.derived_uuid(held.session_id, place).hex}",
                    "object": "event",
                    "type": event,
                    "created": self.now_s(),
                    "livemode": self._live,
                    "data": {"object": self._session(held, status)},
                }
            )
            for place, (event, status) in enumerate(events)
        ]

    def sign(self, key: bytes, body: bytes) -> Mapping[str, str]:
        """Return the signature header; a redelivery is signed anew."""
        return {_SCHEME.header: _SCHEME.sign(key, body, self.now_s())}

    @property
    def _live(self) -> bool:
        return self.account.settings.environment is model.Environment.LIVE

    def _session(self, held: _scenario.SimulatedSession, status: str) -> dict[str, Any]:
        """Return a session with *status*."""
        code = held.scenario.reason
        failed = status == "requires_input" and code is not None
        return {
            "id": held.session_id,
            "object": _OBJECT,
            "client_reference_id": held.reference,
            "last_error": {"code": code, "reason": "Simulated."} if failed else None,
            "livemode": self._live,
            "metadata": dict(self.metadata.get(held.session_id, {})),
            "status": status,
            "type": "document",
        }

    async def _create(self, request: web.Request) -> web.Response:
        """Create a session that waits for its end user."""
        if not self._is_ours(request):
            return _refused(401, "Invalid API Key provided")
        given = dict(urllib.parse.parse_qsl((await request.read()).decode()))
        if not {"type", "verification_flow"} & set(given):
            return _refused(400, "Missing required param: type.", param="type")
        held = self.start(
            reference=given.get("client_reference_id"),
            return_url=given.get("return_url"),
        )
        self.metadata[held.session_id] = {
            name.removeprefix("metadata[").removesuffix("]"): value
            for name, value in given.items()
            if name.startswith("metadata[")
        }
        secret = f"{held.session_id}_secret_simulated"
        return _server.answer(
            {
                **self._session(held, "requires_input"),
                "client_secret": secret,
                "url": f"{request.url.origin()}/start/{secret}",
            }
        )

    async def _retrieve(self, request: web.Request) -> web.Response:
        """Answer as the session's scenario says."""
        if not self._is_ours(request):
            return _refused(401, "Invalid API Key provided")
        held = self.by_id.get(request.match_info["session_id"])
        if held is None or held.scenario.denied:
            return _refused(404, "No such session", code="resource_missing")
        match await _server.disturbed(held):
            case web.Response() as disturbance:
                return disturbance
            case _scenario.ResponseKind.NOT_READY:
                return _refused(429, "Object locked", code="lock_timeout")
            case _scenario.ResponseKind.UNFINISHED:
                status = "requires_input"
            case _scenario.ResponseKind.PENDING:
                status = "processing"
            case _:
                status = self.status(held.scenario)
        return _server.answer(self._session(held, status))

    def _is_ours(self, request: web.Request) -> bool:
        """Return whether the caller has the secret key."""
        key = self.account.text("api_key")
        return request.headers.get("Authorization") == f"Bearer {key}"


def _refused(status: int, message: str, **more: str) -> web.Response:
    """Return an error in Stripe's shape."""
    error = {"type": "invalid_request_error", "message": message, **more}
    return _server.answer({"error": error}, status=status)


def _session_id(request: web.Request) -> str:
    """Return the session that the client secret in the page's URL names."""
    return request.match_info["secret"].partition("_secret_")[0]


def _leave(request: web.Request, held: _scenario.SimulatedSession) -> web.Response:
    """Redirect to ``return_url``, without a parameter; in the modal, finish it."""
    if "modal" in request.query or held.return_url is None:
        return _pages.page(Stripe.name, _THANKS + _FINISH)
    return _pages.back(held.return_url, {})


async def _stripe_js(_: web.Request) -> web.Response:
    """Return Stripe.js."""
    return web.Response(text=_SCRIPT, content_type="text/javascript")


ENTRY = _entry.SimulatorEntry(
    build=Stripe,
    addresses=Stripe.addresses,
    rejected=model.Reason.NOT_COMPLETED,
    pending=model.Reason.IN_PROGRESS,
    rejections=(
        (None, None),
        ("requires_input", "consent_declined"),
        ("requires_input", "under_supported_age"),
    ),
)
