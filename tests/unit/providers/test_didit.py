"""Didit: every row of the documented table, the call, and the signature."""

import json
import pathlib
from collections.abc import Awaitable, Callable

import orjson
import pytest
from aiohttp import web

from tests.support import adapters
from worker import clock as clocks
from worker import errors, model
from worker.providers import didit
from worker.providers.didit import adapter, tables

Serve = Callable[
    [Callable[[web.Request], Awaitable[web.StreamResponse]]], Awaitable[str]
]
_VECTORS = pathlib.Path(__file__).parents[2] / "vectors" / "didit"
_SESSION = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"
_KEY = "didit_planted"
_NOW_S = 1_774_970_000

# Written from docs/providers/didit.md, not from the code.
_TABLE = {
    "Approved": ("approved", "verified"),
    "Declined": ("rejected", "declined"),
    "Expired": ("rejected", "not_completed"),
    "Abandoned": ("rejected", "not_completed"),
    "Kyc Expired": ("rejected", "approval_expired"),
    "In Review": ("pending", "under_review"),
    "Resubmitted": ("pending", "resubmission_requested"),
    "Not Started": ("pending", "in_progress"),
    "In Progress": ("pending", "in_progress"),
    "Awaiting User": ("pending", "in_progress"),
}
_UNRECOGNISED = ("pending", "unrecognised_result")
#: X-Signature of didit-protocol/plugin-wordpress tests/fixtures/webhook-signatures.json
_SIGNATURES = {
    "basic_approved": (
        "c8abe0c1a9e1e8325e83b789f4d1c398a3c9a5cd727424b642d4a93036be8977"
    ),
    "unicode_names": "b7b49a28ae4118438ef4d0f0fd603c4387cc39adf3ed451da18dc521c1d3e7eb",
    "empty_objects": "413856e88122d544ad3aeebd48d05b2aa322aba01cd057fe40038bbe4417a1ab",
    "slashes_in_urls": (
        "f6e69e9b8df6930ca47970e31eb1d9cc499e80acd77253269bef908ac2a07dff"
    ),
    "float_scores": "44bc5a7be5137ee5ea7f58ed7471724c1fbeb496ea4672c46a898172e710bbfa",
    "numeric_like_keys": (
        "814093217ff957aba2147b407873f704d0b09553e2861dd870f8eb09aafcef19"
    ),
    "mixed_types": "7684b0af2983b3bdd613999ecb443f79e0ff99a2438bd5ba53257aec7ac8f303",
    "declined": "1b132d6284727cc34cb259add34355e547fe103c65475a8d6286462edf909b63",
}


def _adapter(clock: clocks.Clock | None = None, **settings: object) -> didit.Adapter:
    given = {"environment": "test", "api_key": _KEY} | settings
    checked = didit.Settings.model_validate(given)
    return didit.Adapter("a", checked, clock or clocks.SystemClock())


def _body(case: str) -> bytes:
    """Return the published body: Didit sorts the members and escapes all but ASCII."""
    vector = orjson.loads((_VECTORS / f"callback_{case}.json").read_bytes())
    return json.dumps(
        vector["document"], sort_keys=True, separators=(",", ":")
    ).encode()


def _verify(body: bytes, signature: str, *, now_s: int = _NOW_S) -> int:
    return adapter.SIGNATURE.verify(
        [b"another secret", b"wh_test_secret_9f2c4b8e1a7d"],
        lambda _: [signature],
        body,
        now_ms=now_s * 1000,
        tolerance_ms=300_000,
    )


@pytest.mark.parametrize(
    "status",
    [*sorted(tables.STATUSES), "approved", "KYC Expired", "", None, True, ["Approved"]],
)
def test_each_status_has_the_documented_meaning(status: object) -> None:
    """Code and documented table agree, and no other value decides."""
    key = model.SessionKey("a", _SESSION)
    document = {"session_id": _SESSION, "status": status}
    verdict = _adapter().interpret(key, _SESSION, adapters.answer(document)).verdict
    row = _TABLE.get(status, _UNRECOGNISED) if isinstance(status, str) else None

    assert (verdict.outcome, verdict.reason) == (row or _UNRECOGNISED)
    assert set(_TABLE) == tables.STATUSES


async def test_the_call_is_the_documented_one(
    serve: Serve, clock: clocks.Clock
) -> None:
    """One GET with the key."""
    seen: list[web.Request] = []
    document = {"session_id": _SESSION, "status": "Approved"}

    async def handler(request: web.Request) -> web.Response:
        seen.append(request)
        return web.Response(body=orjson.dumps(document))

    one = _adapter(clock, base_url=await serve(handler))
    await one.fetch(model.SessionKey("a", _SESSION), _SESSION)
    await one.close()

    [request] = seen
    assert request.path_qs == f"/v3/session/{_SESSION}/decision/"
    assert request.headers["x-api-key"] == _KEY


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (404, errors.SessionNotFound),
        (403, errors.ProviderAuthFailed),
        (429, errors.RateLimited),
        (500, errors.ProviderFault),
        (200, errors.InvalidResponse),
    ],
)
async def test_a_response_without_a_decision_is_an_error(
    serve: Serve, clock: clocks.Clock, status: int, error: type[errors.FetchError]
) -> None:
    """Each status has its error, which contains no key."""

    async def handler(_: web.Request) -> web.Response:
        return web.Response(status=status, body=b"<html>")

    one = _adapter(clock, base_url=await serve(handler))
    with pytest.raises(errors.FetchError) as caught:
        await one.fetch(model.SessionKey("a", _SESSION), _SESSION)
    await one.close()

    assert type(caught.value) is error
    assert _KEY not in repr(caught.value)


@pytest.mark.parametrize("case", _SIGNATURES)
def test_published_signatures_are_valid(case: str) -> None:
    """Each case of Didit's own fixtures verifies, and no changed body does."""
    body = _body(case)

    assert _verify(body, _SIGNATURES[case]) == 1
    changed = body.replace(b"wp-42", b"wp-43")
    with pytest.raises(errors.AuthenticationError):
        _verify(changed, _SIGNATURES[case])


@pytest.mark.parametrize("seconds", [301, -301])
def test_freshness_is_that_of_the_signed_body(seconds: int) -> None:
    """A replay is refused whatever ``X-Timestamp`` says: no signature covers it."""
    case = "basic_approved"
    with pytest.raises(errors.AuthenticationError) as caught:
        _verify(_body(case), _SIGNATURES[case], now_s=_NOW_S + seconds)

    assert "x-timestamp" not in adapter.SIGNATURE.headers
    assert caught.value.cause in {
        errors.AuthCause.STALE_TIMESTAMP,
        errors.AuthCause.FUTURE_TIMESTAMP,
    }
