"""Speak with Shufti Pro: signed callbacks wake us, ``POST /status`` decides."""

import base64
import re
from typing import Any

import orjson

from worker import clock as clocks
from worker import errors, model, policy, signing
from worker.providers import _entry, _fields, _http, _http_responses, _samples
from worker.providers.shuftipro import settings, tables

Settings = settings.Settings

_RESULT = "/status"
# The reference is the company's: 6 to 250 characters in the samples; no URL has it.
_SESSION = re.compile(r"[A-Za-z0-9._-]{1,250}")
_KEYS = frozenset(
    {
        "reference",
        "event",
        "email",
        "country",
        "verification_result",
        "verification_data",
        "info",
        "declined_reason",
        "declined_codes",
    }
)


def signature(settings: Settings) -> signing.SuffixDigest:
    """Return how callbacks and responses are signed."""
    return signing.SuffixDigest("Signature", settings.signature_recipe)


class Adapter:
    """One account's adapter."""

    def __init__(self, source: str, settings: Settings, clock: clocks.Clock) -> None:
        self._source = source
        self._settings = settings
        self._signature = signature(settings)
        self._http = _http.of_source(settings, clock)

    def canonical(self, spelling: object) -> str | None:
        """Return the session id that *spelling* is, None against the pattern."""
        if isinstance(spelling, str) and _SESSION.fullmatch(spelling):
            return spelling
        return None

    def normalise(self, callback: model.VerifiedCallback) -> model.Normalised:
        """
        Wake on every event of a session, and on events not known.

        Raises errors.UnmappableCallback without a reference.
        """
        document = callback.document or {}
        event = policy.known_word(document.get("event"), tables.EVENTS)
        if event in tables.IGNORED:
            return model.IgnoredCallback(str(event))
        session_id = self.canonical(document.get("reference"))
        if session_id is None:
            raise _fields.unmappable_callback(callback.document, _KEYS)
        return model.WakeUp(
            session_id=session_id,
            provider_session_id=session_id,
            provider_event=event or policy.UNLISTED,
        )

    def claim(self, event: model.Event) -> model.Claim | None:
        """Return None: the fetched result decides."""
        del event
        return None

    async def fetch(
        self,
        session: model.SessionKey,
        spelling: str,
        *,
        fresh_since: int | None = None,
    ) -> model.ProviderResponse:
        """
        Ask for the status; the response must be signed.

        Raises errors.FetchError; a repeat changes nothing at the provider.
        """
        del session, fresh_since  # it is asked anew each time
        if self.canonical(spelling) is None:
            raise errors.SessionNotFound("malformed_id")
        key = self._settings.secret_key
        credentials = f"{self._settings.client_id}:{key.reveal()}".encode()
        headers = {
            "Content-Type": "application/json",
            "Authorization": f"Basic {base64.b64encode(credentials).decode()}",
            # The signature is over the body; no coding may come between.
            "Accept-Encoding": "identity",
        }
        body = orjson.dumps({"reference": spelling})
        answer = await self._http.request("POST", _RESULT, body=body, headers=headers)
        if answer.status == 404:  # noqa: PLR2004 -- HTTP
            raise errors.SessionNotFound
        if answer.status != 200:  # noqa: PLR2004 -- HTTP
            raise _http_responses.map_status(answer)
        presented = answer.headers.getall("Signature", [])
        try:
            self._signature.match([key.key()], presented, answer.body)
            signed = True
        except errors.AuthenticationError:
            signed = False
        if not signed:
            raise errors.BadResultSignature
        document = _http.parse_object(answer.body)
        return model.ProviderResponse(document=document, observed_at=answer.received_at)

    def interpret(
        self, session: model.SessionKey, spelling: str, answer: model.ProviderResponse
    ) -> model.Result:
        """
        Map the event of a result that is this session's.

        Raises errors.ResultMismatch, errors.SessionNotFound for one that was deleted,
        errors.ProviderAuthFailed or errors.InvalidResponse.
        """
        del spelling
        document = answer.document
        if not isinstance(document, dict):
            raise errors.InvalidResponse("not_an_object")
        if self.canonical(document.get("reference")) != session.session_id:
            known = "reference" in document
            raise errors.ResultMismatch("differs" if known else "absent")
        event = document.get("event")
        if event == tables.UNAUTHORIZED:
            raise errors.ProviderAuthFailed(tables.UNAUTHORIZED)
        if event == tables.DELETED:
            raise errors.SessionNotFound("deleted")
        checks = _fields.table(document, "verification_result")
        verdict, alarms = tables.map_event(event, checks)
        return model.Result(
            verdict=verdict,
            observed_at=answer.observed_at,
            reference=_fields.reference(
                document.get("reference"), self._settings.reference_pattern
            ),
            alarms=alarms,
        )

    async def close(self) -> None:
        """Close the connections; idempotent."""
        await self._http.close()


def _sample() -> dict[str, Any]:
    """Return the settings of a sample source: one key, used twice."""
    key = _samples.secret()
    return {"client_id": "sample", "secret_key": key, "hmac_secrets": [key]}


ENTRY = _entry.ProviderEntry(
    name="shuftipro",
    settings_type=Settings,
    build=Adapter,
    sample_settings=_sample,
    signature=signature,
)
