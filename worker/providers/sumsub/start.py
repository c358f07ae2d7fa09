"""
Start sessions at Sumsub: create the applicant, then a link to the WebSDK.

Sources, seen 2026-12-01: https://docs.sumsub.com/reference/create-applicant,
https://docs.sumsub.com/reference/generate-websdk-external-link and
https://docs.sumsub.com/reference/authentication.
"""

import contextlib
import hashlib
import hmac
import re
from collections.abc import Mapping
from typing import Any

import orjson

from worker import clock as clocks
from worker import errors, model
from worker.providers import _hosted, _http, _http_responses, _start
from worker.providers.sumsub import settings as _settings
from worker.settings import urls

APPLICANTS = "/resources/applicants"
LINK = "/resources/sdkIntegrations/levels/-/websdkLink"
_LEVEL = "levelName"
_APPLICANT_ID = re.compile(r"[0-9A-Za-z]{1,64}")
_MOST_BYTES = 16 << 10
_CREATED = frozenset({200, 201})
_CONFLICT = 409
_OK = 200


class SessionStarter:
    """Starts sessions of one client."""

    def __init__(
        self,
        source: str,  # noqa: ARG002 -- the same for every provider
        settings: _settings.Settings,
        clock: clocks.Clock,
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._http = _start.http(settings, clock)

    def check(self, request: model.BeginRequest) -> None:
        """Refuse what Sumsub would refuse; see ports.SessionStarter."""
        problems = _start.Problems()
        if request.mode is model.BeginMode.EMBED:
            problems.add("mode", "must be redirect: Sumsub's WebSDK is not used")
        problems.check("reference", request.reference, _REFERENCE)
        params = request.provider_params
        problems.closed(_start.PARAMS, params, _RULES)
        if _LEVEL not in params and self._settings.level_name is None:
            problems.add(f"{_start.PARAMS}.{_LEVEL}", "is missing")
        problems.bounded(params, _MOST_BYTES)
        problems.refuse()

    def predict_session_id(self, begin_id: str) -> str | None:  # noqa: ARG002 -- part of the port
        """Return None: Sumsub chooses; see ports.SessionStarter."""
        return None

    async def begin(self, request: model.BeginRequest) -> model.StartedSession:
        """
        Create the applicant and a link; see ports.SessionStarter.

        A second call with the same reference finds the applicant of the first, because
        a reference has one applicant.
        """
        self.check(request)
        level = request.provider_params.get(_LEVEL, self._settings.level_name)
        session_id = await self._applicant(f"{APPLICANTS}?{_LEVEL}={level}", request)
        redirect = dict.fromkeys(("successUrl", "rejectUrl"), request.return_address)
        document = {
            _LEVEL: level,
            "userId": request.reference,
            **({"redirect": redirect} if request.return_address else {}),
        }
        language = (request.language or "").partition("-")[0].lower()
        path = f"{LINK}?lang={language}" if language else LINK
        answer = await self._post(path, document)
        if answer.status not in _CREATED:
            raise _start.refusal(answer, {_LEVEL: f"{_start.PARAMS}.{_LEVEL}"})
        url = _object(answer).get("url")
        loopback = urls.loopback(self._settings.base_url)
        if not isinstance(url, str) or not _hosted.may_be_opened(
            url, loopback=loopback
        ):
            raise errors.BeginInDoubt("url")
        return model.StartedSession(
            session_id=session_id, provider_session_id=session_id, url=url
        )

    async def _applicant(self, path: str, request: model.BeginRequest) -> str:
        """Return the id of the reference's applicant, which is created if need be."""
        answer = await self._post(path, {"externalUserId": request.reference})
        if answer.status == _CONFLICT:
            path = f"{APPLICANTS}/-;externalUserId={request.reference}/one"
            answer = await self._http.request(
                "GET", path, headers=self._headers("GET", path)
            )
            if answer.status != _OK:
                raise _http_responses.map_status(answer)
        elif answer.status not in _CREATED:
            raise _start.refusal(
                answer,
                {_LEVEL: f"{_start.PARAMS}.{_LEVEL}", "externalUserId": "reference"},
            )
        found = applicant_id(_object(answer).get("id"))
        if found is None:
            raise errors.BeginInDoubt("id")
        return found

    async def _post(
        self, path: str, document: Mapping[str, Any]
    ) -> _http_responses.HttpResponse:
        """Return the answer to a signed POST; see ``_start.send``."""
        body = orjson.dumps(document)
        headers = {
            "Content-Type": "application/json",
            **self._headers("POST", path, body),
        }
        return await _start.send(self._http, path, body, headers)

    def _headers(self, method: str, path: str, body: bytes = b"") -> dict[str, str]:
        now_s = self._clock.now_ms() // 1000
        return signed_headers(self._settings, now_s, method, path, body)

    async def close(self) -> None:
        """Close the connections; idempotent."""
        await self._http.close()


def applicant_id(spelling: object) -> str | None:
    """Return *spelling* if it is the id of an applicant."""
    if isinstance(spelling, str) and _APPLICANT_ID.fullmatch(spelling):
        return spelling
    return None


def signed_headers(
    settings: _settings.Settings,
    now_s: int,
    method: str,
    path: str,
    body: bytes = b"",
) -> dict[str, str]:
    """
    Return what a call sends; *path* is with its query.

    https://docs.sumsub.com/reference/authentication, seen 2026-11-20.
    """
    signed = f"{now_s}{method}{path}".encode() + body
    key = settings.secret_key.reveal().encode()
    return {
        "X-App-Token": settings.app_token.reveal(),
        "X-App-Access-Ts": str(now_s),
        "X-App-Access-Sig": hmac.new(key, signed, hashlib.sha256).hexdigest(),
    }


def _object(answer: _http_responses.HttpResponse) -> Mapping[str, Any]:
    """Return the object of an answer, an empty one where it has none."""
    with contextlib.suppress(errors.InvalidResponse):
        return _http.parse_object(answer.body)
    return {}


# Both stand in a path that is signed as it is sent, so nothing in them is encoded.
_REFERENCE = _start.text(r"[A-Za-z0-9._-]{1,255}", "letters, digits, '.', '_' and '-'")
_RULES: Mapping[str, _start.Rule] = {
    _LEVEL: _start.text(_settings.LEVEL, "letters, digits, '.', '_' and '-'"),
}
