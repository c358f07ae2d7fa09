"""Play Sumsub: applicants, the WebSDK link and its page, signed callbacks."""

import hashlib
import hmac
import secrets
from collections.abc import Mapping
from typing import Any, ClassVar

import orjson
from aiohttp import web

from worker import clock as clocks
from worker import model, signing
from worker.devkit.simulators import _entry, _pages, _scenario, _server, _sessions

_APPLICANTS = "/resources/applicants"
_LINK = "/resources/sdkIntegrations/levels/-/websdkLink"
_THANKS = '<p data-testid="done">Thank you.</p>'
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
        app.router.add_post(_APPLICANTS, _pages.begins(self._create))
        app.router.add_get(_APPLICANTS + "/{applicant_id}/one", self._one)
        app.router.add_post(_LINK, self._link)
        _pages.add_page(app, "/websdk/{applicant_id}", self, _session_id, _leave)
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

    async def _create(self, request: web.Request) -> web.Response:
        """Create an applicant that waits for its end user."""
        body = await request.read()
        if not self._is_ours(request, body):
            return _refused(401, "Invalid signature")
        if not request.query.get("levelName"):
            return _refused(400, "levelName is missing")
        try:
            reference = orjson.loads(body)["externalUserId"]
        except (orjson.JSONDecodeError, KeyError, TypeError):
            return _refused(400, "externalUserId is missing")
        known = self._of_reference(reference)
        if known is not None:
            already = f"Applicant already exists: {known.session_id}"
            return _refused(409, already)
        held = self.start(reference=reference, return_url=None)
        return _server.answer({"id": held.session_id, **_known(held)}, status=201)

    async def _link(self, request: web.Request) -> web.Response:
        """Return the address of the WebSDK for an applicant."""
        body = await request.read()
        if not self._is_ours(request, body):
            return _refused(401, "Invalid signature")
        try:
            given = orjson.loads(body)
            held = self._of_reference(given["userId"])
            target = given.get("redirect", {}).get("successUrl")
        except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError):
            return _refused(400, "userId is missing")
        if held is None:
            return _refused(404, "Applicant not found")
        held.return_url = target
        return _server.answer(
            {"url": f"http://{request.host}/websdk/{held.session_id}"}
        )

    def _of_reference(self, reference: object) -> _scenario.SimulatedSession | None:
        """Return the applicant of the company's own id."""
        found = (each for each in self.by_id.values() if each.reference == reference)
        return next(found, None)

    async def _one(self, request: web.Request) -> web.Response:
        """Answer as the applicant's scenario says."""
        if not self._is_ours(request):
            return _refused(401, "Invalid signature")
        named = request.match_info["applicant_id"]
        _, by_reference, reference = named.partition("-;externalUserId=")
        held = self._of_reference(reference) if by_reference else self.by_id.get(named)
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
                **_known(held),
                "review": _review(word),
            }
        )

    def _is_ours(self, request: web.Request, body: bytes = b"") -> bool:
        """Return whether the caller signs with the secret key, and now."""
        at = request.headers.get("X-App-Access-Ts", "")
        if not at.isdigit() or abs(int(at) - self.now_s()) > _TOLERANCE_S:
            return False
        signed = f"{at}{request.method}{request.raw_path}".encode() + body
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


def _known(held: _scenario.SimulatedSession) -> dict[str, Any]:
    """Return what the applicant has of the company."""
    return {"externalUserId": held.reference}


def _session_id(request: web.Request) -> str:
    """Return the session that the page's URL names."""
    return request.match_info["applicant_id"]


def _leave(_: web.Request, held: _scenario.SimulatedSession) -> web.Response:
    """Redirect to the link's ``successUrl``, if it has one."""
    if held.return_url is None:
        return _pages.page(Sumsub.name, _THANKS)
    return _pages.back(held.return_url, {})


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
