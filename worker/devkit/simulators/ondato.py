"""Play Ondato: tokens, verifications, KYC identifications, signed events."""

import secrets
import uuid
from collections.abc import Mapping
from typing import Any, ClassVar

import orjson
from aiohttp import web

from worker import clock as clocks
from worker import model, signing
from worker.devkit.simulators import (
    _account,
    _entry,
    _scenario,
    _server,
    _sessions,
)

_SCHEME = signing.TimestampedHmac("Ondato-Signature", signature_key="s")
_VERIFICATIONS = "/v1/identity-verifications/{session_id}"
_IDENTIFICATIONS = "/v1/identifications/{kyc_id}"
#: Verifications that end without an identification.
_UNIDENTIFIED = frozenset({"Pending", "InProgress", "Expired", "Aborted"})


class Ondato(_sessions.SignedSimulator):
    """One application, and its verifications."""

    name = "ondato"
    addresses = ("base_url", "identification_url", "auth_url")
    statuses: ClassVar[Mapping[model.Outcome, str]] = {
        model.Outcome.APPROVED: "Approved",
        model.Outcome.REJECTED: "Rejected",
        model.Outcome.PENDING: "Processed",
    }

    def __init__(
        self, account: _account.Account, clock: clocks.Clock | None = None
    ) -> None:
        super().__init__(account, clock)
        self._tokens: set[str] = set()
        #: the last status that was answered for a verification, by identification
        self._identified: dict[str, tuple[_scenario.SimulatedSession, str]] = {}

    def app(self) -> web.Application:
        """Return the documented APIs, on one host."""
        app = web.Application()
        app.router.add_post("/connect/token", self._token)
        app.router.add_get(_VERIFICATIONS, self._verification)
        app.router.add_get(_IDENTIFICATIONS, self._identification)
        return app

    def new_id(self) -> str:
        """Return an id as Ondato makes them."""
        return str(uuid.uuid4())

    def bodies(self, held: _scenario.SimulatedSession) -> list[bytes]:
        """Return the events: consent, reviews, and the end."""
        last = self.status(held.scenario)
        kinds = ["Consented", *["Processed"] * held.scenario.pending_first, last]
        return [
            orjson.dumps(self._event(held, kind, place))
            for place, kind in enumerate(kinds)
        ]

    def _event(
        self, held: _scenario.SimulatedSession, kind: str, place: int
    ) -> dict[str, Any]:
        """Return the event of *kind*; a repeat keeps its id."""
        payload: dict[str, Any] = {"id": held.session_id, "status": kind}
        name = "IdentityVerification.StatusChanged"
        if kind == "Consented":
            name = "IdentityVerification.Consented"
        elif kind not in _UNIDENTIFIED:
            name = f"KycIdentification.{kind}"
            payload = self._identity(held, kind)
        return {
            "id": str(_sessions.derived_uuid(held.session_id, place)),
            "applicationId": "d73da14e-a6b9-4bb1-b9df-f3b40ba1ed34",
            "createdUtc": clocks.format_rfc3339(self.clock.now_ms()),
            "payload": payload | {"externalReferenceId": held.reference},
            "type": name,
        }

    def sign(self, key: bytes, body: bytes) -> Mapping[str, str]:
        """Return the signature header."""
        return {_SCHEME.header: _SCHEME.sign(key, body, self.now_s())}

    async def _token(self, request: web.Request) -> web.Response:
        """Answer with a new access token."""
        form = await request.post()
        given = (form.get("client_id"), form.get("client_secret"))
        ours = (self.account.text("client_id"), self.account.text("client_secret"))
        if given != ours:
            return _server.answer({"error": "invalid_client"}, status=400)
        token = secrets.token_hex(16)
        self._tokens.add(token)
        return _server.answer(
            {"access_token": token, "expires_in": 3600, "token_type": "Bearer"}
        )

    async def _verification(self, request: web.Request) -> web.Response:
        """Answer as the session's scenario says."""
        if not self._is_ours(request):
            return _refused(401, "Unauthorized")
        held = self.by_id.get(request.match_info["session_id"])
        if held is None or held.scenario.denied:
            return _refused(404, "Not found")
        match await _server.disturbed(held):
            case web.Response() as disturbance:
                return disturbance
            case _scenario.ResponseKind.NOT_READY:
                return _refused(429, "Too many requests")
            case _scenario.ResponseKind.UNFINISHED:
                status = "InProgress"
            case _scenario.ResponseKind.PENDING:
                status = "Processed"
            case _:
                status = self.status(held.scenario)
        document = {"id": held.session_id, "externalReferenceId": held.reference}
        if status in _UNIDENTIFIED:
            return _server.answer(document | {"status": status})
        kyc_id = str(_sessions.derived_uuid(held.session_id, "kyc"))
        self._identified[kyc_id] = (held, status)
        return _server.answer(
            document | {"status": "Completed", "kycIdentificationId": kyc_id}
        )

    async def _identification(self, request: web.Request) -> web.Response:
        """Answer with the identification that the verification named."""
        if not self._is_ours(request):
            return _refused(401, "Unauthorized")
        found = self._identified.get(request.match_info["kyc_id"])
        if found is None:
            return _refused(404, "Not found")
        return _server.answer(self._identity(*found))

    def _identity(
        self, held: _scenario.SimulatedSession, status: str
    ) -> dict[str, Any]:
        """Return the KYC identification of a session."""
        return {
            "id": str(_sessions.derived_uuid(held.session_id, "kyc")),
            "identityVerificationId": held.session_id,
            "status": status,
        }

    def _is_ours(self, request: web.Request) -> bool:
        """Return whether the caller has a token."""
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        return scheme == "Bearer" and token in self._tokens


def _refused(status: int, title: str) -> web.Response:
    """Return an error in Ondato's shape."""
    return _server.answer({"title": title, "status": status}, status=status)


ENTRY = _entry.SimulatorEntry(
    build=Ondato,
    addresses=Ondato.addresses,
    rejected=model.Reason.DECLINED,
    pending=model.Reason.UNDER_REVIEW,
    rejections=((None, None), ("Expired", None), ("Aborted", None)),
)
