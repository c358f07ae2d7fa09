"""
Speak with id beyond (Uniicy): the signed callback is the verdict, or a result call.

No result call is documented, so the callback is the default; where a company has been
told of one, ``result = "fetch"`` makes the callback a mere wake-up. Never both.
"""

from collections.abc import Mapping
from typing import Any

from worker import clock as clocks
from worker import errors, model, policy, signing
from worker.providers import _entry, _fields, _http, _http_responses, _samples
from worker.providers.idbeyond import settings, start, tables

# Vendor guide, seen 2026-11-20: raw HMAC-SHA256 hex digest of the body, no prefix.
SIGNATURE = signing.BodyHmac("X-Verification-Signature")

_COMPLETED = "verification.completed"
_EXTRACTION = "verification.extraction"  # personal data, and no verdict
_SESSION = tables.SESSION
_USER = "externalUserId"
_KEYS = frozenset(
    {
        "event",
        _SESSION,
        _USER,
        "decision",
        "reviewStatus",
        "rationale",
        "metadata",
        "timestamp",
    }
)

Settings = settings.Settings


class Adapter:
    """One organisation's adapter."""

    def __init__(self, source: str, settings: Settings, clock: clocks.Clock) -> None:
        self._source = source
        self._settings = settings
        self._http = _http.of_source(settings, clock)

    def canonical(self, spelling: object) -> str | None:
        """Return the session id that *spelling* names, None against the pattern."""
        return _fields.canonical_uuid(spelling)

    def normalise(self, callback: model.VerifiedCallback) -> model.Normalised:
        """
        Make of a callback a wake-up that carries the words of the table.

        Raises errors.UnmappableCallback without a session id, or with two, and, where
        callbacks are verdicts, for an event not known. That one is to be acknowledged,
        and so is a completion that names no session: no repeat would be better.
        """
        document = callback.document or {}
        event = document.get("event")
        if event == _EXTRACTION:
            return model.IgnoredCallback(_EXTRACTION)
        spelling = document.get(_SESSION)
        session_id = _fields.canonical_uuid(spelling)
        if session_id is None or tables.names_another(
            document, tables.IN_CALLBACK, session_id
        ):
            # Their own schema lets the session out: a repeat would name none either.
            unnamed = event == _COMPLETED and _SESSION not in document
            raise _fields.unmappable_callback(document, _KEYS, acknowledge=unnamed)
        if event != _COMPLETED and not self._settings.fetches:
            raise _fields.unmappable_callback(document, _KEYS, acknowledge=True)
        return model.WakeUp(
            session_id=session_id,
            provider_session_id=str(spelling),
            provider_event=_COMPLETED if event == _COMPLETED else policy.UNLISTED,
            provider_time=_fields.rfc3339_ms(document.get("timestamp")),
            reference=self._reference(document),
            begin_id=start.begin_id_of(document),
            claim=tables.words(document),
        )

    def claim(self, event: model.Event) -> model.Claim | None:
        """Return the signed verdict, or None where the result is fetched."""
        if self._settings.fetches or event.provider_event != _COMPLETED:
            return None
        verdict, alarms = self._map(event.claim, event.provider_time)
        return model.Claim(model.ClaimKind.SIGNED, verdict, alarms)

    async def fetch(
        self,
        session: model.SessionKey,
        spelling: str,
        *,
        fresh_since: int | None = None,
    ) -> model.ProviderResponse:
        """Ask at ``result_path``; raises errors.FetchError, and may be repeated."""
        del session, fresh_since  # it is asked with its own spelling, each time anew
        if _fields.canonical_uuid(spelling) is None:
            raise errors.SessionNotFound("malformed_id")
        path = self._settings.result_path.replace(settings.PLACEHOLDER, spelling)
        key = self._settings.api_key.reveal()
        answer = await self._http.request(
            "GET", path, headers={"Authorization": f"Bearer {key}"}
        )
        # The path is a guess: its 404 does not prove that the session is unknown.
        if answer.status == 404:  # noqa: PLR2004 -- HTTP
            raise errors.ProviderFault("not_found")
        if answer.status != 200:  # noqa: PLR2004 -- HTTP
            raise _http_responses.map_status(answer)
        document = _http.parse_object(answer.body)
        return model.ProviderResponse(document=document, observed_at=answer.received_at)

    def interpret(
        self, session: model.SessionKey, spelling: str, answer: model.ProviderResponse
    ) -> model.Result:
        """
        Map a result that is this session's, by the table of the callbacks.

        Raises errors.ResultMismatch where it is another's or does not say whose,
        errors.BadAnswer where it is no object.
        """
        del spelling
        document = answer.document
        if not isinstance(document, dict):
            raise errors.InvalidResponse("not_an_object")
        if document.get("ok", True) is not True:
            raise errors.InvalidResponse("not_ok")
        if not any(name in document for name in tables.IN_RESULT):
            raise errors.ResultMismatch("absent")
        if tables.names_another(document, tables.IN_RESULT, session.session_id):
            raise errors.ResultMismatch("differs")
        at_ms = _fields.rfc3339_ms(document.get("timestamp"))
        verdict, alarms = self._map(tables.words(document), at_ms)
        return model.Result(
            verdict=verdict,
            observed_at=answer.observed_at,
            reference=self._reference(document),
            alarms=alarms,
        )

    async def close(self) -> None:
        """Close the connections; idempotent."""
        await self._http.close()

    def _map(self, words: Mapping[str, str | None], at_ms: int | None) -> tables.Mapped:
        """Return the verdict on the pair of *words*."""
        on_review = self._settings.approve_on_review_status
        return tables.map_words(words, at_ms, approve_on_review=on_review)

    def _reference(self, document: Mapping[str, Any]) -> str | None:
        """
        Return the company's own id: out of the echoed ``metadata``, else the user's.

        ``externalUserId`` names a user, who may have several sessions; what stands in
        ``metadata`` was put there for this one.
        """
        name = self._settings.reference_field
        if not name:
            return None
        metadata = _fields.table(document, "metadata")
        value = metadata[name] if name in metadata else document.get(_USER)
        return _fields.reference(value, self._settings.reference_pattern)


def _sample() -> dict[str, Any]:
    """Return the settings of a sample source."""
    return {
        "api_key": _samples.secret(),
        "hmac_secrets": [_samples.secret()],
    }


ENTRY = _entry.ProviderEntry(
    name="idbeyond",
    settings_type=Settings,
    build=Adapter,
    build_starter=start.SessionStarter,
    sample_settings=_sample,
    sample_variants={"fetch": {"result": "fetch"}},
    signature=lambda _: SIGNATURE,
    # Integration guide, seen 2026-11-20: ?session_id=…&status=… is appended.
    return_query="session_id",
    # The vendor's own sample, and a published test vector (seen 2026-11-20).
    documentation_secrets=frozenset(
        {"change-me-min-16-chars-random", "test-webhook-shared-secret-1234"}
    ),
)
