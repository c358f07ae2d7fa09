"""Play AiPrise: the result call, and signed callbacks."""

import uuid
from collections.abc import Mapping
from typing import Any, ClassVar

import orjson
from aiohttp import web

from worker import model, signing
from worker.devkit.simulators import _entry, _scenario, _server, _sessions

_SCHEME = signing.BodyHmac("X-HMAC-SIGNATURE")
_RESULT = "/api/v1/verify/get_user_verification_result/{session_id}"


class AiPrise(_sessions.SignedSimulator):
    """One account, and its verifications."""

    name = "aiprise"
    statuses: ClassVar[Mapping[model.Outcome, str]] = {
        model.Outcome.APPROVED: "APPROVED",
        model.Outcome.REJECTED: "DECLINED",
        model.Outcome.PENDING: "REVIEW",
    }

    def app(self) -> web.Application:
        """Return the documented API."""
        app = web.Application()
        app.router.add_get(_RESULT, self._result)
        return app

    def new_id(self) -> str:
        """Return an id as AiPrise makes them."""
        return str(uuid.uuid4())

    def bodies(self, held: _scenario.SimulatedSession) -> list[bytes]:
        """Return the callbacks: reviews, and the end."""
        last = self.status(held.scenario)
        results = ["REVIEW"] * held.scenario.pending_first + [last]
        return [orjson.dumps(self._document(held, result)) for result in results]

    def sign(self, key: bytes, body: bytes) -> Mapping[str, str]:
        """Return the signature header."""
        return {_SCHEME.header: _SCHEME.sign(key, body)}

    async def _result(self, request: web.Request) -> web.Response:
        """Answer as the verification's scenario says."""
        if request.headers.get("X-API-KEY") != self.account.text("api_key"):
            return _refused(401, "Unauthorized")
        held = self.by_id.get(request.match_info["session_id"])
        if held is None or held.scenario.denied:
            return _refused(404, "Not found")
        match await _server.disturbed(held):
            case web.Response() as disturbance:
                return disturbance
            case _scenario.ResponseKind.NOT_READY:
                return _server.answer(self._document(held, "UNKNOWN", "PENDING"))
            case _scenario.ResponseKind.UNFINISHED:
                return _server.answer(self._document(held, "UNKNOWN", "PENDING"))
            case _scenario.ResponseKind.PENDING:
                result = "REVIEW"
            case _:
                result = self.status(held.scenario)
        return _server.answer(self._document(held, result))

    def _document(
        self,
        held: _scenario.SimulatedSession,
        result: str,
        run_status: str = "COMPLETED",
    ) -> dict[str, Any]:
        """Return the verification with *result*."""
        return {
            "verification_session_id": held.session_id,
            "template_id": "sample",
            "client_reference_id": held.reference,
            "aiprise_summary": {"verification_result": result},
            "status": run_status,
            "created_at": self.clock.now_ms(),
        }


def _refused(status: int, message: str) -> web.Response:
    """Return an error in AiPrise's shape."""
    return _server.answer({"message": message}, status=status)


ENTRY = _entry.SimulatorEntry(
    build=AiPrise,
    addresses=AiPrise.addresses,
    rejected=model.Reason.DECLINED,
    pending=model.Reason.UNDER_REVIEW,
    unfinished=model.Reason.UNDER_REVIEW,
)
