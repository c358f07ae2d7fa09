"""
Speak with IDnow's gateway: a callback wakes, the fetched identification decides.

No signature is documented for callbacks, so that the fetched result is the authority.
Source: the vendor's API documentation (PDF, version 2016-02-15), seen 2026-11-20.
"""

import re
from collections.abc import Mapping
from typing import Any

from worker import clock as clocks
from worker import errors, model, policy
from worker.providers import _entry, _fields, _http, _samples
from worker.providers.idnow import client, result_lists, settings, start, tables

# Chapter 3: at most 255 characters of this alphabet, case-insensitive. Spelt out in
# ASCII, so that no other letter folds into it.
_NUMBER = re.compile(r"[A-Za-z0-9_-]{1,255}")
_KEYS = frozenset(
    {
        "identifications",
        "identificationprocess",
        "customdata",
        "contactdata",
        "userdata",
        "identificationdocument",
        "attachments",
        "questions",
        "esigning",
    }
)
#: The words of a callback that stand by themselves once its data is deleted.
_CLAIMS = frozenset(
    {
        tables.Meaning.CANCELED,
        tables.Meaning.FRAUD,
    }
)


Settings = settings.Settings


class Adapter:
    """One company's adapter."""

    def __init__(self, source: str, settings: Settings, clock: clocks.Clock) -> None:
        self._source = source
        self._settings = settings
        self._clock = clock
        self._gateway = client.ApiClient(
            _http.of_source(settings, clock),
            company_id=settings.company_id,
            api_key=settings.api_key,
        )
        self._lists = result_lists.ResultListCache(
            self._gateway,
            interval_ms=settings.list_interval,
            limit_bytes=settings.max_list_bytes,
            reference_field=settings.reference_field,
            clock=clock,
        )

    def canonical(self, spelling: object) -> str | None:
        """Return the session id that *spelling* names, None against the pattern."""
        return _canonical(spelling)

    def normalise(self, callback: model.VerifiedCallback) -> model.Normalised:
        """
        Make a wake-up of the bare object, the list of one, or a GET.

        Raises errors.UnmappableCallback without a transaction number of the
        documented alphabet, and for a list of none or several.
        """
        if callback.document is None:
            parameter = self._settings.session_id_query
            number = callback.query.get(parameter) if parameter else None
            return _wake(number) or _refuse(None)
        document = _unwrapped(callback.document)
        if document is None:
            return _refuse(callback.document)
        process = _fields.table(document, "identificationprocess")
        result = policy.known_word(process.get("result"), tables.RESULTS)
        company_id = self._settings.company_id
        if process.get("companyid", company_id) != company_id:
            # Another company's word is none on our transaction of the same number.
            result = None if result is None else policy.UNLISTED
        wake = _wake(
            process.get("transactionnumber"),
            result=result,
            reason=policy.known_word(tables.reason_of(process), tables.REASONS),
            at=_fields.rfc3339_ms(process.get("identificationtime")),
            reference=self._reference(document),
        )
        return wake or _refuse(callback.document)

    def claim(self, event: model.Event) -> model.Claim | None:
        """Return what stands even if the data is deleted: withdrawn, or fraud."""
        status = event.claim.get("result")
        if status is None or tables.RESULTS.get(status) not in _CLAIMS:
            return None
        verdict = tables.verdict_of(
            status,
            event.claim.get("reason"),
            at=event.provider_time,
            unconfirmed=True,
        )
        return model.Claim(model.ClaimKind.UNCONFIRMED, verdict)

    async def fetch(
        self,
        session: model.SessionKey,
        spelling: str,
        *,
        fresh_since: int | None = None,
    ) -> model.ProviderResponse:
        """
        Ask for the single result, and for the lists where there is none.

        See ports.Provider. errors.NoSuchSession means that neither knows it, and that
        the lists were read after *fresh_since*.
        """
        if fresh_since is None:
            fresh_since = self._clock.now_ms()
        try:
            document, observed_at = await self._gateway.identification(spelling)
        except errors.SessionNotFound:
            pass
        else:
            return model.ProviderResponse(document=document, observed_at=observed_at)
        return await self._lists.find(session.session_id, fresh_since)

    def interpret(
        self,
        session: model.SessionKey,
        spelling: str,  # noqa: ARG002 -- part of the port
        answer: model.ProviderResponse,
    ) -> model.Result:
        """Map an identification, contradictions first; see ports.Provider."""
        raw: Any = answer.document
        document = _unwrapped(raw) if isinstance(raw, dict) else None
        if document is None:
            raise errors.InvalidResponse("shape")
        # Chapter 12: what lists errors is no result, whatever stands beside them.
        if any(each.get("errors") not in (None, []) for each in (raw, document)):
            raise errors.InvalidResponse("errors")
        process = _fields.table(document, "identificationprocess")
        if not document or document.get("identificationprocess") == {}:
            raise errors.NotReady("empty")
        self._check_binding(process, session.session_id)
        verdict, alarms = tables.map_identification(
            document, answer.origin, esign=self._settings.product == "esign"
        )
        return model.Result(
            verdict=verdict,
            observed_at=answer.observed_at,
            reference=self._reference(document),
            alarms=alarms,
        )

    def _check_binding(self, process: Mapping[str, Any], session_id: str) -> None:
        """Raise errors.ResultMismatch unless company and transaction are ours."""
        number = process.get("transactionnumber")
        if process.get("companyid") != self._settings.company_id:
            raise errors.ResultMismatch("companyid")
        if _canonical(number) != session_id:
            raise errors.ResultMismatch("transactionnumber")

    def _reference(self, document: Mapping[str, Any]) -> str | None:
        """Return the company's own id, if it stands where it should."""
        field = self._settings.reference_field
        if field is None:
            return None
        value = _fields.table(document, "customdata").get(field)
        return _fields.reference(value, self._settings.reference_pattern)

    async def close(self) -> None:
        """Close connections; idempotent."""
        await self._lists.close()
        await self._gateway.close()


