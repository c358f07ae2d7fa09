"""Veriff: every row of the documented table, the signed call, and the signature."""

import hashlib
import hmac
from collections.abc import Awaitable, Callable
from typing import Any

import orjson
import pytest
from aiohttp import web

from tests.support import adapters
from worker import clock as clocks
from worker import errors, model
from worker.providers import veriff
from worker.providers.veriff import adapter, tables

Serve = Callable[
    [Callable[[web.Request], Awaitable[web.StreamResponse]]], Awaitable[str]
]
_SESSION = "12df6045-3846-3e45-946a-14fa6136d78b"
_CLIENT = "8e4f7cd8-7a19-4d7d-971f-a076407ee03c"
_SECRET = "veriff-planted-secret-of-this-test"
_BODY = b'{"status":"success"}'
_MAC = hmac.digest(_SECRET.encode(), _BODY, hashlib.sha256).hex()

# Written from docs/providers/veriff.md, not from the code.
_TABLE = {
    "approved": ("approved", "verified", "none"),
    "declined": ("rejected", "declined", "none"),
    "expired": ("rejected", "not_completed", "new_session"),
    "abandoned": ("rejected", "not_completed", "new_session"),
    "resubmission_requested": (
        "pending",
        "resubmission_requested",
        "continue_session",
    ),
    "created": ("pending", "in_progress", "continue_session"),
    "started": ("pending", "in_progress", "continue_session"),
    "submitted": ("pending", "under_review", "wait"),
    "review": ("pending", "under_review", "wait"),
}
_UNRECOGNISED = ("pending", "unrecognised_result", "wait")


def _settings(**settings: object) -> veriff.Settings:
    given = {"environment": "test", "api_key": _CLIENT, "shared_secret": _SECRET}
    return veriff.Settings.model_validate(given | settings)


def _adapter(clock: clocks.Clock | None = None, **settings: object) -> veriff.Adapter:
    return veriff.Adapter("a", _settings(**settings), clock or clocks.SystemClock())


def _document(status: object, **members: object) -> dict[str, Any]:
    inner = {"id": _SESSION, "status": status, **members}
    return {"status": "success", "verification": inner}


def _interpret(document: object) -> model.Result:
    key = model.SessionKey("a", _SESSION)
    return _adapter().interpret(key, _SESSION, adapters.answer(document))


@pytest.mark.parametrize(
    "status",
    [*sorted(tables.STATUSES), "Approved", "approved ", "", None, 9001, ["approved"]],
)
@pytest.mark.parametrize("code", [None, 9001, 9102, 9121])
def test_each_status_has_the_documented_meaning(status: object, code: object) -> None:
    """Code and documented table agree, and neither a number nor a word decides else."""
    verdict = _interpret(_document(status, code=code)).verdict
    row = _TABLE.get(status, _UNRECOGNISED) if isinstance(status, str) else None

    found = (verdict.outcome, verdict.reason, verdict.next_step)
    assert found == (row or _UNRECOGNISED)


def test_the_table_has_every_status() -> None:
    """No status of the code is missing in the documented table."""
    assert set(_TABLE) == tables.STATUSES


@pytest.mark.parametrize("empty", [None, {}])
def test_no_decision_yet_never_ends_a_session(empty: object) -> None:
    """``in_progress`` would end it at its deadline; nothing may mean anything."""
    verdict = _interpret({"status": "success", "verification": empty}).verdict

    assert verdict.outcome == "pending"
    assert verdict.reason != "in_progress"


async def test_the_call_is_signed_over_the_session_id(
    serve: Serve, clock: clocks.Clock
) -> None:
    """One GET with the API key and the HMAC of the id as it is in the path."""
    seen: list[web.Request] = []

    async def handler(request: web.Request) -> web.Response:
        seen.append(request)
        return web.Response(body=orjson.dumps(_document("approved")))

    spelling = _SESSION.upper()
    one = _adapter(clock, base_url=await serve(handler), integration_id="i-1")
    await one.fetch(model.SessionKey("a", _SESSION), spelling)
    await one.close()

    [request] = seen
    expected = hmac.digest(_SECRET.encode(), spelling.encode(), hashlib.sha256).hex()
    assert request.method == "GET"
    assert request.path_qs == f"/v1/sessions/{spelling}/decision"
    assert request.headers["X-AUTH-CLIENT"] == _CLIENT
    assert request.headers["X-HMAC-SIGNATURE"] == expected
    assert request.headers["vrf-integration-id"] == "i-1"


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (404, errors.SessionNotFound),
        (401, errors.ProviderAuthFailed),
        (429, errors.RateLimited),
        (500, errors.ProviderFault),
        (200, errors.InvalidResponse),
    ],
)
async def test_a_response_without_a_decision_is_an_error(
    serve: Serve, clock: clocks.Clock, status: int, error: type[errors.FetchError]
) -> None:
    """Each status has its error, which contains no secret."""

    async def handler(_: web.Request) -> web.Response:
        return web.Response(status=status, body=b"<html>")

    one = _adapter(clock, base_url=await serve(handler))
    with pytest.raises(errors.FetchError) as caught:
        await one.fetch(model.SessionKey("a", _SESSION), _SESSION)
    await one.close()

    assert type(caught.value) is error
    assert _SECRET not in repr(caught.value)


_OTHER = "0" * 64


@pytest.mark.parametrize(
    ("headers", "authentic"),
    [
        ({"x-hmac-signature": _MAC}, True),
        ({"vrf-hmac-signature": _MAC}, True),
        ({"x-hmac-signature": _MAC, "vrf-hmac-signature": _MAC}, True),
        ({"x-hmac-signature": _MAC, "vrf-auth-client": _CLIENT}, True),
        ({"x-hmac-signature": _MAC, "vrf-hmac-signature": _OTHER}, False),
        ({"x-hmac-signature": _OTHER, "vrf-hmac-signature": _MAC}, False),
        ({"x-hmac-signature": _MAC, "vrf-auth-client": "another"}, False),
        ({"x-hmac-signature": _MAC, "x-auth-client": "another"}, False),
        ({"x-hmac-signature": _MAC, "x-auth-client": None}, False),
        ({"x-signature": _MAC}, False),
        ({}, False),
    ],
)
def test_both_header_names_agree_and_the_client_is_ours(
    headers: dict[str, str | None], *, authentic: bool
) -> None:
    """Either name is enough; two values that differ, or another client, are refused."""
    sent = {"x-auth-client": _CLIENT, **headers}
    scheme = adapter.signature(_settings())

    def verify() -> int:
        return scheme.verify(
            [_SECRET.encode()],
            lambda name: [value] if (value := sent.get(name)) else [],
            _BODY,
            now_ms=0,
            tolerance_ms=0,
        )

    if authentic:
        assert verify() == 0
        return
    with pytest.raises(errors.AuthenticationError):
        verify()
