"""
Start sessions at Veriff: one call, then the hosted flow.

Source, seen 2026-12-01: https://devdocs.veriff.com/apidocs/v1sessions and
https://devdocs.veriff.com/docs/how-to-generate-sessions-manually.
"""

import contextlib
import hashlib
import hmac
from collections.abc import Mapping
from typing import Any

import orjson

from worker import clock as clocks
from worker import errors, model
from worker.providers import _fields, _hosted, _http, _http_responses, _start
from worker.providers.veriff import settings as _settings
from worker.settings import urls

SESSIONS = "/v1/sessions"
CLIENT = "X-AUTH-CLIENT"
SIGNATURE = "X-HMAC-SIGNATURE"
_MOST_BYTES = 16 << 10
_VALUE_MAX = 1000
_CREATED = frozenset({200, 201})
_PERSON = frozenset(
    {"firstName", "lastName", "idNumber", "phoneNumber", "gender", "dateOfBirth"}
)
_DOCUMENT = frozenset({"number", "type", "country"})


class SessionStarter:
    """Starts sessions of one integration."""

    def __init__(
        self,
        source: str,  # noqa: ARG002 -- the same for every provider
        settings: _settings.Settings,
        clock: clocks.Clock,
    ) -> None:
        self._settings = settings
        self._http = _start.http(settings, clock)

    def check(self, request: model.BeginRequest) -> None:
        """Refuse what Veriff would refuse; see ports.SessionStarter."""
        problems = _start.Problems()
        if request.mode is model.BeginMode.EMBED:
            problems.add("mode", "must be redirect: Veriff's InContext SDK is not used")
        params = request.provider_params
        problems.closed(_start.PARAMS, params, _RULES)
        problems.bounded(params, _MOST_BYTES)
        problems.refuse()

    def predict_session_id(self, begin_id: str) -> str | None:  # noqa: ARG002 -- part of the port
        """Return None: Veriff chooses; see ports.SessionStarter."""
        return None

    async def begin(self, request: model.BeginRequest) -> model.StartedSession:
        """Create the session; a second call creates another one. See ports."""
        self.check(request)
        verification = {**request.provider_params, "vendorData": request.reference}
        if request.return_address:
            verification["callback"] = request.return_address
        answer = await _start.send(
            self._http,
            SESSIONS,
            orjson.dumps({"verification": verification}),
            {"Content-Type": "application/json", **headers(self._settings)},
        )
        if answer.status not in _CREATED:
            ours = {name: f"{_start.PARAMS}.{name}" for name in request.provider_params}
            ours |= {"vendorData": "reference", "callback": _start.RETURN_URL}
            nested = {f"verification.{name}": field for name, field in ours.items()}
            raise _start.refusal(answer, ours | nested)
        return self._started(_verification(answer), request)

    def _started(
        self, verification: Mapping[str, Any], request: model.BeginRequest
    ) -> model.StartedSession:
        """Return the session; raises errors.BeginInDoubt without an id and a URL."""
        spelling, url = verification.get("id"), verification.get("url")
        session_id = _fields.canonical_uuid(spelling)
        if session_id is None:
            raise errors.BeginInDoubt("id")
        loopback = urls.loopback(self._settings.base_url)
        if not isinstance(url, str) or not _hosted.may_be_opened(
            url, loopback=loopback
        ):
            raise errors.BeginInDoubt("url")
        return model.StartedSession(
            session_id=session_id,
            provider_session_id=str(spelling),
            url=url,
            warnings=(() if request.language is None else ("language is not sent",)),
        )

    async def close(self) -> None:
        """Close the connections; idempotent."""
        await self._http.close()


def headers(
    settings: _settings.Settings, *, signed: str | None = None
) -> dict[str, str]:
    """
    Return what every call of the integration sends.

    A GET is signed over the session id *signed*; the creation of a session is not
    signed (https://devdocs.veriff.com/docs/general-faq, seen 2026-12-01).
    """
    sent = {CLIENT: settings.api_key}
    if settings.integration_id is not None:
        sent["vrf-integration-id"] = settings.integration_id
    if signed is not None:
        key = settings.shared_secret.reveal().encode()
        sent[SIGNATURE] = hmac.digest(key, signed.encode(), hashlib.sha256).hex()
    return sent


def _verification(answer: _http_responses.HttpResponse) -> Mapping[str, Any]:
    """Return the created session, an empty table where the answer has none."""
    document: Mapping[str, Any] = {}
    with contextlib.suppress(errors.InvalidResponse):
        document = _http.parse_object(answer.body)
    return _fields.table(document, "verification")


def _texts(names: frozenset[str]) -> _start.Rule:
    """Return the rule for an object of short texts under some of *names*."""

    def rule(value: object) -> str | None:
        if isinstance(value, dict) and all(
            key in names and isinstance(each, str) and 0 < len(each) <= _VALUE_MAX
            for key, each in value.items()
        ):
            return None
        return f"must be an object of texts, of {', '.join(sorted(names))}"

    return rule


_RULES: Mapping[str, _start.Rule] = {
    "person": _texts(_PERSON),
    "document": _texts(_DOCUMENT),
    "endUserId": _start.text(
        r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}", "a UUID"
    ),
}
