"""Read Plaid's signed callbacks, and fetch the attempts that they name."""

import dataclasses
import re
from collections.abc import Sequence
from typing import Any

import orjson

from worker import clock as clocks
from worker import errors, model, policy, signing
from worker.providers import (
    _entry,
    _fields,
    _http,
    _http_responses,
    _key_cache,
    _samples,
)
from worker.providers.plaid import settings, tables

Settings = settings.Settings
# Webhook verification, seen 2026-11-20.
SIGNATURE = signing.BodyJws("Plaid-Verification", "request_body_sha256")

_RESULT = "/identity_verification/get"
_KEY = "/webhook_verification_key/get"
# "idv_52xR9LKo77r1Np" in every sample; identifiers are case sensitive.
_SESSION = re.compile(r"idv_[A-Za-z0-9]{1,60}")
_TYPE = "IDENTITY_VERIFICATION"
_CODES = frozenset({"STATUS_UPDATED", "STEP_UPDATED", "RETRIED"})
_KEYS = frozenset(
    {"webhook_type", "webhook_code", "identity_verification_id", "environment"}
)
_KEY_BYTES_MAX = 16 << 10
# Errors have the status 400 and a code. The first is in plaid-node's tests (seen
# 2026-12-01); the others are guesses: unlisted, they would be retried all the same.
_NO_KEY = "INVALID_WEBHOOK_VERIFICATION_KEY_ID"
_DENIED = frozenset({"INVALID_API_KEYS", "UNAUTHORIZED_ENVIRONMENT"})
_NOT_FOUND = frozenset({"NOT_FOUND", "IDENTITY_VERIFICATION_NOT_FOUND"})


class Adapter:
    """One client's adapter."""

    def __init__(self, source: str, settings: Settings, clock: clocks.Clock) -> None:
        self._source = source
        self._settings = settings
        self._http = _http.of_source(settings, clock)
        self._keys = _key_cache.KeyCache(self._fetch_key, clock)

    async def verification_keys(self, presented: signing.Presented) -> Sequence[bytes]:
        """Return the key that the token names; raises as signing.KeySource says."""
        return [await self._keys.get(SIGNATURE.key_id(presented))]

    def canonical(self, spelling: object) -> str | None:
        """Return the session id that *spelling* is, None against the pattern."""
        if isinstance(spelling, str) and _SESSION.fullmatch(spelling):
            return spelling
        return None

    def normalise(self, callback: model.VerifiedCallback) -> model.Normalised:
        """
        Wake on every callback about an attempt; other products are ignored.

        Raises errors.UnmappableCallback without an attempt's id.
        """
        document = callback.document or {}
        kind = document.get("webhook_type")
        if isinstance(kind, str) and kind != _TYPE:
            return model.IgnoredCallback(policy.UNLISTED)
        session_id = self.canonical(document.get("identity_verification_id"))
        if session_id is None:
            raise _fields.unmappable_callback(callback.document, _KEYS)
        code = policy.known_word(document.get("webhook_code"), _CODES)
        return model.WakeUp(
            session_id=session_id,
            provider_session_id=session_id,
            provider_event=code or policy.UNLISTED,
        )

    def claim(self, event: model.Event) -> model.Claim | None:
        """Return None: a callback contains no status."""
        del event
        return None

    async def fetch(
        self,
        session: model.SessionKey,
        spelling: str,
        *,
        fresh_since: int | None = None,
    ) -> model.ProviderResponse:
        """
        Ask for the attempt.

        Raises errors.FetchError; a repeat changes nothing at the provider.
        """
        del session, fresh_since  # it is asked anew each time
        if self.canonical(spelling) is None:
            raise errors.SessionNotFound("malformed_id")
        answer = await self._ask(_RESULT, {"identity_verification_id": spelling})
        if answer.status == 404 or _code(answer) in _NOT_FOUND:  # noqa: PLR2004 -- HTTP
            raise errors.SessionNotFound
        _check(answer)
        document = _http.parse_object(answer.body)
        return model.ProviderResponse(document=document, observed_at=answer.received_at)

    def interpret(
        self, session: model.SessionKey, spelling: str, answer: model.ProviderResponse
    ) -> model.Result:
        """
        Map the attempt's status, if it is the one asked for.

        Raises errors.ResultMismatch or errors.InvalidResponse.
        """
        del spelling
        document = answer.document
        if not isinstance(document, dict):
            raise errors.InvalidResponse("not_an_object")
        if self.canonical(document.get("id")) != session.session_id:
            raise errors.ResultMismatch("differs" if "id" in document else "absent")
        status, steps = document.get("status"), _fields.table(document, "steps")
        verdict = tables.map_status(status, steps)
        if tables.is_contradiction(status, steps):
            alarms: tuple[model.AlarmKind, ...] = (
                model.AlarmKind.CONTRADICTORY_RESULT,
            )
        elif verdict.reason is model.Reason.UNRECOGNISED_RESULT:
            alarms = (model.AlarmKind.UNRECOGNISED_RESULT,)
        else:
            alarms = ()
        at_ms = _fields.rfc3339_ms(document.get("completed_at"))
        return model.Result(
            verdict=dataclasses.replace(verdict, provider_time=at_ms),
            observed_at=answer.observed_at,
            reference=_fields.reference(
                document.get("client_user_id"), self._settings.reference_pattern
            ),
            alarms=tuple(alarms),
        )

    async def close(self) -> None:
        """Close the connections; idempotent."""
        await self._keys.close()
        await self._http.close()

    async def _fetch_key(self, key_id: str) -> bytes | None:
        """Fetch a key by its id; an expired one is none."""
        answer = await self._ask(_KEY, {"key_id": key_id}, limit=_KEY_BYTES_MAX)
        if _code(answer) == _NO_KEY:
            return None
        _check(answer)
        key = _fields.table(_http.parse_object(answer.body), "key")
        if key.get("expired_at") is not None:
            return None
        return signing.public_key(key)

    async def _ask(
        self, path: str, document: dict[str, str], limit: int | None = None
    ) -> _http_responses.HttpResponse:
        # In headers, as documented, so that no body contains a secret.
        headers = {
            "Content-Type": "application/json",
            "PLAID-CLIENT-ID": self._settings.client_id,
            "PLAID-SECRET": self._settings.client_secret.reveal(),
        }
        body = orjson.dumps(document)
        return await self._http.request(
            "POST", path, body=body, headers=headers, limit_bytes=limit
        )


def _check(answer: _http_responses.HttpResponse) -> None:
    """Raise errors.FetchError unless *answer* is a success."""
    if _code(answer) in _DENIED:
        raise errors.ProviderAuthFailed("api_keys")
    if answer.status != 200:  # noqa: PLR2004 -- HTTP
        raise _http_responses.map_status(answer)


def _code(answer: _http_responses.HttpResponse) -> object:
    """Return ``error_code`` of an error, None of anything else."""
    if answer.status != 400:  # noqa: PLR2004 -- HTTP
        return None
    try:
        return _http.parse_object(answer.body).get("error_code")
    except errors.InvalidResponse:
        return None


def _sample() -> dict[str, Any]:
    """Return the settings of a sample source."""
    return {"client_id": "sample", "client_secret": _samples.secret()}


ENTRY = _entry.ProviderEntry(
    name="plaid",
    settings_type=Settings,
    build=Adapter,
    sample_settings=_sample,
    signature=lambda _: SIGNATURE,
    key_source=lambda adapter: adapter.verification_keys,
)
