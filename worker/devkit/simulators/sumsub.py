"""Play Sumsub: the applicant call, signed callbacks. No session start."""

import hashlib
import hmac
import secrets
from collections.abc import Mapping
from typing import Any, ClassVar

import orjson
from aiohttp import web

from worker import clock as clocks
from worker import model, signing
from worker.devkit.simulators import _entry, _scenario, _server, _sessions

_TOLERANCE_S = 60
_ID_BYTES = 12
#: The review of each status word: status, answer, type of rejection.
_REVIEWS: Mapping[str, tuple[str, str | None, str | None]] = {
    "GREEN": ("completed", "GREEN", None),
    "RED": ("completed", "RED", "FINAL"),
}


class Sumsub(_sessions.SignedSimulator):
    """One client, and its applicants."""

    name = "sumsub"
    statuses: ClassVar[Mapping[model.Outcome, str]] = {
        model.Outcome.APPROVED: "GREEN",
        model.Outcome.REJECTED: "RED",
        model.Outcome.PENDING: "onHold",
    }

    def app(self) -> web.Application:
        """Return the documented API."""
        app = web.Application()
        app.router.add_get("/resources/applicants/{applicant_id}/one", self._one)
        return app

    def new_id(self) -> str:
        """Return an id as Sumsub makes them."""
        return secrets.token_hex(_ID_BYTES)

    def bodies(self, held: _scenario.SimulatedSession) -> list[bytes]:
        """Return the callbacks: pending, reviews, and the end."""
        last = self.status(held.scenario)
        words = ["pending", *["onHold"] * held.scenario.pending_first, last]
        return [orjson.dumps(self._callback(held, word)) for word in words]

    def _callback(self, held: _scenario.SimulatedSession, word: str) -> dict[str, Any]:
        """Return the callback of *word*."""
        names = {"pending": "applicantPending", "onHold": "applicantOnHold"}
        at = clocks.format_rfc3339(self.clock.now_ms())
        return {
            "applicantId": held.session_id,
            "externalUserId": held.reference,
            "type": names.get(word, "applicantReviewed"),
            "sandboxMode": False,
            "createdAtMs": at.replace("T", " ").removesuffix("Z"),
            **_review(word),
        }

    def sign(self, key: bytes, body: bytes) -> Mapping[str, str]:
        """Return the signature headers."""
        digest = self.account.text("webhook_digest") or "sha256"
        sign = {
            "sha1": signing.BodyHmac("X-Payload-Digest", digest="sha1"),
            "sha256": signing.BodyHmac("X-Payload-Digest", digest="sha256"),
            "sha512": signing.BodyHmac("X-Payload-Digest", digest="sha512"),
        }[digest].sign(key, body)
        return {
            "X-Payload-Digest": sign,
            "X-Payload-Digest-Alg": f"HMAC_{digest.upper()}_HEX",
        }

    async def _one(self, request: web.Request) -> web.Response:
        """Answer as the applicant's scenario says."""
        if not self._is_ours(request):
            return _refused(401, "Invalid signature")
        held = self.by_id.get(request.match_info["applicant_id"])
        if held is None or held.scenario.denied:
            return _refused(404, "Applicant not found")
        match await _server.disturbed(held):
            case web.Response() as disturbance:
                return disturbance
            case _scenario.ResponseKind.NOT_READY:
                return _refused(429, "Too many requests")
            case _scenario.ResponseKind.UNFINISHED:
                word = "init"
            case _scenario.ResponseKind.PENDING:
                word = "onHold"
            case _:
                word = self.status(held.scenario)
        return _server.answer(
            {
                "id": held.session_id,
                "externalUserId": held.reference,
                "review": _review(word),
            }
        )

    def _is_ours(self, request: web.Request) -> bool:
        """Return whether the caller signs with the secret key, and now."""
        at = request.headers.get("X-App-Access-Ts", "")
        if not at.isdigit() or abs(int(at) - self.now_s()) > _TOLERANCE_S:
            return False
        signed = f"{at}{request.method}{request.raw_path}".encode()
        key = (self.account.text("secret_key") or "").encode()
        expected = hmac.new(key, signed, hashlib.sha256).hexdigest()
        return (
            request.headers.get("X-App-Token") == self.account.text("app_token")
            and request.headers.get("X-App-Access-Sig") == expected
        )

    def truth(self, session_id: str) -> _scenario.ExpectedDecision | None:
        """Return what the session must end in; the status is that of the review."""
        scenario = self.by_id[session_id].scenario
        word = scenario.status or self.statuses[scenario.outcome]
        status, *_ = _REVIEWS.get(word, (word,))
        return _scenario.truth(scenario, status)


def _review(word: str) -> dict[str, Any]:
    """Return the review of *word*, a status where it is no answer."""
    status, answer, kind = _REVIEWS.get(word, (word, None, None))
    result = {"reviewAnswer": answer, "reviewRejectType": kind}
    review: dict[str, Any] = {"reviewStatus": status}
    if answer is not None:
        review["reviewResult"] = {k: v for k, v in result.items() if v is not None}
    return review


def _refused(status: int, description: str) -> web.Response:
    """Return an error in Sumsub's shape."""
    return _server.answer({"code": status, "description": description}, status=status)


ENTRY = _entry.SimulatorEntry(
    build=Sumsub,
    addresses=Sumsub.addresses,
    rejected=model.Reason.DECLINED,
    pending=model.Reason.UNDER_REVIEW,
    rejections=((None, None),),
)
