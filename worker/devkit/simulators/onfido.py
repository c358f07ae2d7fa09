"""Play Onfido: create, hosted flow, retrieve runs and checks, signed events."""

import uuid
from collections.abc import Mapping
from typing import Any, ClassVar

import orjson
from aiohttp import web

from worker import clock as clocks
from worker import model, signing
from worker.devkit.simulators import _entry, _pages, _scenario, _server, _sessions

_SCHEME = signing.BodyHmac("X-SHA2-Signature")
_RUNS = "/v3.6/workflow_runs"
_CHECKS = "/v3.6/checks"
_THANKS = '<p data-testid="done">Thank you.</p>'
#: A check's status and result for each word of a scenario that names a result.
_CHECKED: Mapping[str, tuple[str, str | None]] = {
    "approved": ("complete", "clear"),
    "declined": ("complete", "consider"),
    "review": ("in_progress", None),
}


class Onfido(_sessions.SignedSimulator):
    """One account, and its workflow runs or checks."""

    name = "onfido"
    statuses: ClassVar[Mapping[model.Outcome, str]] = {
        model.Outcome.APPROVED: "approved",
        model.Outcome.REJECTED: "declined",
        model.Outcome.PENDING: "review",
    }

    def app(self) -> web.Application:
        """Return the documented API and the hosted flow."""
        app = web.Application()
        app.router.add_post(_RUNS, _pages.begins(self._create))
        app.router.add_get(_RUNS + "/{session_id}", self._retrieve)
        app.router.add_get(_CHECKS + "/{session_id}", self._retrieve)
        _pages.add_page(app, "/l/{session_id}", self, _session_id, _leave)
        return app

    def new_id(self) -> str:
        """Return an id as Onfido makes them."""
        return str(uuid.uuid4())

    def bodies(self, held: _scenario.SimulatedSession) -> list[bytes]:
        """Return the events: a task that starts, tasks that end, and the end."""
        last = self.status(held.scenario)
        if self.account.text("resource") == "check":
            return [
                _event(held, "check", "check.completed", self._document(held, last))
            ]
        ended = "workflow_task.completed"
        return [
            _task(held, "workflow_task.started"),
            *(_task(held, ended) for _ in range(held.scenario.pending_first)),
            _event(
                held,
                "workflow_run",
                "workflow_run.completed",
                self._document(held, last),
                completed_at=clocks.format_rfc3339(self.clock.now_ms()),
            ),
        ]

    def sign(self, key: bytes, body: bytes) -> Mapping[str, str]:
        """Return the signature header."""
        return {_SCHEME.header: _SCHEME.sign(key, body)}

    async def _create(self, request: web.Request) -> web.Response:
        """Create a workflow run that waits for its end user."""
        if not self._is_ours(request):
            return _refused(401, "authorization_error")
        try:
            given = orjson.loads(await request.read())
            link = given.get("link", {})
            complete = given["workflow_id"] and given["applicant_id"]
            target = link.get("completed_redirect_url")
        except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError):
            return _refused(422, "validation_error")
        if not complete:
            return _refused(422, "validation_error")
        held = self.start(reference=given.get("customer_user_id"), return_url=target)
        run = self._document(held, "awaiting_input")
        run["link"] = {"url": f"http://{request.host}/l/{held.session_id}"}
        return _server.answer(run, status=201)

    async def _retrieve(self, request: web.Request) -> web.Response:
        """Answer as the session's scenario says."""
        if not self._is_ours(request):
            return _refused(401, "authorization_error")
        held = self.by_id.get(request.match_info["session_id"])
        if held is None or held.scenario.denied:
            return _refused(404, "resource_not_found")
        match await _server.disturbed(held):
            case web.Response() as disturbance:
                return disturbance
            case _scenario.ResponseKind.NOT_READY:
                return _refused(429, "rate_limit")
            case _scenario.ResponseKind.UNFINISHED:
                status = "awaiting_input"
            case _scenario.ResponseKind.PENDING:
                status = "review"
            case _:
                status = self.status(held.scenario)
        return _server.answer(self._document(held, status))

    def _is_ours(self, request: web.Request) -> bool:
        """Return whether the caller has the API token."""
        token = self.account.text("api_token")
        return request.headers.get("Authorization") == f"Token token={token}"

    def _document(
        self, held: _scenario.SimulatedSession, status: str
    ) -> dict[str, Any]:
        """Return the workflow run or the check with *status*."""
        if self.account.text("resource") == "check":
            word, result = _CHECKED.get(status, (status, None))
            return {"id": held.session_id, "status": word, "result": result}
        return {
            "id": held.session_id,
            "status": status,
            "customer_user_id": held.reference,
            "reasons": [],
            "error": None,
        }


def _event(
    held: _scenario.SimulatedSession,
    resource: str,
    action: str,
    document: Mapping[str, Any],
    *,
    completed_at: str | None = None,
) -> bytes:
    """Return the event *action* of a run or a check."""
    of = {
        "id": held.session_id,
        "status": document["status"],
        "completed_at_iso8601": completed_at,
        "href": f"https://api.onfido.example/v3.6/{resource}s/{held.session_id}",
    }
    payload = {"resource_type": resource, "action": action, "object": of}
    return orjson.dumps({"payload": {**payload, "resource": document}})


def _task(held: _scenario.SimulatedSession, action: str) -> bytes:
    """Return the event *action* of a task of a workflow run."""
    of = {"id": "profile_1eb92", "workflow_run_id": held.session_id}
    payload = {"resource_type": "workflow_task", "action": action, "object": of}
    return orjson.dumps({"payload": {**payload, "resource": of}})


def _refused(status: int, kind: str) -> web.Response:
    """Return an error in Onfido's shape."""
    return _server.answer({"error": {"type": kind, "message": kind}}, status=status)


def _session_id(request: web.Request) -> str:
    """Return the session that the page's URL names."""
    return request.match_info["session_id"]


def _leave(_: web.Request, held: _scenario.SimulatedSession) -> web.Response:
    """Redirect to the link's ``completed_redirect_url``, if it has one."""
    if held.return_url is None:
        return _pages.page(Onfido.name, _THANKS)
    return _pages.back(held.return_url, {})


ENTRY = _entry.SimulatorEntry(
    build=Onfido,
    addresses=Onfido.addresses,
    rejected=model.Reason.DECLINED,
    pending=model.Reason.UNDER_REVIEW,
    rejections=((None, None), ("abandoned", None)),
)
