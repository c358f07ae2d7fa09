"""
Begin identifications at IDnow: ``start`` under a transaction number of our own.

The number follows from the begin id, so that after a crash we know which session was
begun. Source: the vendor's API documentation (PDF, version 2016-02-15), chapters 3, 6
and 12, seen 2026-11-21.
"""

import base64
import functools
import hmac
import re
import urllib.parse
from collections.abc import Mapping
from typing import Any

import orjson

from worker import clock as clocks
from worker import errors, model
from worker.providers import _http, _http_responses, _start
from worker.providers.idnow import client, settings, start_parameters, tables

_NUMBER_BYTES = 20  # 160 bits, 32 characters of base32
# Shows in IDnow's console who has created the transaction.
_NUMBER_PREFIX = "kyc-"
_NUMBER_LABEL = b"kyc-worker: IDnow transaction numbers, v1"
# "It takes the form of ABC-DEFGH"; the lengths are not promised.
_IDENT_ID = re.compile(r"[A-Za-z0-9]{1,16}-[A-Za-z0-9]{1,32}")
_IDEMPOTENCY_KEY = "Idempotency-Key"
#: What a begin's caller can do nothing about: our key, our company, our right to it.
_OURS = frozenset({*tables.TOKEN_CAUSES, "SECURITY_VIOLATION", "OBJECT_NOT_FOUND"})
_language = _start.text(r"[a-z]{2}(-[A-Z]{2})?", "a language such as de or de-AT")


