"""Map Persona's events and inquiries, and fetch an inquiry."""

import re
from collections.abc import Mapping
from typing import Any

from worker import clock as clocks
from worker import errors, model, policy, signing
from worker.providers import _entry, _fields, _http, _results, _samples
from worker.providers.persona import settings, start, tables

# https://docs.withpersona.com/docs/webhooks-best-practices, seen 2026-12-01: two sets,
# separated by a space, while a secret rotates.
SIGNATURE = signing.TimestampedHmac("Persona-Signature", set_separator=" ")

_KEYS = frozenset({"data"})
_EVENT_ID = re.compile(r"evt_[A-Za-z0-9_]{1,250}")
_INQUIRY = "inquiry"

Settings = settings.Settings


class Adapter:
    """One environment's adapter."""

    def __init__(self, source: str, settings: Settings, clock: clocks.Clock) -> None:
        self._source = source
        self._settings = settings
        self._http = _http.of_source(settings, clock)

    def canonical(self, spelling: object) -> str | None:
        """Return the session id that *spelling* names, None against the pattern."""
        return start.inquiry_id(spelling)

    def normalise(self, callback: model.VerifiedCallback) -> model.Normalised:
        """
        Wake on every event of an inquiry; ignore those of other objects.

        Raises errors.UnmappableCallback without an inquiry id.
        """
        event = _fields.table(callback.document or {}, "data")
        attributes = _fields.table(event, "attributes")
        name = attributes.get("name")
        if isinstance(name, str) and name in tables.IGNORED_EVENTS:
            return model.IgnoredCallback(name)
        inquiry = _fields.table(_fields.table(attributes, "payload"), "data")
        kind = inquiry.get("type")
        if isinstance(kind, str) and kind != _INQUIRY:
            return model.IgnoredCallback(policy.UNLISTED)
        session_id = self.canonical(inquiry.get("id"))
        if session_id is None:
            raise _fields.unmappable_callback(callback.document, _KEYS)
        event_id = event.get("id")
        known = isinstance(event_id, str) and _EVENT_ID.fullmatch(event_id)
        return model.WakeUp(
            session_id=session_id,
            provider_session_id=session_id,
            provider_event=policy.known_word(name, tables.STATUS_EVENTS)
            or policy.UNLISTED,
            provider_event_id=str(event_id) if known else None,
            provider_time=_fields.rfc3339_ms(_inflected(attributes, "created-at")),
            reference=self._reference(inquiry),
        )

    def claim(self, event: model.Event) -> model.Claim | None:
        """Return None: events are not ordered, so only the fetched inquiry decides."""
        del event
        return None

    async def fetch(
        self,
        session: model.SessionKey,
        spelling: str,
        *,
        fresh_since: int | None = None,
    ) -> model.ProviderResponse:
        """Fetch the inquiry; raises errors.FetchError, and may be repeated."""
        del session, fresh_since
        if self.canonical(spelling) is None:
            raise errors.SessionNotFound("malformed_id")
        answer = await self._http.request(
            "GET",
            f"{start.INQUIRIES}/{spelling}",
            headers=start.headers(self._settings),
        )
        return _results.of_response(answer)

    def interpret(
        self, session: model.SessionKey, spelling: str, answer: model.ProviderResponse
    ) -> model.Result:
        """
        Map an inquiry that is the one asked for.

        Raises errors.ResultMismatch where it is not, and errors.InvalidResponse where
        it is no object.
        """
        del spelling
        if not isinstance(answer.document, dict):
            raise errors.InvalidResponse("not_an_object")
        inquiry = _fields.table(answer.document, "data")
        if "id" not in inquiry:
            raise errors.ResultMismatch("absent")
        if self.canonical(inquiry["id"]) != session.session_id:
            raise errors.ResultMismatch("differs")
        if inquiry.get("type") != _INQUIRY:
            raise errors.ResultMismatch("object")
        status = _fields.table(inquiry, "attributes").get("status")
        verdict, alarms = tables.map_status(
            status, approve_completed=self._settings.approve_completed
        )
        return model.Result(
            verdict=verdict,
            observed_at=answer.observed_at,
            reference=self._reference(inquiry),
            alarms=alarms,
        )

    async def close(self) -> None:
        """Close the connections; idempotent."""
        await self._http.close()

    def _reference(self, inquiry: Mapping[str, Any]) -> str | None:
        """Return the company's own id."""
        attributes = _fields.table(inquiry, "attributes")
        value = _inflected(attributes, "reference-id")
        return _fields.reference(value, self._settings.reference_pattern)


def _inflected(table: Mapping[str, Any], name: str) -> object:
    """Return the member *name*, whose spelling the header Key-Inflection chooses."""
    first, *rest = name.split("-")
    camel = first + "".join(part.capitalize() for part in rest)
    spellings = (name, name.replace("-", "_"), camel)
    values = [table[key] for key in spellings if table.get(key) is not None]
    return values[0] if values and all(each == values[0] for each in values) else None


def _sample() -> dict[str, Any]:
    """Return the settings of a sample source."""
    return {
        "api_key": _samples.secret(),
        "hmac_secrets": [_samples.secret()],
        "inquiry_template_id": "itmpl_sample",
    }


ENTRY = _entry.ProviderEntry(
    name="persona",
    settings_type=Settings,
    build=Adapter,
    build_starter=start.SessionStarter,
    sample_settings=_sample,
    signature=lambda _: SIGNATURE,
    # https://docs.withpersona.com/hosted-flow-redirecting-on-complete, seen 2026-12-01.
    return_query="inquiry-id",
)
