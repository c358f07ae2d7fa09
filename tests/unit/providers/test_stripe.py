"""Stripe Identity: every row of the documented table, the call, and the signature."""

from collections.abc import Awaitable, Callable
from typing import Any

import orjson
import pydantic
import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from tests.support import adapters
from worker import clock as clocks
from worker import errors, model
from worker.providers import stripe
from worker.providers.stripe import adapter, tables

Serve = Callable[
    [Callable[[web.Request], Awaitable[web.StreamResponse]]], Awaitable[str]
]
_SESSION = "vs_1NuNAILkdIwHu7ixh7OtGMLw"
_KEY = "sk_test_planted"

# Written from docs/providers/stripe.md, not from the code.
_REJECTED = {
    "consent_declined": "consent_refused",
    "country_not_supported": "not_eligible",
    "under_supported_age": "not_eligible",
}
_RESUBMIT = [
    "abandoned",
    "device_not_supported",
    "document_expired",
    "document_type_not_supported",
    "document_unverified_other",
    "email_unverified_other",
    "email_verification_declined",
    "id_number_insufficient_document_data",
    "id_number_mismatch",
    "id_number_unverified_other",
    "phone_unverified_other",
    "phone_verification_declined",
    "selfie_document_missing_photo",
    "selfie_face_mismatch",
    "selfie_manipulated",
    "selfie_unverified_other",
]


def _settings(**settings: object) -> stripe.Settings:
    given_ = {"environment": "test", "api_key": _KEY} | settings
    return stripe.Settings.model_validate(given_)


def _adapter(clock: clocks.Clock | None = None, **settings: object) -> stripe.Adapter:
    return stripe.Adapter("a", _settings(**settings), clock or clocks.SystemClock())


def _document(**fields: object) -> dict[str, Any]:
    usual = {"id": _SESSION, "object": tables.OBJECT, "livemode": False}
    return {**usual, **fields}


def _interpret(document: object) -> model.Result:
    key = model.SessionKey("a", _SESSION)
    return _adapter().interpret(key, _SESSION, adapters.answer(document))


def _oracle(document: dict[str, Any]) -> str:
    """Return the outcome that the table of the documentation page has."""
    error = document.get("last_error")
    match document.get("status"):
        case "verified" if error is None:
            return "approved"
        case "canceled":
            return "rejected"
        case "requires_input" if isinstance(error, dict):
            code = error.get("code")
            return "rejected" if isinstance(code, str) and code in _REJECTED else ""
    return ""


@pytest.mark.parametrize("code", sorted(tables.CODES))
def test_every_code_is_in_the_documented_table(code: str) -> None:
    """Each code of a failed check has its row."""
    document = _document(status="requires_input", last_error={"code": code})
    verdict = _interpret(document).verdict

    if code in _REJECTED:
        assert (verdict.outcome, verdict.reason) == ("rejected", _REJECTED[code])
    else:
        assert code in _RESUBMIT
        assert (verdict.outcome, verdict.reason) == (
            "pending",
            "resubmission_requested",
        )
    assert verdict.provider_reason == code


_WORDS = st.sampled_from(
    [
        *tables.STATUSES,
        *("Verified", "VERIFIED", "verified ", "approved", "redacted", ""),
    ]
)
_ODD = st.one_of(st.none(), st.booleans(), st.integers(), st.lists(_WORDS, max_size=2))
_CODES = st.sampled_from([*sorted(tables.CODES), "new_code", "Abandoned", ""])
_ERRORS = st.one_of(
    _ODD, _CODES, st.dictionaries(st.just("code"), st.one_of(_CODES, _ODD))
)


@given(status=st.one_of(_WORDS, _ODD), error=_ERRORS)
def test_only_what_the_documentation_approves_is_approved(
    status: object, error: object
) -> None:
    """Code and documented table agree on every approval and rejection."""
    document = _document(status=status, last_error=error)
    outcome = _interpret(document).verdict.outcome

    assert outcome == (_oracle(document) or "pending")


