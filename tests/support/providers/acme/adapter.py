"""Map Acme's callbacks and checks, and fetch a check."""

from collections.abc import Mapping
from typing import Any

from tests.support.providers.acme import settings as acme_settings
from worker import clock as clocks
from worker import errors, model, policy, signing
from worker.providers import _entry, _fields, _http, _http_responses, _samples

Settings = acme_settings.Settings

_KEYS = frozenset({"check", "event"})
_EVENTS = frozenset({"check.done"})
_REJECTED: Mapping[str, model.Reason] = {"refused": model.Reason.DECLINED}
_PENDING: Mapping[str, model.Reason] = {"in_review": model.Reason.UNDER_REVIEW}
_STATUSES = {"passed", *_REJECTED, *_PENDING}


def signature(settings: Settings) -> signing.BodyHmac:
    """Return how callbacks are signed: the account chooses the digest."""
    return signing.BodyHmac("X-Acme-Signature", digest=settings.digest)


class Adapter:
    """One account's adapter."""

    def __init__(self, source: str, settings: Settings, clock: clocks.Clock) -> None:
        self._source = source
        self._settings = settings
        self._http = _http.of_source(settings, clock)

    def canonical(self, spelling: object) -> str | None:
        """Return the session id that *spelling* names."""
        return _fields.canonical_uuid(spelling)

    def normalise(self, callback: model.VerifiedCallback) -> model.Normalised:
        """Wake on every event that names a check."""
        document = callback.document or {}
        spelling = document.get("check")
        session_id = self.canonical(spelling)
        if session_id is None:
            raise _fields.unmappable_callback(callback.document, _KEYS)
        event = policy.known_word(document.get("event"), _EVENTS)
        return model.WakeUp(
            session_id=session_id,
            provider_session_id=str(spelling),
            provider_event=event or policy.UNLISTED,
        )

    def claim(self, event: model.Event) -> model.Claim | None:
        """Return None: the callback contains no status."""
        del event
        return None

    async def fetch(
        self,
        session: model.SessionKey,
        spelling: str,
        *,
        fresh_since: int | None = None,
    ) -> model.ProviderResponse:
        """Fetch the check; raises errors.FetchError."""
        del session, fresh_since
        if self.canonical(spelling) is None:
            raise errors.SessionNotFound("malformed_id")
        headers = {"X-Api-Key": self._settings.api_key.reveal()}
        answer = await self._http.request("GET", f"/checks/{spelling}", headers=headers)
        if answer.status == 404:
            raise errors.SessionNotFound
        if answer.status == 409:
            raise errors.NotReady
        if answer.status != 200:
            raise _http_responses.map_status(answer)
        document = _http.parse_object(answer.body)
        return model.ProviderResponse(document=document, observed_at=answer.received_at)

    def interpret(
        self, session: model.SessionKey, spelling: str, answer: model.ProviderResponse
    ) -> model.Result:
        """Map the check by its status."""
        del spelling
        document = answer.document
        if not isinstance(document, dict):
            raise errors.InvalidResponse("not_an_object")
        if self.canonical(document.get("id")) != session.session_id:
            raise errors.ResultMismatch("differs")
        pattern = self._settings.reference_pattern
        return model.Result(
            verdict=_verdict(document.get("status")),
            observed_at=answer.observed_at,
            reference=_fields.reference(document.get("reference"), pattern),
        )

    async def close(self) -> None:
        """Close the connections; idempotent."""
        await self._http.close()


def _verdict(status: object) -> model.Verdict:
    match status:
        case "passed":
            return policy.approved(status="passed")
        case str() if status in _REJECTED:
            return policy.rejected(_REJECTED[status], status=status)
        case str() if status in _PENDING:
            return policy.pending(_PENDING[status], status=status)
        case _:
            return policy.pending_unrecognised(status, _STATUSES)


def _sample() -> dict[str, Any]:
    """Return the settings of a sample source."""
    return {"api_key": _samples.secret(), "hmac_secrets": [_samples.secret()]}


ENTRY = _entry.ProviderEntry(
    name="acme",
    settings_type=Settings,
    build=Adapter,
    sample_settings=_sample,
    signature=signature,
)