def _unwrapped(document: dict[str, Any]) -> dict[str, Any] | None:
    """Return the one identification, bare or in a list of one, else None."""
    if "identifications" not in document:
        return document
    listed = document["identifications"]
    if "identificationprocess" in document or not isinstance(listed, list):
        return None
    if len(listed) != 1 or not isinstance(listed[0], dict):
        return None
    return listed[0]


def _canonical(number: object) -> str | None:
    """Return the transaction number folded, None if it is of another alphabet."""
    if isinstance(number, str) and _NUMBER.fullmatch(number):
        return number.lower()
    return None


def _wake(
    number: object,
    *,
    result: str | None = None,
    reason: str | None = None,
    at: int | None = None,
    reference: str | None = None,
) -> model.WakeUp | None:
    """Return the wake-up for a transaction number of the right shape, else None."""
    session_id = _canonical(number)
    if session_id is None:
        return None
    return model.WakeUp(
        session_id=session_id,
        provider_session_id=str(number),
        provider_event=result or policy.UNLISTED,
        provider_time=at,
        reference=reference,
        claim={"result": result, "reason": reason},
    )


def _refuse(document: Mapping[str, Any] | None) -> model.WakeUp:
    raise _fields.unmappable_callback(document, _KEYS)


def _sample() -> dict[str, Any]:
    """Return the settings of a sample source."""
    return {
        "company_id": "sample",
        "api_key": _samples.secret(),
        "url_secrets": [_samples.secret()],
        "reference_field": "custom1",
        "list_interval": "1s",
    }


ENTRY = _entry.ProviderEntry(
    name="idnow",
    settings_type=Settings,
    build=Adapter,
    build_starter=start.SessionStarter,
    sample_settings=_sample,
)
