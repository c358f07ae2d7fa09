"""
Start workflow runs at Onfido: one call, then the hosted flow.

Source: onfido/onfido-openapi-spec, paths/workflow_runs.yaml and
schemas/workflow_runs/definitions.yaml, seen 2026-12-01.
"""

import contextlib
from collections.abc import Mapping
from typing import Any

import orjson

from worker import clock as clocks
from worker import errors, model
from worker.providers import _fields, _hosted, _http, _start
from worker.providers.onfido import settings as _settings
from worker.settings import urls

WORKFLOW_RUNS = "/v3.6/workflow_runs"
_WORKFLOW = "workflow_id"
_APPLICANT = "applicant_id"
_MOST_BYTES = 16 << 10
_CREATED = frozenset({200, 201})
#: The languages of the hosted flow by their ISO 639 code.
_LANGUAGES = {
    code[:2]: code
    for code in ("en_US", "de_DE", "es_ES", "fr_FR", "it_IT", "pt_PT", "nl_NL")
}


class SessionStarter:
    """Starts workflow runs of one account."""

    def __init__(
        self,
        source: str,  # noqa: ARG002 -- the same for every provider
        settings: _settings.Settings,
        clock: clocks.Clock,
    ) -> None:
        self._settings = settings
        self._http = _start.http(settings, clock)

    def check(self, request: model.BeginRequest) -> None:
        """Refuse what Onfido would refuse; see ports.SessionStarter."""
        problems = _start.Problems()
        if self._settings.resource != "workflow_run":
            problems.add("source", "starts no sessions: its resource is check")
        if request.mode is model.BeginMode.EMBED:
            problems.add("mode", "must be redirect: Onfido's SDK is not used")
        params = request.provider_params
        problems.closed(_start.PARAMS, params, _RULES)
        if _APPLICANT not in params:
            problems.add(f"{_start.PARAMS}.{_APPLICANT}", "is missing")
        if _WORKFLOW not in params and self._settings.workflow_id is None:
            problems.add(f"{_start.PARAMS}.{_WORKFLOW}", "is missing")
        problems.bounded(params, _MOST_BYTES)
        problems.refuse()

    def predict_session_id(self, begin_id: str) -> str | None:  # noqa: ARG002 -- part of the port
        """Return None: Onfido chooses; see ports.SessionStarter."""
        return None

    async def begin(self, request: model.BeginRequest) -> model.StartedSession:
        """Create the workflow run; a second call creates another one. See ports."""
        self.check(request)
        answer = await _start.send(
            self._http,
            WORKFLOW_RUNS,
            orjson.dumps(self._body(request)),
            {"Content-Type": "application/json", **headers(self._settings)},
        )
        if answer.status not in _CREATED:
            ours = {name: f"{_start.PARAMS}.{name}" for name in request.provider_params}
            ours |= {"customer_user_id": "reference"}
            ours |= {"completed_redirect_url": _start.RETURN_URL}
            raise _start.refusal(answer, ours)
        document: Mapping[str, Any] = {}
        with contextlib.suppress(errors.InvalidResponse):
            document = _http.parse_object(answer.body)
        return self._started(document, request)

    def _body(self, request: model.BeginRequest) -> dict[str, Any]:
        """Return the body of the call."""
        link = {"completed_redirect_url": request.return_address}
        link["language"] = _language(request)
        return {
            _WORKFLOW: self._settings.workflow_id,
            **request.provider_params,
            "customer_user_id": request.reference,
            "link": {name: value for name, value in link.items() if value},
        }

    def _started(
        self, run: Mapping[str, Any], request: model.BeginRequest
    ) -> model.StartedSession:
        """Return the session; raises errors.BeginInDoubt without an id and a URL."""
        spelling, url = run.get("id"), _fields.table(run, "link").get("url")
        session_id = _fields.canonical_uuid(spelling)
        if session_id is None:
            raise errors.BeginInDoubt("id")
        loopback = urls.loopback(self._settings.base_url)
        if not isinstance(url, str) or not _hosted.may_be_opened(
            url, loopback=loopback
        ):
            raise errors.BeginInDoubt("url")
        unsent = request.language is not None and _language(request) is None
        return model.StartedSession(
            session_id=session_id,
            provider_session_id=str(spelling),
            url=url,
            warnings=("language is not sent: not one of Onfido's",) if unsent else (),
        )

    async def close(self) -> None:
        """Close the connections; idempotent."""
        await self._http.close()


def headers(settings: _settings.Settings) -> dict[str, str]:
    """Return what every call of the account sends."""
    return {"Authorization": f"Token token={settings.api_token.reveal()}"}


def _language(request: model.BeginRequest) -> str | None:
    """Return Onfido's code of the language asked for, None where it has none."""
    return _LANGUAGES.get((request.language or "").partition("-")[0].lower())


_UUID = r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}"
_RULES: Mapping[str, _start.Rule] = {
    _WORKFLOW: _start.text(_UUID, "a UUID"),
    _APPLICANT: _start.text(_UUID, "a UUID"),
}
