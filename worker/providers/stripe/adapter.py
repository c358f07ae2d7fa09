"""Map Stripe Identity's events and sessions, and fetch a session."""

import re
from collections.abc import Mapping
from typing import Any

from worker import clock as clocks
from worker import errors, model, policy, signing
from worker.providers import _entry, _fields, _http, _http_responses, _results, _samples
from worker.providers.stripe import settings, start, tables

# stripe-python, stripe/_webhook.py, seen 2026-12-01.
SIGNATURE = signing.TimestampedHmac("Stripe-Signature")

_KEYS = frozenset(
    {"id", "object", "type", "created", "livemode", "account", "data", "api_version"}
)
_EVENT_ID = re.compile(r"evt_[A-Za-z0-9_]{1,250}")
# https://docs.stripe.com/rate-limits, seen 2026-12-01: the object is locked.
_LOCKED = "lock_timeout"

Settings = settings.Settings


class Adapter:
    """One account's adapter."""

    def __init__(self, source: str, settings: Settings, clock: clocks.Clock) -> None:
        self._source = source
        self._settings = settings
        self._http = _http.of_source(settings, clock)

    def canonical(self, spelling: object) -> str | None:
        """Return the session id that *spelling* names, None against the pattern."""
        return start.session_id(spelling)

    def normalise(self, callback: model.VerifiedCallback) -> model.Normalised:
        """
        Wake on every change of a session's status.

        Events of other objects are ignored: one endpoint may receive all of an
        account. Raises errors.UnmappableCallback without a session id.
        """
        document = callback.document or {}
        event = document.get("type")
        if isinstance(event, str) and event in tables.IGNORED_EVENTS:
            return model.IgnoredCallback(event)
        session = _fields.table(_fields.table(document, "data"), "object")
        kind = session.get("object")
        if isinstance(kind, str) and kind != tables.OBJECT:
            return model.IgnoredCallback(policy.UNLISTED)
        session_id = self.canonical(session.get("id"))
        if session_id is None:
            raise _fields.unmappable_callback(callback.document, _KEYS)
        event_id = document.get("id")
        known = isinstance(event_id, str) and _EVENT_ID.fullmatch(event_id)
        return model.WakeUp(
            session_id=session_id,
            provider_session_id=session_id,
            provider_event=policy.known_word(event, tables.STATUS_EVENTS)
            or policy.UNLISTED,
            provider_event_id=str(event_id) if known else None,
            provider_time=_fields.unix_seconds_ms(document.get("created")),
            reference=self._reference(session),
            begin_id=start.begin_id(session),
        )

    def claim(self, event: model.Event) -> model.Claim | None:
        """Return None: events are not ordered, so only the fetched session decides."""
        del event
        return None

    async def fetch(
        self,
        session: model.SessionKey,
        spelling: str,
        *,
        fresh_since: int | None = None,
    ) -> model.ProviderResponse:
        """Fetch the session; raises errors.FetchError, and may be repeated."""
        del session, fresh_since
        if self.canonical(spelling) is None:
            raise errors.SessionNotFound("malformed_id")
        answer = await self._http.request(
            "GET", f"{start.SESSIONS}/{spelling}", headers=start.headers(self._settings)
        )
        if answer.status == 404:  # noqa: PLR2004 -- HTTP
            raise errors.SessionNotFound
        if answer.status == 429 and start.error_code(answer) == _LOCKED:  # noqa: PLR2004 -- HTTP
            raise errors.NotReady(_LOCKED)
        if answer.status != 200:  # noqa: PLR2004 -- HTTP
            raise _http_responses.map_status(answer)
        document = _http.parse_object(answer.body)
        return model.ProviderResponse(document=document, observed_at=answer.received_at)

    def interpret(
        self, session: model.SessionKey, spelling: str, answer: model.ProviderResponse
    ) -> model.Result:
        """
        Map a session that is the one asked for, of this source's environment.

        Raises errors.ResultMismatch where it is not, and errors.InvalidResponse where
        it is no object.
        """
        del spelling
        document = _results.object_of(answer)
        _results.check_session(document, "id", self.canonical, session)
        if document.get("object") != tables.OBJECT:
            raise errors.ResultMismatch("object")
        live = self._settings.environment is model.Environment.LIVE
        if document.get("livemode") is not live:
            raise errors.ResultMismatch("environment")
        verdict, alarms = tables.map_session(
            document,
            approve_with_last_error=self._settings.approve_with_last_error,
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

    def _reference(self, session: Mapping[str, Any]) -> str | None:
        """Return the company's own id, of the configured field."""
        name = self._settings.reference_field
        if not name:
            return None
        value = (
            session.get(name)
            if name == settings.REFERENCE
            else _fields.table(session, "metadata").get(name)
        )
        return _fields.reference(value, self._settings.reference_pattern)


def _sample() -> dict[str, Any]:
    """Return the settings of a sample source."""
    return {"api_key": _samples.secret(), "hmac_secrets": [_samples.secret()]}


ENTRY = _entry.ProviderEntry(
    name="stripe",
    settings_type=Settings,
    build=Adapter,
    build_starter=start.SessionStarter,
    sample_settings=_sample,
    signature=lambda _: SIGNATURE,
    # The secret of the tests of stripe-python and stripe-node, seen 2026-12-01.
    documentation_secrets=frozenset({"whsec_test_secret"}),
)
