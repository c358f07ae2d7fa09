"""
Speak with Jumio: an unsigned callback wakes, the fetched workflow execution decides.

A result is asked for by account and workflow execution, so that a session is both:
``{account id}.{workflow execution id}``. Sources: documentation.jumio.ai, pages
developer-resources/callback and developer-resources/retrieval, seen 2026-12-01.
"""

from collections.abc import Mapping
from typing import Any

from worker import clock as clocks
from worker import errors, model, policy
from worker.providers import _entry, _fields, _http, _http_responses, _samples
from worker.providers.jumio import client, results, session_ids, settings, start, tables

_RESULT = "/api/v1/accounts/{account}/workflow-executions/{workflow}"
_KEYS = frozenset({"callbackSentAt", "userReference", "workflowExecution", "account"})

Settings = settings.Settings


class Adapter:
    """One tenant's adapter."""

    def __init__(self, source: str, settings: Settings, clock: clocks.Clock) -> None:
        self._source = source
        self._settings = settings
        self._http = _http.of_source(settings, clock)
        self._token = client.token(settings, clock)
        self._headers = client.headers(settings)
        self._rules = results.Rules(
            workflow_keys=frozenset(map(str, settings.workflow_keys)),
            approve_with_rejected_capabilities=(
                settings.approve_with_rejected_capabilities
            ),
        )

    def canonical(self, spelling: object) -> str | None:
        """Return the session id that *spelling* names, None against the pattern."""
        return session_ids.canonical(spelling)

    def normalise(self, callback: model.VerifiedCallback) -> model.Normalised:
        """
        Make a wake-up of a callback; its addresses (``href``) are never followed.

        Raises errors.UnmappableCallback unless it names an account and a workflow
        execution.
        """
        document = callback.document or {}
        execution = _fields.table(document, "workflowExecution")
        account = _fields.table(document, "account")
        spelling = session_ids.join(account.get("id"), execution.get("id"))
        session_id = session_ids.canonical(spelling)
        if spelling is None or session_id is None:
            raise _fields.unmappable_callback(document, _KEYS)
        status = policy.known_word(execution.get("status"), tables.STATUSES)
        return model.WakeUp(
            session_id=session_id,
            provider_session_id=spelling,
            provider_event=status or policy.UNLISTED,
            provider_time=_fields.rfc3339_ms(document.get("callbackSentAt")),
            reference=self._reference(document),
            claim={"status": status},
        )

    def claim(self, event: model.Event) -> model.Claim | None:  # noqa: ARG002 -- part of the port
        """Return None: nothing is signed, so a callback decides nothing."""
        return None

    async def fetch(
        self,
        session: model.SessionKey,
        spelling: str,
        *,
        fresh_since: int | None = None,
    ) -> model.ProviderResponse:
        """Ask for the workflow execution; raises errors.FetchError; repeatable."""
        del session, fresh_since  # it is asked with its own spelling, each time anew
        parts = session_ids.split(spelling)
        if parts is None:
            raise errors.SessionNotFound("malformed_id")
        path = _RESULT.format(account=parts[0], workflow=parts[1])

        async def request(token: Mapping[str, str]) -> _http_responses.HttpResponse:
            return await self._http.request(
                "GET", path, headers={**self._headers, **token}
            )

        answer = await self._token.call(request)
        if answer.status == 404:  # noqa: PLR2004 -- "if the scan is not available"
            raise errors.SessionNotFound("404")
        if answer.status != 200:  # noqa: PLR2004 -- HTTP
            raise _http_responses.map_status(answer)
        document = _http.parse_object(answer.body)
        return model.ProviderResponse(document=document, observed_at=answer.received_at)

    def interpret(
        self,
        session: model.SessionKey,
        spelling: str,  # noqa: ARG002 -- part of the port
        answer: model.ProviderResponse,
    ) -> model.Result:
        """
        Map the workflow execution of this session; see ports.Provider.

        Raises errors.ResultMismatch unless account and workflow are those asked for.
        """
        document: Any = answer.document
        if not isinstance(document, dict):
            raise errors.InvalidResponse("not_an_object")
        workflow = _fields.table(document, "workflow")
        account = _fields.table(document, "account")
        named = session_ids.join(account.get("id"), workflow.get("id"))
        if session_ids.canonical(named) != session.session_id:
            raise errors.ResultMismatch("id")
        verdict, alarms = results.map_execution(document, self._rules)
        return model.Result(
            verdict=verdict,
            observed_at=answer.observed_at,
            reference=self._reference(workflow),
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
        await self._token.close()
        await self._http.close()


def _sample() -> dict[str, Any]:
    """Return the settings of a sample source."""
    return {
        "client_id": _samples.secret(),
        "client_secret": _samples.secret(),
        "url_secrets": [_samples.secret()],
        "workflow_keys": [10164],
    }


ENTRY = _entry.ProviderEntry(
    name="jumio",
    settings_type=Settings,
    build=Adapter,
    build_starter=start.SessionStarter,
    sample_settings=_sample,
)
