"""Map Onfido's events, workflow runs and checks, and fetch one of them."""

from collections.abc import Mapping
from typing import Any

from worker import clock as clocks
from worker import errors, model, policy, signing
from worker.providers import _entry, _fields, _http, _results, _samples
from worker.providers.onfido import settings, start, tables

# Onfido's SDKs check one signature (onfido-python webhook_event_verifier.py); eight
# public receivers read it from this header; both seen 2026-12-01.
SIGNATURE = signing.BodyHmac("X-SHA2-Signature")

_KEYS = frozenset({"payload"})
_PATHS = {"workflow_run": start.WORKFLOW_RUNS, "check": "/v3.6/checks"}

Settings = settings.Settings


class Adapter:
    """One account's adapter."""

    def __init__(self, source: str, settings: Settings, clock: clocks.Clock) -> None:
        self._source = source
        self._settings = settings
        self._http = _http.of_source(settings, clock)

    def canonical(self, spelling: object) -> str | None:
        """Return the session id that *spelling* names, None against the pattern."""
        return _fields.canonical_uuid(spelling)

    def normalise(self, callback: model.VerifiedCallback) -> model.Normalised:
        """
        Wake on every event of the source's resource that may change its result.

        The event's ``href`` is never followed. Raises errors.UnmappableCallback
        without an id.
        """
        payload = _fields.table(callback.document or {}, "payload")
        name, resource = payload.get("action"), payload.get("resource_type")
        if isinstance(name, str) and name in tables.IGNORED_EVENTS:
            return model.IgnoredCallback(name)
        ours = tables.RESOURCES[self._settings.resource]
        if isinstance(resource, str) and resource not in ours:
            return model.IgnoredCallback(policy.UNLISTED)
        of = _fields.table(payload, "object")
        key = "workflow_run_id" if resource == "workflow_task" else "id"
        session_id = self.canonical(of.get(key))
        if session_id is None:
            raise _fields.unmappable_callback(callback.document, _KEYS)
        whole = _fields.table(payload, "resource")
        return model.WakeUp(
            session_id=session_id,
            provider_session_id=str(of[key]),
            provider_event=policy.known_word(name, tables.STATUS_EVENTS)
            or policy.UNLISTED,
            # No event has an id.
            provider_event_id=None,
            provider_time=_fields.rfc3339_ms(of.get("completed_at_iso8601")),
            reference=self._reference(whole),
        )

    def claim(self, event: model.Event) -> model.Claim | None:
        """Return None: no event has a time that is signed for, the result decides."""
        del event
        return None

    async def fetch(
        self,
        session: model.SessionKey,
        spelling: str,
        *,
        fresh_since: int | None = None,
    ) -> model.ProviderResponse:
        """Fetch the run or check; raises errors.FetchError, and may be repeated."""
        del session, fresh_since
        if self.canonical(spelling) is None:
            raise errors.SessionNotFound("malformed_id")
        answer = await self._http.request(
            "GET",
            f"{_PATHS[self._settings.resource]}/{spelling}",
            headers=start.headers(self._settings),
        )
        return _results.of_response(answer)

    def interpret(
        self, session: model.SessionKey, spelling: str, answer: model.ProviderResponse
    ) -> model.Result:
        """
        Map a workflow run or a check that is the one asked for.

        Raises errors.ResultMismatch where it is not, and errors.InvalidResponse where
        it is no object.
        """
        del spelling
        document = _results.object_of(answer)
        _results.check_session(document, "id", self.canonical, session)
        if self._settings.resource == "workflow_run":
            verdict, alarms = tables.map_run(document.get("status"))
        else:
            verdict, alarms = tables.map_check(
                document.get("status"),
                document.get("result"),
                reject_consider=self._settings.reject_consider,
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

    def _reference(self, resource: Mapping[str, Any]) -> str | None:
        """Return the company's own id; a check has none."""
        value = resource.get("customer_user_id")
        return _fields.reference(value, self._settings.reference_pattern)


def _sample() -> dict[str, Any]:
    """Return the settings of a sample source."""
    return {
        "api_token": _samples.secret(),
        "hmac_secrets": [_samples.secret()],
        "workflow_id": "6cb0a9b3-4c05-4a05-8b68-8a8c1d9b5b55",
    }


ENTRY = _entry.ProviderEntry(
    name="onfido",
    settings_type=Settings,
    build=Adapter,
    build_starter=start.SessionStarter,
    sample_settings=_sample,
    signature=lambda _: SIGNATURE,
    sample_start_parameters={"applicant_id": "3fa85f64-5717-4562-b3fc-2c963f66afa6"},
    # onfido-python tests/test_*_webhook_event_verification.py, seen 2026-12-01.
    documentation_secrets=frozenset(
        {"wU99mE6jJ7nXOLFwZ0tJymM1lpI15pZh", "YKOC6mkBxi6yK2zlUIrLMvsJMFEZObP5"}
    ),
)
