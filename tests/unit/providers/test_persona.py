"""Persona: every row of the documented table, the call, and the signature."""

from collections.abc import Awaitable, Callable
from typing import Any

import orjson
import pytest
from aiohttp import web

from tests.support import adapters
from worker import clock as clocks
from worker import errors, model
from worker.providers import persona
from worker.providers.persona import adapter, tables

Serve = Callable[
    [Callable[[web.Request], Awaitable[web.StreamResponse]]], Awaitable[str]
]
_SESSION = "inq_HhFZzXNtX6jcTtFKpvxJ7pX1"
_KEY = "persona_planted"

# Written from docs/providers/persona.md, not from the code.
_TABLE = {
    "approved": ("approved", "verified"),
    "completed": ("pending", "under_review"),
    "needs_review": ("pending", "under_review"),
    "created": ("pending", "in_progress"),
    "pending": ("pending", "in_progress"),
    "declined": ("rejected", "declined"),
    "failed": ("rejected", "declined"),
    "expired": ("rejected", "not_completed"),
}
_UNRECOGNISED = ("pending", "unrecognised_result")


def _adapter(clock: clocks.Clock | None = None, **settings: object) -> persona.Adapter:
    given = {"environment": "test", "api_key": _KEY} | settings
    checked = persona.Settings.model_validate(given)
    return persona.Adapter("a", checked, clock or clocks.SystemClock())


def _document(status: object, **attributes: object) -> dict[str, Any]:
    inner = {"status": status, **attributes}
    return {"data": {"type": "inquiry", "id": _SESSION, "attributes": inner}}


@pytest.mark.parametrize(
    "status",
    [*sorted(tables.STATUSES), "Approved", "approved ", "", None, True, ["approved"]],
)
def test_each_status_has_the_documented_meaning(status: object) -> None:
    """Code and documented table agree, and no other word decides."""
    key = model.SessionKey("a", _SESSION)
    answer = adapters.answer(_document(status))
    verdict = _adapter().interpret(key, _SESSION, answer).verdict
    row = _TABLE.get(status, _UNRECOGNISED) if isinstance(status, str) else None

    assert (verdict.outcome, verdict.reason) == (row or _UNRECOGNISED)


def test_two_references_that_differ_are_none() -> None:
    """Spellings of one key with different values name nobody."""
    key = model.SessionKey("a", _SESSION)
    document = _document("approved", reference_id="order-1", referenceId="order-2")

    result = _adapter().interpret(key, _SESSION, adapters.answer(document))

    assert result.reference is None


async def test_the_call_is_the_documented_one(
    serve: Serve, clock: clocks.Clock
) -> None:
    """One GET with the key and the version."""
    seen: list[web.Request] = []

    async def handler(request: web.Request) -> web.Response:
        seen.append(request)
        return web.Response(body=orjson.dumps(_document("approved")))

    one = _adapter(clock, base_url=await serve(handler), api_version="2025-12-08")
    await one.fetch(model.SessionKey("a", _SESSION), _SESSION)
    await one.close()

    [request] = seen
    assert request.path_qs == f"/api/v1/inquiries/{_SESSION}"
    assert request.headers["Authorization"] == f"Bearer {_KEY}"
    assert request.headers["Persona-Version"] == "2025-12-08"


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
async def test_a_response_without_an_inquiry_is_an_error(
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


@pytest.mark.parametrize("order", [1, -1])
def test_a_rotation_sends_two_sets(order: int) -> None:
    """Either of two sets is enough, in any order."""
    body, now = b'{"data":{}}', 1_700_000_000
    sets = [adapter.SIGNATURE.sign(key, body, now) for key in (b"wbh_old", b"wbh_new")]
    header = " ".join(sets[::order])

    for secret in (b"wbh_old", b"wbh_new"):
        position = adapter.SIGNATURE.verify(
            [secret],
            lambda _: [header],
            body,
            now_ms=now * 1000,
            tolerance_ms=300_000,
        )
        assert position == 0
