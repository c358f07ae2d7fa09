"""Map Trulioo's events and exported clients, and fetch a client."""

import re
from collections.abc import Mapping
from typing import Any

from worker import clock as clocks
from worker import errors, model, policy, signing
from worker.providers import (
    _entry,
    _fields,
    _http,
    _http_responses,
    _oauth,
    _results,
    _samples,
)
from worker.providers.trulioo import settings, tables

# https://developer.trulioo.com/reference/webhook, seen 2026-11-20.
SIGNATURE = signing.BodyHmac("x-trulioo-signature")

# Second-hand, from three public clients, seen 2026-11-20.
CLIENTS = "/wfs/export/v2/query/client/"
_CLIENT_ID = re.compile(r"[A-Za-z0-9_-]{1,128}")
_CHALLENGE = re.compile(r"[ -~]{1,1024}")
_KEYS = frozenset({"id", "transactionId", "clientId", "event", "type", "error"})

Settings = settings.Settings


class Adapter:
    """One account's adapter."""

    def __init__(self, source: str, settings: Settings, clock: clocks.Clock) -> None:
        self._source = source
        self._settings = settings
        self._http = _http.of_source(settings, clock)
        self._token = _oauth.ClientCredentials(
            _http.Http(
                base_url=settings.auth_url,
                timeout_ms=settings.fetch_timeout,
                limit_bytes=settings.max_answer_bytes,
                clock=clock,
                proxy=settings.proxy,
            ),
            settings.token_path,
            client_id=settings.client_id,
            client_secret=settings.client_secret,
            clock=clock,
        )

    def canonical(self, spelling: object) -> str | None:
        """Return the session id that *spelling* names, None against the pattern."""
        if isinstance(spelling, str) and _CLIENT_ID.fullmatch(spelling):
            return spelling
        return None

    def normalise(self, callback: model.VerifiedCallback) -> model.Normalised:
        """
        Wake on every event of a client that may change its result.

        The check of the URL gets its challenge back. Raises errors.UnmappableCallback
        without a client id.
        """
        document = callback.document or {}
        name = _event(document)
        if name == tables.URL_VERIFICATION:
            challenge = document.get("challenge")
            if isinstance(challenge, str) and _CHALLENGE.fullmatch(challenge):
                return model.IgnoredCallback(name, challenge)
            raise _fields.unmappable_callback(callback.document, _KEYS)
        if name in tables.IGNORED_EVENTS:
            return model.IgnoredCallback(str(name))
        session_id = self.canonical(document.get("clientId"))
        if session_id is None:
            raise _fields.unmappable_callback(callback.document, _KEYS)
        return model.WakeUp(
            session_id=session_id,
            provider_session_id=session_id,
            provider_event=policy.known_word(name, tables.STATUS_EVENTS)
            or policy.UNLISTED,
            # Whether the id of a webhook is the same for each retry is not known.
            provider_event_id=None,
            provider_time=None,
            reference=None,
        )

    def claim(self, event: model.Event) -> model.Claim | None:
        """Return None: events come twice and in any order, so the client decides."""
        del event
        return None

    async def fetch(
        self,
        session: model.SessionKey,
        spelling: str,
        *,
        fresh_since: int | None = None,
    ) -> model.ProviderResponse:
        """Fetch the exported client; raises errors.FetchError, and may be repeated."""
        del session, fresh_since
        if self.canonical(spelling) is None:
            raise errors.SessionNotFound("malformed_id")

        async def call(
            authorization: Mapping[str, str],
        ) -> _http_responses.HttpResponse:
            path = CLIENTS + spelling
            return await self._http.request("GET", path, headers=dict(authorization))

        answer = await self._token.call(call)
        return _results.of_response(answer)

    def interpret(
        self, session: model.SessionKey, spelling: str, answer: model.ProviderResponse
    ) -> model.Result:
        """
        Map the client that was asked for.

        Raises errors.ResultMismatch where it is not, and errors.InvalidResponse where
        it is no object.
        """
        del spelling
        document = _results.object_of(answer)
        name = self._settings.id_field
        _results.check_session(document, name, self.canonical, session)
        verdict, alarms = tables.map_status(
            document.get(self._settings.status_field),
            approved=self._settings.approved_statuses,
            rejected=self._settings.rejected_statuses,
        )
        return model.Result(
            verdict=verdict, observed_at=answer.observed_at, alarms=alarms
        )

    async def close(self) -> None:
        """Close the connections; idempotent."""
        await self._token.close()
        await self._http.close()


def _event(document: Mapping[str, Any]) -> str | None:
    """Return the event's type, in whichever member it is: that is not published."""
    event = _fields.table(document, "event")
    for value in (document.get("type"), event.get("type"), event.get("name")):
        if isinstance(value, str):
            return value
    return None


def _sample() -> dict[str, Any]:
    """Return the settings of a sample source."""
    return {
        "auth_url": "https://auth.trulioo.example",
        "client_id": _samples.secret(),
        "client_secret": _samples.secret(),
        "hmac_secrets": [_samples.secret()],
        "approved_statuses": ["Accepted"],
        "rejected_statuses": ["Declined"],
    }


ENTRY = _entry.ProviderEntry(
    name="trulioo",
    settings_type=Settings,
    build=Adapter,
    sample_settings=_sample,
    signature=lambda _: SIGNATURE,
)
