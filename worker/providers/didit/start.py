"""
Start sessions at Didit: one call, then the hosted flow.

Source: https://docs.didit.me/sessions-api/create-session and
https://docs.didit.me/integration/web-sdks/web-redirect, seen 2026-12-01.
"""

import contextlib
from collections.abc import Mapping
from typing import Any

import orjson

from worker import clock as clocks
from worker import errors, model
from worker.providers import _fields, _hosted, _http, _start
from worker.providers.didit import settings as _settings
from worker.settings import urls

SESSION = "/v3/session/"
_WORKFLOW = "workflow_id"
_MOST_BYTES = 16 << 10
_CREATED = frozenset({200, 201})


class SessionStarter:
    """Starts sessions of one application."""

    def __init__(
        self,
        source: str,  # noqa: ARG002 -- the same for every provider
        settings: _settings.Settings,
        clock: clocks.Clock,
    ) -> None:
        self._settings = settings
        self._http = _start.http(settings, clock)

    def check(self, request: model.BeginRequest) -> None:
        """Refuse what Didit would refuse; see ports.SessionStarter."""
        problems = _start.Problems()
        if request.mode is model.BeginMode.EMBED:
            problems.add("mode", "must be redirect: Didit's SDK is not used")
        params = request.provider_params
        problems.closed(_start.PARAMS, params, _RULES)
        if _WORKFLOW not in params and self._settings.workflow_id is None:
            problems.add(f"{_start.PARAMS}.{_WORKFLOW}", "is missing")
        problems.bounded(params, _MOST_BYTES)
        problems.refuse()

    def predict_session_id(self, begin_id: str) -> str | None:  # noqa: ARG002 -- part of the port
        """Return None: Didit chooses; see ports.SessionStarter."""
        return None

    async def begin(self, request: model.BeginRequest) -> model.StartedSession:
        """
        Create the session; see ports.SessionStarter.

        A second call with the same reference returns the unfinished session of the
        first, if the workflow was not published again in between.
        """
        self.check(request)
        body = {
            _WORKFLOW: self._settings.workflow_id,
            **request.provider_params,
            "vendor_data": request.reference,
        }
        if request.language is not None:
            body["language"] = request.language.partition("-")[0].lower()
        if request.return_address:
            # "both": the device that started or the one that finished may return.
            body |= {"callback": request.return_address, "callback_method": "both"}
        answer = await _start.send(
            self._http,
            SESSION,
            orjson.dumps(body),
            {"Content-Type": "application/json", **headers(self._settings)},
        )
        if answer.status not in _CREATED:
            ours = {name: f"{_start.PARAMS}.{name}" for name in request.provider_params}
            ours |= {"vendor_data": "reference", "callback": _start.RETURN_URL}
            ours |= {"language": _start.LANGUAGE}
            raise _start.refusal(answer, ours)
        document: Mapping[str, Any] = {}
        with contextlib.suppress(errors.InvalidResponse):
            document = _http.parse_object(answer.body)
        return self._started(document)

    def _started(self, session: Mapping[str, Any]) -> model.StartedSession:
        """Return the session; raises errors.BeginInDoubt without an id and a URL."""
        spelling, url = session.get("session_id"), session.get("url")
        session_id = _fields.canonical_uuid(spelling)
        if session_id is None:
            raise errors.BeginInDoubt("session_id")
        loopback = urls.loopback(self._settings.base_url)
        if not isinstance(url, str) or not _hosted.may_be_opened(
            url, loopback=loopback
        ):
            raise errors.BeginInDoubt("url")
        return model.StartedSession(
            session_id=session_id, provider_session_id=str(spelling), url=url
        )

    async def close(self) -> None:
        """Close the connections; idempotent."""
        await self._http.close()


def headers(settings: _settings.Settings) -> dict[str, str]:
    """Return what every call of the application sends."""
    return {"x-api-key": settings.api_key.reveal()}


def _details(value: object) -> str | None:
    """Accept an object; Didit checks its members."""
    return None if isinstance(value, dict) else "must be an object"


_RULES: Mapping[str, _start.Rule] = {
    _WORKFLOW: _start.text(
        r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}", "a UUID"
    ),
    "contact_details": _details,
    "expected_details": _details,
}