async def test_the_call_is_the_documented_one(
    serve: Serve, clock: clocks.Clock
) -> None:
    """One GET with the key, the version and the connected account."""
    seen: list[web.Request] = []

    async def handler(request: web.Request) -> web.Response:
        seen.append(request)
        return web.Response(body=orjson.dumps(_document(status="verified")))

    base_url = await serve(handler)
    one = _adapter(clock, base_url=base_url, connected_account="acct_1")
    answer = await one.fetch(model.SessionKey("a", _SESSION), _SESSION)
    await one.close()

    assert answer.document["status"] == "verified"
    [request] = seen
    assert request.path_qs == f"/v1/identity/verification_sessions/{_SESSION}"
    assert request.headers["Authorization"] == f"Bearer {_KEY}"
    assert request.headers["Stripe-Account"] == "acct_1"
    assert "Stripe-Version" not in request.headers


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (404, b"{}", errors.SessionNotFound),
        (401, b"{}", errors.ProviderAuthFailed),
        (403, b"{}", errors.ProviderAuthFailed),
        (429, b'{"error":{"code":"lock_timeout"}}', errors.NotReady),
        (429, b'{"error":{"code":"rate_limit"}}', errors.RateLimited),
        (500, b"<html>", errors.ProviderFault),
        (200, b"<html>", errors.InvalidResponse),
        (200, b"[]", errors.InvalidResponse),
    ],
)
async def test_a_response_without_a_session_is_an_error(
    serve: Serve,
    clock: clocks.Clock,
    status: int,
    body: bytes,
    error: type[errors.FetchError],
) -> None:
    """Each status and body has its error, which contains no key."""

    async def handler(_: web.Request) -> web.Response:
        return web.Response(status=status, body=body)

    one = _adapter(clock, base_url=await serve(handler))
    with pytest.raises(errors.FetchError) as caught:
        await one.fetch(model.SessionKey("a", _SESSION), _SESSION)
    await one.close()

    assert type(caught.value) is error
    assert _KEY not in repr(caught.value)


@pytest.mark.parametrize("spelling", ["", "vs_", "VS_1", "vs_1/../2", "vs_1\n", "x"])
async def test_no_malformed_id_is_sent(spelling: str) -> None:
    """An id against the pattern reaches no URL."""
    one = _adapter(base_url="http://127.0.0.1:1")
    with pytest.raises(errors.SessionNotFound):
        await one.fetch(model.SessionKey("a", spelling), spelling)
    await one.close()


# arlyon/async-stripe, its test of the signature: the body has sorted keys.
def test_any_of_several_signatures_is_enough() -> None:
    """A rotation sends several v1; v0 never counts."""
    body, now = b'{"id":"evt_1"}', 1_700_000_000
    good = adapter.SIGNATURE.sign(b"whsec_new", body, now)
    mac = good.partition("v1=")[2]
    header = f"t={now},v1={'0' * 64},v1={mac},v0={'1' * 64}"

    def verify(value: str, at: int = now) -> int:
        return adapter.SIGNATURE.verify(
            [b"whsec_old", b"whsec_new"],
            lambda name: [value] if name == "stripe-signature" else [],
            body,
            now_ms=at * 1000,
            tolerance_ms=300_000,
        )

    assert verify(header) == 1
    for refused, at in (
        (f"t={now},v0={mac}", now),
        (header, now + 301),
        (header, now - 301),
    ):
        with pytest.raises(errors.AuthenticationError):
            verify(refused, at)


@pytest.mark.parametrize(
    "change",
    [
        {"reference_field": "kyc_begin_id"},
        {"reference_field": "a b"},
        {"api_version": "latest"},
        {"connected_account": "acct_1/x"},
        {"publishable_key": "sk_test_1"},
        {"js_url": "http://js.stripe.com"},
    ],
)
def test_a_setting_that_cannot_be_meant_is_refused(change: dict[str, object]) -> None:
    """Each such setting is refused."""
    with pytest.raises(pydantic.ValidationError):
        _settings(**change)


def test_a_live_source_has_no_test_key() -> None:
    """Restricted and publishable test keys conflict with a live source."""
    settings = _settings(
        environment="live", api_key="rk_test_1", publishable_key="pk_test_1"
    )
    fields = {conflict.keys[0] for conflict in settings.conflicts()}

    assert fields >= {"api_key", "publishable_key"}
