"""Play Plaid: the attempt, the verification key, and callbacks signed with ES256."""

import base64
import hashlib
import secrets
import uuid
from collections.abc import Collection, Mapping
from typing import Any

import orjson
from aiohttp import web
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils

from worker import clock as clocks
from worker import model
from worker.devkit.simulators import _account, _entry, _scenario, _server

_STATUS: Mapping[model.Outcome, str] = {
    model.Outcome.APPROVED: "success",
    model.Outcome.REJECTED: "failed",
    model.Outcome.PENDING: "pending_review",
}
_USUAL_STEP = "documentary_verification"
_STEPS = (
    "accept_tos",
    "verify_sms",
    "kyc_check",
    "documentary_verification",
    "selfie_check",
    "watchlist_screening",
    "risk_check",
)


class Plaid:
    """One client, its attempts, and the key that signs its callbacks."""

    name = "plaid"
    addresses = ("base_url",)

    def __init__(
        self, account: _account.Account, clock: clocks.Clock | None = None
    ) -> None:
        self._account = account
        self._clock = clock or clocks.SystemClock()
        self._sessions: dict[str, _scenario.SimulatedSession] = {}
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._forger = ec.generate_private_key(ec.SECP256R1())
        self._key_id = str(uuid.uuid4())

    def app(self) -> web.Application:
        """Return the documented API."""
        app = web.Application()
        app.router.add_post("/identity_verification/get", self._get)
        app.router.add_post("/webhook_verification_key/get", self._get_key)
        return app

    def add(
        self,
        scenario: _scenario.Scenario,
        session_id: str | None = None,
        *,
        reference: str | None = None,
    ) -> str:
        """Add a finished attempt."""
        session_id = session_id or f"idv_{secrets.token_hex(7)}"
        held = _scenario.SimulatedSession(session_id, scenario, reference)
        self._sessions[session_id] = held
        return session_id

    def held(self, session_id: str) -> _scenario.SimulatedSession:
        """Return an attempt; raises KeyError."""
        return self._sessions[session_id]

    def sessions(self) -> Collection[_scenario.SimulatedSession]:
        """Return all attempts, in the order in which they were added."""
        return self._sessions.values()

    def callbacks(self, session_id: str) -> list[_scenario.OutgoingCallback]:
        """Return the callbacks of an attempt; raises KeyError."""
        scenario = self.held(session_id).scenario
        made = [
            self._callback(session_id, forged=scenario.bad_signature)
            for _ in range(1 + scenario.pending_first)
        ]
        return _scenario.schedule(scenario, made)

    def truth(self, session_id: str) -> _scenario.ExpectedDecision | None:
        """Return what the attempt must end in; raises KeyError."""
        scenario = self.held(session_id).scenario
        return _scenario.truth(scenario, scenario.status or _STATUS[scenario.outcome])

    def _callback(self, session_id: str, *, forged: bool) -> _scenario.OutgoingCallback:
        body = orjson.dumps(
            {
                "webhook_type": "IDENTITY_VERIFICATION",
                "webhook_code": "STATUS_UPDATED",
                "identity_verification_id": session_id,
                "environment": "sandbox",
            }
        )
        return _scenario.OutgoingCallback(
            delay_s=0,
            method="POST",
            path=self._account.webhook_path(),
            headers={
                "Content-Type": "application/json",
                "Plaid-Verification": self._token(body, forged=forged),
            },
            body=body,
        )

    def _token(self, body: bytes, *, forged: bool) -> str:
        """Return the JWT of *body*."""
        head = {"alg": "ES256", "kid": self._key_id, "typ": "JWT"}
        claims = {
            "iat": self._clock.now_ms() // 1000,
            "request_body_sha256": hashlib.sha256(body).hexdigest(),
        }
        signed = f"{_base64url(orjson.dumps(head))}.{_base64url(orjson.dumps(claims))}"
        key = self._forger if forged else self._key
        r, s = utils.decode_dss_signature(
            key.sign(signed.encode(), ec.ECDSA(hashes.SHA256()))
        )
        return f"{signed}.{_base64url(r.to_bytes(32) + s.to_bytes(32))}"

    async def _get(self, request: web.Request) -> web.Response:
        """Answer as the attempt's scenario says."""
        given, refusal = await self._read(request)
        if refusal is not None:
            return refusal
        held = self._sessions.get(str(given.get("identity_verification_id")))
        if held is None or held.scenario.denied:
            return _error(404, "NOT_FOUND")
        scenario = held.scenario
        status = scenario.status or _STATUS[scenario.outcome]
        match await _server.disturbed(held):
            case web.Response() as disturbance:
                return disturbance
            case _scenario.ResponseKind.NOT_READY | _scenario.ResponseKind.UNFINISHED:
                status = "active"
            case _scenario.ResponseKind.PENDING:
                status = _STATUS[model.Outcome.PENDING]
            case _:
                status = _scenario.UNKNOWN_WORD if scenario.unknown_word else status
        steps = dict.fromkeys(_STEPS, "success")
        if status == "failed":
            steps[scenario.reason or _USUAL_STEP] = "failed"
        return _server.answer(
            {
                "id": held.session_id,
                "client_user_id": held.reference or "",
                "status": status,
                "steps": steps,
                "completed_at": None
                if status in {"active", "pending_review"}
                else clocks.format_rfc3339(self._clock.now_ms()),
                "request_id": "simulated",
            }
        )

    async def _get_key(self, request: web.Request) -> web.Response:
        """Answer with the public key, if its id is asked for."""
        given, refusal = await self._read(request)
        if refusal is not None:
            return refusal
        if given.get("key_id") != self._key_id:
            return _error(400, "INVALID_WEBHOOK_VERIFICATION_KEY_ID")
        point = self._key.public_key().public_numbers()
        key = {
            "alg": "ES256",
            "crv": "P-256",
            "kid": self._key_id,
            "kty": "EC",
            "use": "sig",
            "x": _base64url(point.x.to_bytes(32)),
            "y": _base64url(point.y.to_bytes(32)),
            "created_at": 1,
            "expired_at": None,
        }
        return _server.answer({"key": key, "request_id": "simulated"})

    async def _read(
        self, request: web.Request
    ) -> tuple[dict[str, Any], web.Response | None]:
        """Return the request's document, or the refusal of a wrong account."""
        ours = (self._account.text("client_id"), self._account.text("client_secret"))
        names = ("PLAID-CLIENT-ID", "PLAID-SECRET")
        if tuple(map(request.headers.get, names)) != ours:
            return {}, _error(400, "INVALID_API_KEYS")
        try:
            given = orjson.loads(await request.read())
        except orjson.JSONDecodeError:
            given = None
        if not isinstance(given, dict):
            return {}, _error(400, "INVALID_BODY")
        return given, None


def _error(status: int, code: str) -> web.Response:
    kind = "INVALID_INPUT"
    return _server.answer({"error_type": kind, "error_code": code}, status=status)


def _base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


ENTRY = _entry.SimulatorEntry(
    build=Plaid,
    addresses=Plaid.addresses,
    rejected=model.Reason.DOCUMENT_INVALID,
    pending=model.Reason.UNDER_REVIEW,
    unfinished=model.Reason.IN_PROGRESS,
    rejections=((None, None), (None, "selfie_check"), ("expired", None)),
)
