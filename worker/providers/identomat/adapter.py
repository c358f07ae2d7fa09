"""
Speak with Identomat: a callback wakes, ``POST …/result/`` decides.

No known result carries the session or the company: the request is the binding, and
the signed answer where ``secret_key`` is set. Vendor pages seen 2026-11-20.
"""

import hmac
import re
from collections.abc import Mapping
from typing import Any

from worker import clock as clocks
from worker import errors, model, policy
from worker.providers import _entry, _fields, _http, _http_responses, _samples
from worker.providers.identomat import client as _api
from worker.providers.identomat import start
from worker.providers.identomat import tables as _words

SIGNATURE = _api.SIGNATURE
Settings = _api.Settings


class Adapter:
    """One company's adapter."""

    def __init__(self, source: str, settings: Settings, clock: clocks.Clock) -> None:
        self._source = source
        self._settings = settings
        self._session_id = re.compile(settings.session_id_pattern, re.ASCII)
        self._statuses = {
            _words.APPROVED,
            _words.REJECTED,
            *settings.status_words,
        }
        self._http = _http.of_source(settings, clock)

    def canonical(self, spelling: object) -> str | None:
        """Return the session id that *spelling* names, None against the pattern."""
        # The pattern is a setting, and may allow what no record can hold.
        found = _fields.identifier(spelling)
        return found if found and self._session_id.fullmatch(found) else None

    def normalise(self, callback: model.VerifiedCallback) -> model.Normalised:
        """
        Make a message of the four known types, a wake-up of anything else.

        Raises errors.UnmappableCallback without a session id of the right shape.
        """
        document = callback.document
        if document is None:
            parameter = self._settings.session_id_query
            spelling: object = callback.query.get(parameter) if parameter else None
            kind: object = None
        else:
            kind = document.get("type")
            if isinstance(kind, str) and kind in _words.MESSAGES:
                return model.ForwardedMessage(kind, document)
            spelling = document.get("sessionId")
        session_id = self.canonical(spelling)
        if session_id is None:
            raise _fields.unmappable_callback(document, _words.KEYS)
        return model.WakeUp(
            session_id=session_id,
            provider_session_id=session_id,
            provider_event=policy.known_word(kind, self._settings.event_types)
            or policy.UNLISTED,
        )

    def claim(self, event: model.Event) -> model.Claim | None:  # noqa: ARG002 -- part of the port
        """Return nothing: the callback says only where to look."""
        return None

    async def fetch(
        self,
        session: model.SessionKey,  # noqa: ARG002 -- part of the port
        spelling: str,
        *,
        fresh_since: int | None = None,  # noqa: ARG002 -- it is asked each time anew
    ) -> model.ProviderResponse:
        """
        Ask for the result of the session; see ports.Provider.

        With ``secret_key`` an answer that is not rightly signed over the very bytes
        received raises errors.BadResultSignature before it is parsed.
        """
        body, headers = _api.signed(self._settings, {"session_token": spelling})
        answer = await self._http.request(
            "POST",
            f"{self._settings.path_prefix}/result/",
            body=body,
            headers=headers,
        )
        match answer.status:
            case 200 if not _api.is_proven(self._settings, answer):
                raise errors.BadResultSignature
            case 200:
                pass
            case 404:
                # Errors are not documented: the plain meaning of the status.
                raise errors.SessionNotFound("404")
            case _:
                raise _http_responses.map_status(answer)
        return model.ProviderResponse(
            document=_http.parse_object(answer.body), observed_at=answer.received_at
        )

    def interpret(
        self,
        session: model.SessionKey,  # noqa: ARG002 -- part of the port
        spelling: str,
        answer: model.ProviderResponse,
    ) -> model.Result:
        """Map a result by the table, contradictions first; see ports.Provider."""
        document: object = answer.document
        if not isinstance(document, dict):
            raise errors.InvalidResponse("not_an_object")
        if not document:
            raise errors.NotReady("empty")
        self._check_binding(document, spelling)
        verdict, alarms = self._mapped(document)
        return model.Result(
            verdict=verdict, observed_at=answer.observed_at, alarms=alarms
        )

    def _check_binding(self, document: Mapping[str, Any], spelling: str) -> None:
        """Raise errors.ResultMismatch where the result names another session."""
        company = self._settings.company_key.reveal()
        for keys, expected in (
            (_words.SESSION_KEYS, spelling),
            (_words.COMPANY_KEYS, company),
        ):
            for name in keys:
                named = document.get(name)
                if named is not None and not _equal(named, expected):
                    raise errors.ResultMismatch("session_or_company")

    def _mapped(
        self, document: Mapping[str, Any]
    ) -> tuple[model.Verdict, tuple[model.AlarmKind, ...]]:
        """
        Return what ``result`` means.

        ``live`` and ``similarity`` are not read: an approved sample of the vendor's
        has ``live`` false and another one ``similarity`` 0.
        """
        status = document.get("result")
        objection = document.get("reject_reason")
        match status:
            case "approved" if _words.is_empty(objection):
                return policy.approved(status=status), ()
            case "approved":
                verdict = policy.pending_unrecognised(status, self._statuses)
                return verdict, (model.AlarmKind.CONTRADICTORY_RESULT,)
            case "rejected":
                return self._rejected(objection), ()
            case str() if status in self._settings.status_words:
                return _words.by_meaning(
                    self._settings.status_words[status], status
                ), ()
            case _:
                verdict = policy.pending_unrecognised(status, self._statuses)
                return verdict, (model.AlarmKind.UNRECOGNISED_RESULT,)

    def _rejected(self, objection: object) -> model.Verdict:
        """Return the rejection for ``reject_reason.value``, declined if not listed."""
        word = objection.get("value") if isinstance(objection, dict) else objection
        table = self._settings.reject_reasons
        known = table.get(word) if isinstance(word, str) else None
        return policy.rejected(
            model.Reason(known or model.Reason.DECLINED),
            status=_words.REJECTED,
            provider_reason=policy.known_word(word or None, table),
        )

    async def close(self) -> None:
        """Close connections; idempotent."""
        await self._http.close()


def _equal(named: object, expected: str) -> bool:
    """Compare in constant time: the company key is a secret, the session may be."""
    return isinstance(named, str) and hmac.compare_digest(
        named.encode("utf-8", "surrogatepass"), expected.encode()
    )


def _sample() -> dict[str, Any]:
    """Return the settings of a sample source."""
    return {
        "company_key": _samples.secret(),
        "secret_key": _samples.secret(),
        "callback_api_keys": [_samples.secret()],
        "url_secrets": [_samples.secret()],
        "messages": "discard",
    }


ENTRY = _entry.ProviderEntry(
    name="identomat",
    settings_type=Settings,
    build=Adapter,
    build_starter=start.SessionStarter,
    sample_settings=_sample,
    sample_start_parameters={"config_id": "standard"},
    signature=lambda _: SIGNATURE,
    body_key="callbackApiKey",
    # Developer guide, seen 2026-11-21: return_url?session_token=<token>
    return_query="session_token",
    # The samples of the vendor's callback page.
    documentation_secrets=frozenset({"callback-api-key-123", "apikey123"}),
)
