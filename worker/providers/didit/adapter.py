"""Map Didit's events and decisions, and fetch a decision."""

import re
from collections.abc import Mapping
from typing import Any

from worker import clock as clocks
from worker import errors, model, policy, signing
from worker.providers import _entry, _fields, _http, _results, _samples
from worker.providers.didit import settings, start, tables

# No header is covered by a signature, X-Timestamp neither: freshness is taken from the
# member "timestamp" of the signed body, as Didit's own plugin does
# (didit-protocol/plugin-wordpress tests/test-webhook-signature.php, seen 2026-12-01).
SIGNATURE = signing.BodyTimeHmac(signing.BodyHmac("X-Signature"))

_KEYS = frozenset({"session_id", "status", "webhook_type", "vendor_data"})
_EVENT_ID = re.compile(r"[!-~]{1,255}")

Settings = settings.Settings


class Adapter:
    """One application's adapter."""

    def __init__(self, source: str, settings: Settings, clock: clocks.Clock) -> None:
        self._source = source
        self._settings = settings
        self._http = _http.of_source(settings, clock)

    def canonical(self, spelling: object) -> str | None:
        """Return the session id that *spelling* names, None against the pattern."""
        return _fields.canonical_uuid(spelling)

    def normalise(self, callback: model.VerifiedCallback) -> model.Normalised:
        """
        Wake on every event of a session; ignore those of other objects.

        Raises errors.UnmappableCallback without a session id.
        """
        document = callback.document or {}
        name = document.get("webhook_type")
        if isinstance(name, str) and name.startswith(tables.IGNORED_PREFIXES):
            return model.IgnoredCallback(policy.UNLISTED)
        session_id = self.canonical(document.get("session_id"))
        if session_id is None:
            raise _fields.unmappable_callback(callback.document, _KEYS)
        event_id = document.get("event_id")
        known = isinstance(event_id, str) and _EVENT_ID.fullmatch(event_id)
        return model.WakeUp(
            session_id=session_id,
            provider_session_id=str(document["session_id"]),
            provider_event=policy.known_word(name, tables.SESSION_EVENTS)
            or policy.UNLISTED,
            provider_event_id=str(event_id) if known else None,
            provider_time=_fields.unix_seconds_ms(document.get("timestamp")),
            reference=self._reference(document),
        )

    def claim(self, event: model.Event) -> model.Claim | None:
        """Return None: events may arrive late, so only the fetched decision decides."""
        del event
        return None

    async def fetch(
        self,
        session: model.SessionKey,
        spelling: str,
        *,
        fresh_since: int | None = None,
    ) -> model.ProviderResponse:
        """Fetch the decision; raises errors.FetchError, and may be repeated."""
        del session, fresh_since
        if self.canonical(spelling) is None:
            raise errors.SessionNotFound("malformed_id")
        answer = await self._http.request(
            "GET",
            f"{start.SESSION}{spelling}/decision/",
            headers=start.headers(self._settings),
        )
        return _results.of_response(answer)

    def interpret(
        self, session: model.SessionKey, spelling: str, answer: model.ProviderResponse
    ) -> model.Result:
        """
        Map the decision on the session that was asked for.

        Raises errors.ResultMismatch where it is not, and errors.InvalidResponse where
        it is no object.
        """
        del spelling
        document = _results.object_of(answer)
        _results.check_session(document, "session_id", self.canonical, session)
        verdict, alarms = tables.map_status(document.get("status"))
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
        value = document.get("vendor_data")
        return _fields.reference(value, self._settings.reference_pattern)


def _sample() -> dict[str, Any]:
    """Return the settings of a sample source."""
    return {
        "api_key": _samples.secret(),
        "hmac_secrets": [_samples.secret()],
        "workflow_id": "22222222-3333-4444-5555-666666666666",
    }


ENTRY = _entry.ProviderEntry(
    name="didit",
    settings_type=Settings,
    build=Adapter,
    build_starter=start.SessionStarter,
    sample_settings=_sample,
    signature=lambda _: SIGNATURE,
    # https://docs.didit.me/reference/web-app, seen 2026-12-01.
    return_query="verificationSessionId",
    documentation_secrets=frozenset({"wh_test_secret_9f2c4b8e1a7d"}),
)
