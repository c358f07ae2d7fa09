"""Map Veriff's callbacks and decisions, and fetch a decision."""

from collections.abc import Mapping
from typing import Any

from worker import clock as clocks
from worker import errors, model, policy, signing
from worker.providers import _entry, _fields, _http, _results, _samples
from worker.providers.veriff import settings, start, tables

_KEYS = frozenset(
    {
        "status",
        "verification",
        "technicalData",
        "id",
        "sessionId",
        "attemptId",
        "feature",
        "code",
        "action",
        "vendorData",
        "endUserId",
    }
)
_VERIFICATION = "verification"

Settings = settings.Settings


class Adapter:
    """One integration's adapter."""

    def __init__(self, source: str, settings: Settings, clock: clocks.Clock) -> None:
        self._source = source
        self._settings = settings
        self._http = _http.of_source(settings, clock)

    def canonical(self, spelling: object) -> str | None:
        """Return the session id that *spelling* names, None against the pattern."""
        return _fields.canonical_uuid(spelling)

    def normalise(self, callback: model.VerifiedCallback) -> model.Normalised:
        """
        Wake on every callback of a session, but ignore that it was opened.

        The kind of a callback is only in its shape, and new kinds may follow. Raises
        errors.UnmappableCallback without a session id, and with two that differ.
        """
        document = callback.document or {}
        action = document.get("action")
        if isinstance(action, str) and action in tables.IGNORED_ACTIONS:
            return model.IgnoredCallback(action)
        verification = _fields.table(document, _VERIFICATION)
        spellings = [
            table[name]
            for table, name in (
                (verification, "id"),
                (document, "sessionId"),
                (document, "id"),
            )
            if name in table
        ]
        ids = {self.canonical(spelling) for spelling in spellings}
        session_id = ids.pop() if len(ids) == 1 else None
        if session_id is None:
            raise _fields.unmappable_callback(callback.document, _KEYS)
        event = verification.get("status") if verification else action
        return model.WakeUp(
            session_id=session_id,
            provider_session_id=str(spellings[0]),
            provider_event=policy.known_word(event, tables.STATUSES | tables.ACTIONS)
            or policy.UNLISTED,
            provider_time=_fields.rfc3339_ms(verification.get("decisionTime")),
            reference=self._reference(verification or document),
        )

    def claim(self, event: model.Event) -> model.Claim | None:
        """Return None: callbacks are not ordered, so only the fetched one decides."""
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
            f"{start.SESSIONS}/{spelling}/decision",
            headers=start.headers(self._settings, signed=spelling),
        )
        return _results.of_response(answer)

    def interpret(
        self, session: model.SessionKey, spelling: str, answer: model.ProviderResponse
    ) -> model.Result:
        """
        Map a decision on the session asked for, or that there is none yet.

        Raises errors.ResultMismatch where it is another's or does not say whose, and
        errors.InvalidResponse where it is no decision.
        """
        del spelling
        document = answer.document
        if not isinstance(document, dict):
            raise errors.InvalidResponse("not_an_object")
        if document.get("status") != "success":
            raise errors.InvalidResponse("status")
        reference = None
        if _VERIFICATION in document and document[_VERIFICATION] in (None, {}):
            verdict, alarms = tables.undecided()
        else:
            verification = _fields.table(document, _VERIFICATION)
            if "id" not in verification:
                raise errors.ResultMismatch("absent")
            if self.canonical(verification["id"]) != session.session_id:
                raise errors.ResultMismatch("differs")
            verdict, alarms = tables.map_status(verification.get("status"))
            reference = self._reference(verification)
        return model.Result(
            verdict=verdict,
            observed_at=answer.observed_at,
            reference=reference,
            alarms=alarms,
        )

    async def close(self) -> None:
        """Close the connections; idempotent."""
        await self._http.close()

    def _reference(self, table: Mapping[str, Any]) -> str | None:
        """Return the company's own id."""
        value = table.get("vendorData")
        return _fields.reference(value, self._settings.reference_pattern)


def signature(settings: Settings) -> signing.BodyHmac:
    """
    Return how callbacks are signed.

    https://devdocs.veriff.com/docs/hmac-authentication-and-endpoint-security, seen
    2026-12-01, has both names of the header. The legacy ``X-SIGNATURE`` is not read.
    """
    return signing.BodyHmac(
        start.SIGNATURE,
        aliases=("VRF-HMAC-SIGNATURE",),
        equal_headers=(
            signing.EqualHeader(start.CLIENT, settings.api_key),
            # A third-party OpenAPI document has this name.
            signing.EqualHeader("VRF-AUTH-CLIENT", settings.api_key, optional=True),
        ),
    )


def _sample() -> dict[str, Any]:
    """Return the settings of a sample source: one shared secret, used twice."""
    key = _samples.secret()
    return {
        "api_key": _samples.secret(),
        "shared_secret": key,
        "hmac_secrets": [key],
    }


ENTRY = _entry.ProviderEntry(
    name="veriff",
    settings_type=Settings,
    build=Adapter,
    build_starter=start.SessionStarter,
    sample_settings=_sample,
    signature=signature,
    # The secret of a published test (batm_public, VeriffDigestTest.java).
    documentation_secrets=frozenset({"abcdef12-abcd-abcd-abcd-abcdef012345"}),
)
