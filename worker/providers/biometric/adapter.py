"""
Speak with Biometric.kz "Flow": unsigned webhooks wake us, the result call decides.

The flow's key stands in the query of the result call: nothing here, and nothing
below, ever contains a URL.
"""

import dataclasses
from typing import Any

from worker import clock as clocks
from worker import errors, model, policy
from worker.providers import _entry, _fields, _http, _results, _samples
from worker.providers.biometric import results, settings, start, tables

_RESULT = "/api/v1/flows/session/result/"
_END = "flow.end"
# Vendor guide, fundamentals/webhooks, seen 2026-11-20: one flow.start and one flow.end
# a session, one technology.start and one technology.end a technology. An ended
# technology decides nothing: whether it can be repeated is not documented.
_IGNORED = frozenset({"flow.start", "technology.start", "technology.end"})
_EVENTS = _IGNORED | {_END}
_KEYS = frozenset(
    {
        "id",
        "event",
        "session_id",
        "created",
        "success",
        "flow_name",
        "metadata",
        "data",
    }
)


Settings = settings.Settings


class Adapter:
    """One flow's adapter."""

    def __init__(self, source: str, settings: Settings, clock: clocks.Clock) -> None:
        self._source = source
        self._settings = settings
        self._http = _http.of_source(settings, clock)

    def canonical(self, spelling: object) -> str | None:
        """Return the session id that *spelling* names, None against the pattern."""
        return _fields.canonical_uuid(spelling)

    def normalise(self, callback: model.VerifiedCallback) -> model.Normalised:
        """
        Wake on ``flow.end`` and on events not known; the other known ones say nothing.

        Raises errors.UnmappableCallback without a session id, or with two.
        """
        document = callback.document
        if document is None:
            return self._normalise_query(callback)
        event = document.get("event")
        if isinstance(event, str) and event in _IGNORED:
            return model.IgnoredCallback(event)
        spelling = document.get("session_id")
        session_id = _fields.canonical_uuid(spelling)
        result = _fields.table(_fields.table(document, "data"), "session_result")
        inner = result.get("session_id")
        other = inner is not None and _fields.canonical_uuid(inner) != session_id
        if session_id is None or other:
            raise _fields.unmappable_callback(document, _KEYS)
        return model.WakeUp(
            session_id=session_id,
            provider_session_id=str(spelling),
            provider_event=policy.known_word(event, _EVENTS) or policy.UNLISTED,
            # That a retry keeps the id is not promised; a new id costs one fetch.
            provider_event_id=_fields.canonical_uuid(document.get("id")),
            provider_time=_fields.unix_seconds_ms(document.get("created")),
            claim=_claimed(result),
        )

    def _normalise_query(self, callback: model.VerifiedCallback) -> model.WakeUp:
        """Wake for a GET, which has no body; none is documented."""
        name = self._settings.session_id_query
        spelling = None if name is None else callback.query.get(name)
        session_id = _fields.canonical_uuid(spelling)
        if session_id is None:
            raise _fields.unmappable_callback(None, _KEYS)
        return model.WakeUp(
            session_id=session_id,
            provider_session_id=str(spelling),
            provider_event=policy.UNLISTED,
        )

    def claim(self, event: model.Event) -> model.Claim | None:
        """Return what the unsigned words of ``flow.end`` suggest, as a hint."""
        verdict = tables.hint(
            event.claim.get("status"), event.claim.get("flow_session_result")
        )
        if verdict is None:
            return None
        return model.Claim(model.ClaimKind.HINT, verdict)

    async def fetch(
        self,
        session: model.SessionKey,
        spelling: str,
        *,
        fresh_since: int | None = None,
    ) -> model.ProviderResponse:
        """
        Ask for the result, with the key of the flow that made the session.

        Raises errors.FetchError; a repeat changes nothing at the provider.
        """
        del session, fresh_since  # it is asked with its own spelling, each time anew
        if _fields.canonical_uuid(spelling) is None:
            raise errors.SessionNotFound("malformed_id")
        key = self._settings.flow_api_key.reveal()
        query = {"session_id": spelling, "flow_api_key": key}
        answer = await self._http.request("GET", _RESULT, query=query)
        # No error status is documented: these are HTTP's own meanings.
        return _results.of_response(answer)

    def interpret(
        self, session: model.SessionKey, spelling: str, answer: model.ProviderResponse
    ) -> model.Result:
        """
        Map a result that is this session's.

        Raises errors.ResultMismatch where it is another's or does not say whose,
        errors.NotReady while a part of an ended session is empty, errors.BadAnswer
        where it is no object.
        """
        del spelling
        document = answer.document
        if not isinstance(document, dict):
            raise errors.InvalidResponse("not_an_object")
        _check_session(document, session.session_id)
        verdict, alarms = tables.map_result(
            document,
            approve_without_status=self._settings.approve_without_status,
            consent_field=self._settings.gbdfl_status_field,
        )
        at_ms = _fields.rfc3339_ms(document.get("finished_at"))
        return model.Result(
            verdict=dataclasses.replace(verdict, provider_time=at_ms),
            observed_at=answer.observed_at,
            alarms=alarms,
        )

    async def close(self) -> None:
        """Close the connections; idempotent."""
        await self._http.close()


def _claimed(result: Any) -> dict[str, str | None]:  # noqa: ANN401 -- whatever came
    """Return the words of our table that a ``session_result`` holds."""
    if not result:
        return {}
    passed = result.get("flow_session_result")
    word = "true" if passed is True else "false" if passed is False else None
    return {
        "status": policy.known_word(result.get("status"), results.STATUSES),
        "flow_session_result": word,
    }


def _check_session(document: dict[str, Any], session_id: str) -> None:
    """Raise errors.ResultMismatch unless the result says that it is this session's."""
    if "id" not in document:
        raise errors.ResultMismatch("absent")
    ids = [document[name] for name in ("id", "session_id") if name in document]
    if any(_fields.canonical_uuid(value) != session_id for value in ids):
        raise errors.ResultMismatch("differs")


def _sample() -> dict[str, Any]:
    """Return the settings of a sample source."""
    return {
        "flow_api_key": _samples.secret(),
        "url_secrets": [_samples.secret()],
    }


ENTRY = _entry.ProviderEntry(
    name="biometric",
    settings_type=Settings,
    build=Adapter,
    build_starter=start.SessionStarter,
    sample_settings=_sample,
    # The placeholder of the vendor's guide (seen 2026-11-20).
    documentation_secrets=frozenset({"YOUR_FLOW_API_KEY"}),
)
