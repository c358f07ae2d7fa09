"""
Start inquiries at Persona: one call, then the hosted flow.

Sources, seen 2026-12-01:
https://docs.withpersona.com/api-reference/inquiries/create-an-inquiry and
https://docs.withpersona.com/hosted-flow-parameters.
"""

import contextlib
import re
import urllib.parse
from collections.abc import Mapping
from typing import Any

import orjson

from worker import clock as clocks
from worker import errors, model
from worker.providers import _fields, _http, _http_responses, _start
from worker.providers.persona import settings as _settings

INQUIRIES = "/api/v1/inquiries"
_INQUIRY_ID = re.compile(r"inq_[A-Za-z0-9_]{1,250}")
_TEMPLATE = "inquiry-template-id"
_FIELDS = "fields"
_KEY = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}")
_MOST_BYTES = 16 << 10
_VALUE_MAX = 1000
_CREATED = frozenset({200, 201})


class SessionStarter:
    """Starts inquiries of one environment."""

    def __init__(
        self,
        source: str,  # noqa: ARG002 -- the same for every provider
        settings: _settings.Settings,
        clock: clocks.Clock,
    ) -> None:
        self._settings = settings
        self._http = _start.http(settings, clock)

    def check(self, request: model.BeginRequest) -> None:
        """Refuse what Persona would refuse; see ports.SessionStarter."""
        problems = _start.Problems()
        if request.mode is model.BeginMode.EMBED:
            problems.add(
                "mode", "must be redirect: Persona's embedded flow is not used"
            )
        params = request.provider_params
        problems.closed(_start.PARAMS, params, _RULES)
        if _TEMPLATE not in params and self._settings.inquiry_template_id is None:
            problems.add(f"{_start.PARAMS}.{_TEMPLATE}", "is missing")
        problems.bounded(params, _MOST_BYTES)
        problems.refuse()

    def predict_session_id(self, begin_id: str) -> str | None:  # noqa: ARG002 -- part of the port
        """Return None: Persona chooses; see ports.SessionStarter."""
        return None

    async def begin(self, request: model.BeginRequest) -> model.StartedSession:
        """Create the inquiry; a second call creates another one. See ports."""
        self.check(request)
        attributes = {
            _TEMPLATE: self._settings.inquiry_template_id,
            **request.provider_params,
            "reference-id": request.reference,
        }
        answer = await _start.send(
            self._http,
            INQUIRIES,
            orjson.dumps({"data": {"attributes": attributes}}),
            {
                "Content-Type": "application/json",
                "Key-Inflection": "kebab",
                **headers(self._settings),
            },
        )
        if answer.status not in _CREATED:
            ours = {name: f"{_start.PARAMS}.{name}" for name in request.provider_params}
            raise _start.refusal(answer, {**ours, "reference-id": "reference"})
        return self._started(_inquiry(answer), request)

    def _started(
        self, inquiry: Mapping[str, Any], request: model.BeginRequest
    ) -> model.StartedSession:
        """Return the session; raises errors.BeginInDoubt without an inquiry id."""
        found = inquiry_id(inquiry.get("id"))
        if found is None:
            raise errors.BeginInDoubt("id")
        query = {"inquiry-id": found}
        if request.return_address:
            query["redirect-uri"] = request.return_address
        return model.StartedSession(
            session_id=found,
            provider_session_id=found,
            url=f"{self._settings.hosted_url}/verify?{urllib.parse.urlencode(query)}",
            warnings=(
                ()
                if request.language is None
                else ("language is not sent: the inquiry template has its own",)
            ),
        )

    async def close(self) -> None:
        """Close the connections; idempotent."""
        await self._http.close()


def inquiry_id(spelling: object) -> str | None:
    """Return *spelling* if it is the id of an inquiry."""
    if isinstance(spelling, str) and _INQUIRY_ID.fullmatch(spelling):
        return spelling
    return None


def headers(settings: _settings.Settings) -> dict[str, str]:
    """Return what every call of the environment sends."""
    sent = {"Authorization": f"Bearer {settings.api_key.reveal()}"}
    if settings.api_version is not None:
        sent["Persona-Version"] = settings.api_version
    return sent


def _inquiry(answer: _http_responses.HttpResponse) -> Mapping[str, Any]:
    """Return the created inquiry, an empty table where the answer has none."""
    document: Mapping[str, Any] = {}
    with contextlib.suppress(errors.InvalidResponse):
        document = _http.parse_object(answer.body)
    return _fields.table(document, "data")


def _prefilled(value: object) -> str | None:
    """Accept short plain values by name."""
    if isinstance(value, dict) and all(
        isinstance(key, str)
        and _KEY.fullmatch(key)
        and isinstance(each, str | bool)
        and len(str(each)) <= _VALUE_MAX
        for key, each in value.items()
    ):
        return None
    return f"must be an object of texts of at most {_VALUE_MAX} characters"


_RULES: Mapping[str, _start.Rule] = {
    _TEMPLATE: _start.text(r"itmplv?_[A-Za-z0-9]{1,200}", "an id itmpl_"),
    _FIELDS: _prefilled,
}
