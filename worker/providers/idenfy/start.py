"""
Start sessions at iDenfy: one call, a hosted address or an iframe.

Sources: documentation.idenfy.com, pages kyc/generate-token and kyc/overview, and the
vendor's OpenAPI description; seen 2026-12-01.
"""

import contextlib
import re
import urllib.parse
from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from worker import clock as clocks
from worker import errors, model
from worker.providers import _fields, _http, _http_responses, _start
from worker.providers.idenfy import client, settings, start_parameters

_TOKENS = "/api/v2/token"
_TOKEN = re.compile(r"[A-Za-z0-9._~-]{1,255}")
_ADDRESS = re.compile(
    r"https://[A-Za-z0-9.-]{1,253}(?::[0-9]{1,5})?/[!#-;=?-~]{0,2048}"
)
_SECONDS_MAX = 30 * 86_400
#: "Field 'country' must be …": the one error that the page prints
_FIELD = re.compile(r"Field '([A-Za-z]{1,40})'")


class SessionStarter:
    """Starts sessions of one account."""

    def __init__(
        self,
        source: str,  # noqa: ARG002 -- the same for every provider
        settings: settings.Settings,
        clock: clocks.Clock,
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._http = _start.http(settings, clock)

    def check(self, request: model.BeginRequest) -> None:
        """Refuse what iDenfy would refuse; see ports.SessionStarter."""
        problems = _start.Problems()
        problems.check("reference", request.reference, start_parameters.CLIENT_ID)
        if request.language is not None:
            problems.check(_start.LANGUAGE, request.language, start_parameters.LOCALE)
        start_parameters.check(problems, request.provider_params)
        problems.refuse()

    def predict_session_id(self, begin_id: str) -> str | None:  # noqa: ARG002 -- part of the port
        """Return None: iDenfy chooses; see ports.SessionStarter."""
        return None

    async def begin(self, request: model.BeginRequest) -> model.StartedSession:
        """Create the session; a second call creates another one. See ports."""
        self.check(request)
        body = self._body(request)
        # The lifetime begins after this: it ends early rather than late.
        asked_at = self._clock.now_ms()
        answer = await _start.send(
            self._http,
            _TOKENS,
            orjson.dumps(body),
            client.authorised(self._settings),
        )
        if answer.status // 100 != 2:  # noqa: PLR2004 -- 2xx
            raise _failure(answer, body)
        return self._started(_accepted(answer), request, asked_at)

    def _body(self, request: model.BeginRequest) -> dict[str, Any]:
        """Return the documented fields, and what else the caller passes on."""
        body = {
            **request.provider_params,
            "clientId": request.reference,
            "tokenType": self._settings.product.upper(),
        }
        if request.language is not None:
            body["locale"] = request.language
        # "Cannot be used with iframe implementation".
        if request.return_address and request.mode is model.BeginMode.REDIRECT:
            for field in start_parameters.RETURN_URLS:
                body[field] = request.return_address
        return body

    def _started(
        self, document: Mapping[str, Any], request: model.BeginRequest, asked_at: int
    ) -> model.StartedSession:
        """Return the session; raises errors.BeginInDoubt where a part is missing."""
        spelling, token = document.get("scanRef"), document.get("authToken")
        session_id = _fields.canonical_uuid(spelling)
        if session_id is None:
            raise errors.BeginInDoubt("scanRef")
        if not isinstance(token, str) or not _TOKEN.fullmatch(token):
            raise errors.BeginInDoubt("authToken")
        embedded = request.mode is model.BeginMode.EMBED
        expires_at = _expiry(document.get("expiryTime"), asked_at)
        return model.StartedSession(
            session_id=session_id,
            provider_session_id=str(spelling),
            url=None if embedded else self._address(document, token),
            embed=self._iframe(token) if embedded else None,
            expires_at=expires_at,
            warnings=tuple(_warnings(expires_at)),
        )

    def _address(self, document: Mapping[str, Any], token: str) -> str:
        """Return ``redirectUrl``, else the page of ``ui_url`` with the token."""
        address = document.get("redirectUrl")
        if isinstance(address, str) and _ADDRESS.fullmatch(address):
            return address
        return self._page(token)

    def _page(self, token: str) -> str:
        query = urllib.parse.urlencode({"authToken": token})
        return f"{self._settings.ui_url}/?{query}"

    def _iframe(self, token: str) -> str:
        """Return the iframe of page kyc/overview."""
        return _IFRAME.format(address=_start.attribute(self._page(token)))

    async def close(self) -> None:
        """Close the connections; idempotent."""
        await self._http.close()


def _accepted(answer: _http_responses.HttpResponse) -> dict[str, Any]:
    """Return the response of a session that was created."""
    document: dict[str, Any] = {}
    with contextlib.suppress(errors.InvalidResponse):
        document = _http.parse_object(answer.body)
    return document


def _expiry(seconds: object, asked_at: int) -> int | None:
    """Return when the token expires, None if the response does not say."""
    if isinstance(seconds, bool) or not isinstance(seconds, int):
        return None
    return asked_at + seconds * 1000 if 0 < seconds <= _SECONDS_MAX else None


def _failure(
    answer: _http_responses.HttpResponse, body: Mapping[str, Any]
) -> errors.InvalidBeginRequest | errors.FetchError:
    """Return what a refusal means; a field that we sent is named to the caller."""
    fields = {name: f"{_start.PARAMS}.{name}" for name in body}
    fields |= dict.fromkeys(start_parameters.RETURN_URLS, _start.RETURN_URL)
    fields |= {"clientId": "reference", "locale": _start.LANGUAGE}
    fields.pop("tokenType")
    named = _named(answer)
    word = client.identifier(answer)
    if word in {"BAD_VALUE", "MISSING_VALUE"} and named in body and named in fields:
        return errors.InvalidBeginRequest({fields[named]: _start.REFUSED})
    if answer.status // 100 == 4:  # noqa: PLR2004 -- 4xx
        known = client.failure(answer)
        if isinstance(known, errors.ProviderAuthFailed | errors.RateLimited):
            return known
    return _start.refusal(answer, fields)


def _named(answer: _http_responses.HttpResponse) -> str:
    """Return the field that the message of an error names, or nothing."""
    try:
        message = _http.parse_object(answer.body).get("message")
    except errors.InvalidResponse:
        return ""
    found = _FIELD.match(message) if isinstance(message, str) else None
    return found[1] if found else ""


def _warnings(expires_at: int | None) -> Iterator[str]:
    """Yield what the caller should know of a session that was created all the same."""
    if expires_at is None:
        yield "iDenfy does not say when the session expires"


_IFRAME = (
    '<iframe src="{address}" allow="camera" allowfullscreen'
    ' style="width:670px; height:800px; border:none;"></iframe>\n'
)
