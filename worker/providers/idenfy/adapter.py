"""
Speak with iDenfy: a signed callback wakes, the fetched status decides.

Sources: documentation.idenfy.com, pages security/callback-signing, kyc/webhooks
and kyc/data-retrieval, seen 2026-12-01.
"""

from collections.abc import Mapping
from typing import Any

import orjson

from worker import clock as clocks
from worker import errors, model, policy, signing
from worker.providers import _entry, _fields, _http, _samples
from worker.providers.idenfy import client, results, settings, start, tables

# Page security/callback-signing: hex HMAC-SHA256 of the raw body. No time is signed.
SIGNATURE = signing.BodyHmac("Idenfy-Signature")

# Not /api/v2/full: there ``final`` is always false, and a pending review is not shown.
_STATUS = "/api/v2/status"
_KEYS = frozenset(
    {
        "scanRef",
        "clientId",
        "externalRef",
        "platform",
        "startTime",
        "finishTime",
        "final",
        "status",
        "data",
        "fileUrls",
        "AML",
        "LID",
    }
)
Settings = settings.Settings


class Adapter:
    """One account's adapter."""

    def __init__(self, source: str, settings: Settings, clock: clocks.Clock) -> None:
        self._source = source
        self._settings = settings
        self._http = _http.of_source(settings, clock)
        self._rules = results.Rules(
            face=settings.product == "identification",
            review_successful=settings.review_successful,
            review_failed=settings.review_failed,
            approve_with_tags=settings.approve_with_tags,
        )

    def canonical(self, spelling: object) -> str | None:
        """Return the session id that *spelling* names, None against the pattern."""
        return _fields.canonical_uuid(spelling)

    def normalise(self, callback: model.VerifiedCallback) -> model.Normalised:
        """
        Make a wake-up of a callback about a ``scanRef``.

        Raises errors.UnmappableCallback without one.
        """
        document = callback.document or {}
        spelling = document.get("scanRef")
        session_id = _fields.canonical_uuid(spelling)
        if session_id is None:
            raise _fields.unmappable_callback(document, _KEYS)
        overall = _fields.table(document, "status").get("overall")
        word = policy.known_word(overall, tables.STATUSES)
        return model.WakeUp(
            session_id=session_id,
            provider_session_id=str(spelling),
            provider_event=word or policy.UNLISTED,
            provider_time=_fields.unix_seconds_ms(document.get("finishTime")),
            reference=self._reference(document),
            claim={"overall": word, "final": _final(document)},
        )

    def claim(self, event: model.Event) -> model.Claim | None:  # noqa: ARG002 -- part of the port
        """Return None: there is a result call, so a callback decides nothing."""
        return None

    async def fetch(
        self,
        session: model.SessionKey,
        spelling: str,
        *,
        fresh_since: int | None = None,
    ) -> model.ProviderResponse:
        """Ask for the status; raises errors.FetchError, and may be repeated."""
        del session, fresh_since  # it is asked with its own spelling, each time anew
        if _fields.canonical_uuid(spelling) is None:
            raise errors.SessionNotFound("malformed_id")
        answer = await self._http.request(
            "POST",
            _STATUS,
            body=orjson.dumps({"scanRef": spelling}),
            headers=client.authorised(self._settings),
        )
        if answer.status != 200:  # noqa: PLR2004 -- HTTP
            raise client.failure(answer)
        document = _http.parse_object(answer.body)
        return model.ProviderResponse(document=document, observed_at=answer.received_at)

    def interpret(
        self,
        session: model.SessionKey,
        spelling: str,  # noqa: ARG002 -- part of the port
        answer: model.ProviderResponse,
    ) -> model.Result:
        """
        Map the status of this session; see ports.Provider.

        Raises errors.ResultMismatch where it is another's or does not say whose.
        """
        document: Any = answer.document
        if not isinstance(document, dict):
            raise errors.InvalidResponse("not_an_object")
        if _fields.canonical_uuid(document.get("scanRef")) != session.session_id:
            raise errors.ResultMismatch("scanRef")
        verdict, alarms = results.map_status(document, self._rules)
        return model.Result(
            verdict=verdict,
            observed_at=answer.observed_at,
            reference=self._reference(document),
            alarms=alarms,
        )

    def _reference(self, document: Mapping[str, Any]) -> str | None:
        """Return the company's own id, if it is where it should be."""
        if self._settings.reference_field is None:
            return None
        value = document.get(self._settings.reference_field)
        return _fields.reference(value, self._settings.reference_pattern)

    async def close(self) -> None:
        """Close the connections; idempotent."""
        await self._http.close()


def _final(document: Mapping[str, Any]) -> str | None:
    """Return the callback's ``final`` as a word, None where it is not a boolean."""
    final = document.get("final")
    return str(final).lower() if isinstance(final, bool) else None


def _sample() -> dict[str, Any]:
    """Return the settings of a sample source."""
    return {
        "api_key": _samples.secret(),
        "api_secret": _samples.secret(),
        "hmac_secrets": [_samples.secret()],
    }


ENTRY = _entry.ProviderEntry(
    name="idenfy",
    settings_type=Settings,
    build=Adapter,
    build_starter=start.SessionStarter,
    sample_settings=_sample,
    signature=lambda _: SIGNATURE,
)
