"""Play Trulioo: tokens, exported clients, the check of the URL, signed events."""

import base64
import secrets
import uuid
from collections.abc import Mapping
from typing import Any, ClassVar

import orjson
from aiohttp import web

from worker import clock as clocks
from worker import model, signing
from worker.devkit.simulators import _account, _entry, _scenario, _server, _sessions

_SCHEME = signing.BodyHmac("x-trulioo-signature")
_CLIENT = "/wfs/export/v2/query/client/{client_id}"


class Trulioo(_sessions.SignedSimulator):
    """One account, and its end clients."""

    name = "trulioo"
    addresses = ("base_url", "auth_url")
    statuses: ClassVar[Mapping[model.Outcome, str]] = {
        model.Outcome.APPROVED: "MANUALLY_ACCEPTED",
        model.Outcome.REJECTED: "MANUALLY_REJECTED",
        model.Outcome.PENDING: "MANUALLY_PENDING_REVIEW",
    }

    def __init__(
        self, account: _account.Account, clock: clocks.Clock | None = None
    ) -> None:
        super().__init__(account, clock)
        self._tokens: set[str] = set()

    def app(self) -> web.Application:
        """Return the documented APIs, on one host."""
        app = web.Application()
        path = self.account.text("token_path") or "/connect/token"
        app.router.add_post(path, self._token)
        app.router.add_get(_CLIENT, self._client)
        return app

    def new_id(self) -> str:
        """Return an id as a company may choose it."""
        return f"client-{uuid.uuid4().hex}"

    def bodies(self, held: _scenario.SimulatedSession) -> list[bytes]:
        """Return the events: the start of the flow, reviews, and the end."""
        last = self.status(held.scenario)
        reviews = ["MANUALLY_PENDING_REVIEW"] * held.scenario.pending_first
        return [
            orjson.dumps(_event(held, name, place))
            for place, name in enumerate(["FLOW_START", *reviews, last])
        ]

    def sign(self, key: bytes, body: bytes) -> Mapping[str, str]:
        """Return the signature header."""
        return {_SCHEME.header: _SCHEME.sign(key, body)}

    async def _token(self, request: web.Request) -> web.Response:
        """Answer with a new access token."""
        pair = f"{self.account.text('client_id')}:{self.account.text('client_secret')}"
        expected = f"Basic {base64.b64encode(pair.encode()).decode()}"
        if request.headers.get("Authorization") != expected:
            return _server.answer({"error": "invalid_client"}, status=401)
        token = secrets.token_hex(16)
        self._tokens.add(token)
        return _server.answer(
            {"access_token": token, "expires_in": 3600, "token_type": "Bearer"}
        )

    async def _client(self, request: web.Request) -> web.Response:
        """Answer as the client's scenario says."""
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme != "Bearer" or token not in self._tokens:
            return _refused(401, "Unauthorized")
        held = self.by_id.get(request.match_info["client_id"])
        if held is None or held.scenario.denied:
            return _refused(404, "Not found")
        match await _server.disturbed(held):
            case web.Response() as disturbance:
                return disturbance
            case _scenario.ResponseKind.NOT_READY | _scenario.ResponseKind.UNFINISHED:
                status = None
            case _scenario.ResponseKind.PENDING:
                status = "MANUALLY_PENDING_REVIEW"
            case _:
                status = self.status(held.scenario)
        return _server.answer({"clientId": held.session_id, "status": status})


def _event(held: _scenario.SimulatedSession, name: str, place: int) -> dict[str, Any]:
    """Return the event *name* of a client; a repeat keeps its id."""
    return {
        "id": str(_sessions.derived_uuid(held.session_id, place)),
        "transactionId": str(_sessions.derived_uuid(held.session_id, "transaction")),
        "clientId": held.session_id,
        "event": {"type": name},
        "retry": 0,
    }


def _refused(status: int, message: str) -> web.Response:
    """Return an error in Trulioo's shape."""
    return _server.answer({"message": message}, status=status)


ENTRY = _entry.SimulatorEntry(
    build=Trulioo,
    addresses=Trulioo.addresses,
    rejected=model.Reason.DECLINED,
    pending=model.Reason.UNDER_REVIEW,
    unfinished=model.Reason.UNDER_REVIEW,
    rejections=((None, None), ("MANUALLY_ABANDONED", None), ("nomatch", None)),
)
