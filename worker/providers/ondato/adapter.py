"""Map Ondato's events and results, and fetch a verification and its identification."""

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
    _samples,
)
from worker.providers.ondato import settings, tables

# Second-hand, from a public integration, seen 2026-11-20.
SIGNATURE = signing.TimestampedHmac("Ondato-Signature", signature_key="s")

VERIFICATIONS = "/v1/identity-verifications/"
IDENTIFICATIONS = "/v1/identifications/"
_KEYS = frozenset({"id", "applicationId", "createdUtc", "payload", "type"})
_OF = "identityVerificationId"

Settings = settings.Settings


class Adapter:
    """One application's adapter."""

    def __init__(self, source: str, settings: Settings, clock: clocks.Clock) -> None:
        self._source = source
        self._settings = settings
        self._http = _http.of_source(settings, clock)
        self._identifications = _connections(
            settings, settings.identification_url, clock
        )
        self._token = _oauth.ClientCredentials(
            _connections(settings, settings.auth_url, clock),
            "/connect/token",
            client_id=settings.client_id,
            client_secret=settings.client_secret,
            clock=clock,
            in_form=True,  # as all public clients do
        )

    def canonical(self, spelling: object) -> str | None:
        """Return the session id that *spelling* names, None against the pattern."""
        return _fields.canonical_uuid(spelling)

    def normalise(self, callback: model.VerifiedCallback) -> model.Normalised:
        """
        Wake on every event of a verification or its identification that may decide.

        Raises errors.UnmappableCallback without a session id.
        """
        document = callback.document or {}
        name = _either(document, "type")
        resource = name.partition(".")[0] if isinstance(name, str) else None
        if isinstance(name, str) and name in tables.IGNORED_EVENTS:
            return model.IgnoredCallback(name)
        if resource is not None and resource not in tables.SESSION_FIELDS:
            return model.IgnoredCallback(policy.UNLISTED)
        payload = _either(document, "payload")
        found = payload if isinstance(payload, dict) else {}
        spelling = _either(found, tables.SESSION_FIELDS.get(str(resource), _OF))
        session_id = self.canonical(spelling)
        if session_id is None:
            raise _fields.unmappable_callback(callback.document, _KEYS)
        return model.WakeUp(
            session_id=session_id,
            provider_session_id=str(spelling),
            provider_event=policy.known_word(name, tables.EVENTS) or policy.UNLISTED,
            provider_event_id=_fields.identifier(_either(document, "id")),
            provider_time=_fields.rfc3339_ms(_either(document, "createdUtc")),
            reference=self._reference(found),
        )

    def claim(self, event: model.Event) -> model.Claim | None:
        """Return None: events may come twice and late, the fetched results decide."""
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
        Fetch the verification, and its identification where it names one.

        The document is ``{"verification": …, "identification": … or None}``. Raises
        errors.FetchError, and may be repeated.
        """
        del session, fresh_since
        if self.canonical(spelling) is None:
            raise errors.SessionNotFound("malformed_id")
        found, observed_at = await self._get(self._http, VERIFICATIONS + spelling)
        document: dict[str, Any] = {"verification": found, "identification": None}
        kyc_id = self.canonical(_either(found, self._settings.identification_field))
        if kyc_id is not None:
            path = IDENTIFICATIONS + kyc_id
            document["identification"], _ = await self._get(self._identifications, path)
        return model.ProviderResponse(document=document, observed_at=observed_at)

    async def _get(self, http: _http.Http, path: str) -> tuple[dict[str, Any], int]:
        """Return an object of the API, and when it was received."""

        async def call(
            authorization: Mapping[str, str],
        ) -> _http_responses.HttpResponse:
            return await http.request("GET", path, headers=dict(authorization))

        answer = await self._token.call(call)
        if answer.status == 404:  # noqa: PLR2004 -- HTTP
            raise errors.SessionNotFound
        if answer.status != 200:  # noqa: PLR2004 -- HTTP
            raise _http_responses.map_status(answer)
        return _http.parse_object(answer.body), answer.received_at

    def interpret(
        self, session: model.SessionKey, spelling: str, answer: model.ProviderResponse
    ) -> model.Result:
        """
        Map the verification that was asked for, and its identification.

        Raises errors.ResultMismatch where one of them is of another session, and
        errors.InvalidResponse where there is no verification.
        """
        del spelling
        document: Any = answer.document
        if not isinstance(document, dict):
            raise errors.InvalidResponse("not_an_object")
        verification = document.get("verification")
        identification = document.get("identification")
        if not isinstance(verification, dict):
            raise errors.InvalidResponse("not_an_object")
        self._check(_either(verification, "id"), session)
        status = None
        if isinstance(identification, dict):
            self._check(_either(identification, _OF), session)
            status = _either(identification, "status") or policy.UNLISTED
        elif identification is not None:
            raise errors.InvalidResponse("not_an_object")
        verdict, alarms = tables.map_results(_either(verification, "status"), status)
        return model.Result(
            verdict=verdict,
            observed_at=answer.observed_at,
            reference=self._reference(verification),
            alarms=alarms,
        )

    def _check(self, spelling: object, session: model.SessionKey) -> None:
        """Return if *spelling* names *session*; raises errors.ResultMismatch."""
        if spelling is None:
            raise errors.ResultMismatch("absent")
        if self.canonical(spelling) != session.session_id:
            raise errors.ResultMismatch("differs")

    async def close(self) -> None:
        """Close the connections; idempotent."""
        await self._token.close()
        await self._identifications.close()
        await self._http.close()

    def _reference(self, table: Mapping[str, Any]) -> str | None:
        """Return the company's own id."""
        value = _either(table, "externalReferenceId")
        return _fields.reference(value, self._settings.reference_pattern)


def _connections(settings: Settings, url: str, clock: clocks.Clock) -> _http.Http:
    """Return the connections to one more host of the application."""
    return _http.Http(
        base_url=url,
        timeout_ms=settings.fetch_timeout,
        limit_bytes=settings.max_answer_bytes,
        clock=clock,
        proxy=settings.proxy,
    )


def _either(table: Mapping[str, Any], name: str) -> object:
    """Return a member, whose first letter is upper case on some pages of Ondato."""
    values = [table.get(name), table.get(name[:1].upper() + name[1:])]
    found = [value for value in values if value is not None]
    return found[0] if found and all(each == found[0] for each in found) else None


def _sample() -> dict[str, Any]:
    """Return the settings of a sample source."""
    return {
        "client_id": _samples.secret(),
        "client_secret": _samples.secret(),
        "hmac_secrets": [_samples.secret()],
    }


ENTRY = _entry.ProviderEntry(
    name="ondato",
    settings_type=Settings,
    build=Adapter,
    sample_settings=_sample,
    signature=lambda _: SIGNATURE,
)
