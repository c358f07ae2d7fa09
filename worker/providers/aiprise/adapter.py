"""Map AiPrise's callbacks and verifications, and fetch a verification."""

from collections.abc import Mapping
from typing import Any

from worker import clock as clocks
from worker import errors, model, policy, signing
from worker.providers import _entry, _fields, _http, _results, _samples
from worker.providers.aiprise import settings, tables

# https://docs.aiprise.com/docs/callbacks-authentication, seen 2026-11-20.
SIGNATURE = signing.BodyHmac("X-HMAC-SIGNATURE")

# Second-hand, from public clients, seen 2026-11-20.
RESULT = "/api/v1/verify/get_user_verification_result/"
_SESSION = "verification_session_id"
_KEYS = frozenset({_SESSION, "aiprise_summary", "client_reference_id", "template_id"})

Settings = settings.Settings


class Adapter:
    """One account's adapter."""

    def __init__(self, source: str, settings: Settings, clock: clocks.Clock) -> None:
        self._source = source
        self._settings = settings
        self._http = _http.of_source(settings, clock)

    def canonical(self, spelling: object) -> str | None:
        """Return the session id that *spelling* names, None against the pattern."""
        return _fields.canonical_uuid(spelling)

    def normalise(self, callback: model.VerifiedCallback) -> model.Normalised:
        """
        Wake on every callback that names a session: none has a type.

        Raises errors.UnmappableCallback without a session id.
        """
        document = callback.document or {}
        session_id = self.canonical(document.get(_SESSION))
        if session_id is None:
            raise _fields.unmappable_callback(callback.document, _KEYS)
        result = _fields.table(document, "aiprise_summary").get("verification_result")
        return model.WakeUp(
            session_id=session_id,
            provider_session_id=str(document[_SESSION]),
            provider_event=policy.known_word(result, tables.RESULTS) or policy.UNLISTED,
            # No callback has an id or the time of its result: created_at is the
            # session's.
            provider_event_id=None,
            provider_time=None,
            reference=self._reference(document),
        )

    def claim(self, event: model.Event) -> model.Claim | None:
        """Return None: no callback has a time, so only the fetched result decides."""
        del event
        return None

    async def fetch(
        self,
        session: model.SessionKey,
        spelling: str,
        *,
        fresh_since: int | None = None,
    ) -> model.ProviderResponse:
        """Fetch the verification; raises errors.FetchError, and may be repeated."""
        del session, fresh_since
        if self.canonical(spelling) is None:
            raise errors.SessionNotFound("malformed_id")
        answer = await self._http.request(
            "GET",
            f"{RESULT}{spelling}",
            headers={"X-API-KEY": self._settings.api_key.reveal()},
        )
        return _results.of_response(answer)

    def interpret(
        self, session: model.SessionKey, spelling: str, answer: model.ProviderResponse
    ) -> model.Result:
        """
        Map the verification that was asked for.

        Raises errors.ResultMismatch where it is not, and errors.InvalidResponse where
        it is no object.
        """
        del spelling
        document = _results.object_of(answer)
        _results.check_session(document, _SESSION, self.canonical, session)
        summary = _fields.table(document, "aiprise_summary")
        verdict, alarms = tables.map_result(
            summary.get("verification_result"), document.get("status")
        )
        return model.Result(
            verdict=verdict,
            observed_at=answer.observed_at,
            reference=self._reference(document),
            alarms=alarms,
        )

    async def close(self) -> None:
        """Close the connections; idempotent."""
        await self._http.close()

    def _reference(self, document: Mapping[str, Any]) -> str | None:
        """Return the company's own id."""
        value = document.get("client_reference_id")
        return _fields.reference(value, self._settings.reference_pattern)


def _sample() -> dict[str, Any]:
    """Return the settings of a sample source: one key, used twice."""
    key = _samples.secret()
    return {"api_key": key, "hmac_secrets": [key]}


ENTRY = _entry.ProviderEntry(
    name="aiprise",
    settings_type=Settings,
    build=Adapter,
    sample_settings=_sample,
    signature=lambda _: SIGNATURE,
)