class SessionStarter:
    """Begins identifications of one company."""

    def __init__(
        self, source: str, settings: settings.Settings, clock: clocks.Clock
    ) -> None:
        self._source = source
        self._settings = settings
        self._http = _start.http(settings, clock)

    @functools.cached_property
    def _number_key(self) -> bytes:
        """Return the key of transaction numbers, where this process reads it."""
        return _number_key(self._settings)

    def check(self, request: model.BeginRequest) -> None:
        """Refuse what IDnow would refuse; see ports.SessionStarter."""
        problems = _start.Problems()
        settings = self._settings
        ours = {settings.reference_field, settings.language_field} - {None}
        start_parameters.check(
            problems,
            request.provider_params,
            reserved=tuple(filter(None, ours)),
            extra=settings.begin_fields,
        )
        if settings.reference_field is not None:
            problems.check("reference", request.reference, start_parameters.line)
        if settings.language_field is not None and request.language is not None:
            problems.check(_start.LANGUAGE, request.language, _language)
        if settings.pages is None:
            problems.add("source", "has no start_url: set where IDnow's pages are")
        problems.refuse()

    def predict_session_id(self, begin_id: str) -> str | None:
        """Return the transaction number of *begin_id*; see ports.SessionStarter."""
        message = f"{self._source}:{begin_id}".encode()
        digest = hmac.digest(self._number_key, message, "sha256")[:_NUMBER_BYTES]
        return _NUMBER_PREFIX + base64.b32encode(digest).decode().lower()

    async def begin(self, request: model.BeginRequest) -> model.StartedSession:
        """
        Start the identification; see ports.SessionStarter.

        A second call with the same begin id updates the same identification, as
        long as it is not finished.
        """
        self.check(request)
        number = str(self.predict_session_id(request.begin_id))
        company = urllib.parse.quote(self._settings.company_id, safe="")
        answer = await _start.send(
            self._http,
            f"/api/v1/{company}/identifications/{number}/start",
            orjson.dumps(self._body(request)),
            {
                "Content-Type": "application/json",
                "X-API-KEY": self._settings.api_key.reveal(),
            },
        )
        if answer.status // 100 != 2:  # noqa: PLR2004 -- 2xx
            raise self._failure(answer, request)
        ident_id = _ident_id(answer)
        page = f"{self._settings.pages}/{company}/identifications/{number}"
        embedded = request.mode is model.BeginMode.EMBED
        return model.StartedSession(
            session_id=number,
            provider_session_id=number,
            url=None if embedded else page,
            embed=_iframe(f"{page}/identification/start") if embedded else None,
            # "This ID is also used to start an identification via the mobile apps."
            details={"ident_id": ident_id},
            warnings=self._warnings(request, answer.status),
        )

    def _body(self, request: model.BeginRequest) -> dict[str, Any]:
        """Return the flat object of chapter 3.2.8."""
        body = dict(request.provider_params)
        if self._settings.reference_field is not None:
            body[self._settings.reference_field] = request.reference
        if self._settings.language_field is not None and request.language is not None:
            body[self._settings.language_field] = request.language
        return body

    def _warnings(self, request: model.BeginRequest, status: int) -> tuple[str, ...]:
        """Return what the caller should know of what has begun all the same."""
        warnings = []
        unchecked = sorted(
            set(request.provider_params).intersection(self._settings.begin_fields)
            - set(start_parameters.RULES)
        )
        if unchecked:
            warnings.append(f"passed on unchecked: {', '.join(unchecked)}")
        if request.language is not None and self._settings.language_field is None:
            warnings.append(
                "language is not passed on: IDnow documents no field for it"
            )
        if status == 200:  # noqa: PLR2004 -- chapter 3.2.10: 201 is new, 200 is updated
            warnings.append(
                "IDnow says that it had this transaction, and has updated it"
            )
        return tuple(warnings)

    def _failure(
        self, answer: _http_responses.HttpResponse, request: model.BeginRequest
    ) -> errors.KycError:
        """Return what the first cause means, and the status where it is not known."""
        listed = client.listed_errors(answer)
        cause = listed[0].get("cause") if listed else None
        if not isinstance(cause, str) or cause not in tables.CAUSES:
            if answer.status == 404:  # noqa: PLR2004 -- "you used a wrong url"
                return errors.ProviderAuthFailed("404")
            return _http_responses.map_status(answer)
        if cause in _OURS:
            return errors.ProviderAuthFailed(cause)
        if cause == "EXISTING_IDENTIFICATION":
            # Only we make such a number: this very begin id was started before, and
            # the identification is over. Its result may be another person's, so it
            # must not be given out as the session of this request.
            return errors.InvalidBeginRequest(
                {_IDEMPOTENCY_KEY: "was used for a session that is over: use a new one"}
            )
        fields = {self._called(error.get("key"), request) for error in listed}
        if named := sorted(filter(None, fields)):
            return errors.InvalidBeginRequest(
                dict.fromkeys(named, f"is refused by IDnow ({cause})")
            )
        return tables.CAUSES[cause](
            cause, retry_after_ms=_http_responses.retry_after_ms(answer)
        )

    def _called(self, key: object, request: model.BeginRequest) -> str | None:
        """Return what the caller calls the field that IDnow's *key* names."""
        if key is None:
            return None
        if key == self._settings.reference_field:
            return "reference"
        if key == self._settings.language_field:
            return _start.LANGUAGE
        return start_parameters.named(key, request.provider_params)

    async def close(self) -> None:
        """Close connections; idempotent."""
        await self._http.close()


def _number_key(settings: settings.Settings) -> bytes:
    """Return the key of transaction numbers: without it none can be guessed."""
    if settings.number_secret is not None:
        return settings.number_secret.key()
    return hmac.digest(settings.api_key.key(), _NUMBER_LABEL, "sha256")


def _ident_id(answer: _http_responses.HttpResponse) -> str:
    """Return IDnow's own id; raises errors.BeginInDoubt where there is none."""
    try:
        document: Mapping[str, Any] = _http.parse_object(answer.body)
    except errors.InvalidResponse:
        document = {}
    ident_id = document.get("id")
    if not isinstance(ident_id, str) or not _IDENT_ID.fullmatch(ident_id):
        raise errors.BeginInDoubt("id")
    return ident_id


def _iframe(url: str) -> str:
    """Return the snippet of chapter 6.1.2.1, and what browsers ask for since then."""
    return (
        f'<iframe src="{_start.attribute(url)}" width="600" height="800"'
        ' allow="camera; microphone"></iframe>'
    )
