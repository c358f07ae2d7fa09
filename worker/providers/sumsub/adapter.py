"""Map Sumsub's callbacks and applicants, and fetch an applicant."""

from typing import Any

from worker import clock as clocks
from worker import errors, model, policy, signing
from worker.providers import _entry, _fields, _http, _results, _samples
from worker.providers.sumsub import settings, start, tables

APPLICANT = "/resources/applicants/{}/one"
_KEYS = frozenset({"applicantId", "type", "externalUserId", "reviewStatus"})

Settings = settings.Settings


class Adapter:
    """One client's adapter."""

    def __init__(self, source: str, settings: Settings, clock: clocks.Clock) -> None:
        self._source = source
        self._settings = settings
        self._clock = clock
        self._http = _http.of_source(settings, clock)

    def canonical(self, spelling: object) -> str | None:
        """Return the session id that *spelling* names, None against the pattern."""
        return start.applicant_id(spelling)

    def normalise(self, callback: model.VerifiedCallback) -> model.Normalised:
        """
        Wake on every event of an applicant that may change the result.

        Raises errors.UnmappableCallback without an applicant id.
        """
        document = callback.document or {}
        name = document.get("type")
        if isinstance(name, str) and name in tables.IGNORED_EVENTS:
            return model.IgnoredCallback(name)
        session_id = self.canonical(document.get("applicantId"))
        if session_id is None:
            raise _fields.unmappable_callback(callback.document, _KEYS)
        return model.WakeUp(
            session_id=session_id,
            provider_session_id=session_id,
            provider_event=policy.known_word(name, tables.STATUS_EVENTS)
            or policy.UNLISTED,
            # No event has an id.
            provider_event_id=None,
            provider_time=_utc_ms(document.get("createdAtMs")),
            reference=self._reference(document.get("externalUserId")),
        )

    def claim(self, event: model.Event) -> model.Claim | None:
        """Return None: callbacks are not ordered, so the fetched applicant decides."""
        del event
        return None

    async def fetch(
        self,
        session: model.SessionKey,
        spelling: str,
        *,
        fresh_since: int | None = None,
    ) -> model.ProviderResponse:
        """Fetch the applicant; raises errors.FetchError, and may be repeated."""
        del session, fresh_since
        if self.canonical(spelling) is None:
            raise errors.SessionNotFound("malformed_id")
        path = APPLICANT.format(spelling)
        answer = await self._http.request(
            "GET",
            path,
            headers=start.signed_headers(
                self._settings, self._clock.now_ms() // 1000, "GET", path
            ),
        )
        return _results.of_response(answer)

    def interpret(
        self, session: model.SessionKey, spelling: str, answer: model.ProviderResponse
    ) -> model.Result:
        """
        Map an applicant that is the one asked for.

        Raises errors.ResultMismatch where it is not, and errors.InvalidResponse where
        it is no object.
        """
        del spelling
        document = _results.object_of(answer)
        _results.check_session(document, "id", self.canonical, session)
        review = _fields.table(document, "review")
        result = _fields.table(review, "reviewResult")
        verdict, alarms = tables.map_review(
            review.get("reviewStatus"),
            result.get("reviewAnswer"),
            result.get("reviewRejectType"),
        )
        return model.Result(
            verdict=verdict,
            observed_at=answer.observed_at,
            reference=self._reference(document.get("externalUserId")),
            alarms=alarms,
        )

    async def close(self) -> None:
        """Close the connections; idempotent."""
        await self._http.close()

    def _reference(self, value: object) -> str | None:
        """Return the company's own id."""
        return _fields.reference(value, self._settings.reference_pattern)


def signature(settings: Settings) -> signing.BodyHmac:
    """
    Return the scheme of the digest that *settings* choose.

    The header that names the algorithm may be absent, as in Sumsub's own sample
    (webhook-verify.js of SUMSUB/agent-skills, seen 2026-11-20).
    """
    name = f"HMAC_{settings.webhook_digest.upper()}_HEX"
    algorithm = signing.EqualHeader("X-Payload-Digest-Alg", name, optional=True)
    return signing.BodyHmac(
        "X-Payload-Digest",
        digest=settings.webhook_digest,
        equal_headers=(algorithm,),
    )


def _utc_ms(value: object) -> int | None:
    """Return ``yyyy-MM-dd HH:mm:ss.SSS``, which is UTC, in milliseconds."""
    if not isinstance(value, str) or value.count(" ") != 1:
        return None
    return _fields.rfc3339_ms(value.replace(" ", "T") + "Z")


def _sample() -> dict[str, Any]:
    """Return the settings of a sample source."""
    return {
        "app_token": _samples.secret(),
        "secret_key": _samples.secret(),
        "hmac_secrets": [_samples.secret()],
    }


ENTRY = _entry.ProviderEntry(
    name="sumsub",
    settings_type=Settings,
    build=Adapter,
    build_starter=start.SessionStarter,
    sample_start_parameters={"levelName": "basic-kyc-level"},
    sample_settings=_sample,
    signature=signature,
)
