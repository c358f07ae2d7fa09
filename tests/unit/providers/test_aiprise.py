"""AiPrise: every row of the documented table, the call, and the signature."""

from collections.abc import Awaitable, Callable

import orjson
import pytest
from aiohttp import web

from tests.support import adapters
from worker import clock as clocks
from worker import errors, model
from worker.providers import aiprise
from worker.providers.aiprise import adapter

Serve = Callable[
    [Callable[[web.Request], Awaitable[web.StreamResponse]]], Awaitable[str]
]
_SESSION = "0c5b4f0e-5a0e-4f0b-9c7a-3f2d9c1e7a10"
_KEY = "aiprise_planted"

# Written from docs/providers/aiprise.md, not from the code.
_RESULTS = {
    "APPROVED": ("approved", "verified"),
    "DECLINED": ("rejected", "declined"),
    "REVIEW": ("pending", "under_review"),
    "UNKNOWN": ("pending", "under_review"),
}
_UNRECOGNISED = ("pending", "unrecognised_result")


def _adapter(clock: clocks.Clock | None = None, **settings: object) -> aiprise.Adapter:
    given = {"environment": "test", "api_key": _KEY} | settings
    checked = aiprise.Settings.model_validate(given)
    return aiprise.Adapter("a", checked, clock or clocks.SystemClock())


@pytest.mark.parametrize("run", ["COMPLETED", "PENDING", "FAILED", "other", None])
@pytest.mark.parametrize(
    "result", [*_RESULTS, "approved", "APPROVED ", "", None, True, ["APPROVED"]]
)
def test_each_result_has_the_documented_meaning(result: object, run: object) -> None:
    """Code and documented table agree, and no other value decides."""
    key = model.SessionKey("a", _SESSION)
    document = {
        "verification_session_id": _SESSION,
        "aiprise_summary": {"verification_result": result},
        "status": run,
    }
    verdict = _adapter().interpret(key, _SESSION, adapters.answer(document)).verdict
    row = _RESULTS.get(result) if isinstance(result, str) else None
    expected = {"PENDING": ("pending", "under_review"), "FAILED": _UNRECOGNISED}.get(
        str(run), row or _UNRECOGNISED
    )

    assert (verdict.outcome, verdict.reason) == expected


async def test_the_call_is_the_documented_one(
    serve: Serve, clock: clocks.Clock
) -> None:
    """One GET with the key."""
    seen: list[web.Request] = []

    async def handler(request: web.Request) -> web.Response:
        seen.append(request)
        return web.Response(body=orjson.dumps({"verification_session_id": _SESSION}))

    one = _adapter(clock, base_url=await serve(handler))
    await one.fetch(model.SessionKey("a", _SESSION), _SESSION)
    await one.close()

    [request] = seen
    assert request.path_qs == f"{adapter.RESULT}{_SESSION}"
    assert request.headers["X-API-KEY"] == _KEY


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
async def test_a_response_without_a_verification_is_an_error(
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


def test_the_api_key_signs_callbacks() -> None:
    """One key for both directions; a body that was changed is refused."""
    body, key = b'{"verification_session_id":"x"}', b"aiprise-api-key"
    signature = adapter.SIGNATURE.sign(key, body)

    def verify(body: bytes) -> int:
        return adapter.SIGNATURE.verify(
            [b"an older key", key],
            lambda name: [signature] if name == "x-hmac-signature" else [],
            body,
            now_ms=0,
            tolerance_ms=0,
        )

    assert verify(body) == 1
    with pytest.raises(errors.AuthenticationError):
        verify(body + b"\n")
