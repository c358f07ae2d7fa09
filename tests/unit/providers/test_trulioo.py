"""Trulioo: every row of the documented table, the calls, and the check of the URL."""

import base64
from collections.abc import Awaitable, Callable
from typing import Any

import orjson
import pytest
from aiohttp import web

from tests.support import adapters
from worker import clock as clocks
from worker import errors, model
from worker.providers import trulioo
from worker.providers.trulioo import adapter, tables

Serve = Callable[
    [Callable[[web.Request], Awaitable[web.StreamResponse]]], Awaitable[str]
]
_SESSION = "client-17"
_SECRET = "trulioo_planted"

# Written from docs/providers/trulioo.md, not from the code.
_TABLE = {
    "MANUALLY_ACCEPTED": ("approved", "verified"),
    "match": ("approved", "verified"),
    "MANUALLY_REJECTED": ("rejected", "declined"),
    "nomatch": ("rejected", "declined"),
    "ABANDONED": ("rejected", "not_completed"),
    "MANUALLY_ABANDONED": ("rejected", "not_completed"),
    "MANUALLY_PENDING_REVIEW": ("pending", "under_review"),
    None: ("pending", "under_review"),
}
_UNRECOGNISED = ("pending", "unrecognised_result")


def _adapter(clock: clocks.Clock | None = None, **settings: object) -> trulioo.Adapter:
    given: dict[str, object] = {
        "environment": "test",
        "auth_url": "https://auth.example",
        "client_id": "a",
        "client_secret": _SECRET,
    }
    checked = trulioo.Settings.model_validate(given | settings)
    return trulioo.Adapter("a", checked, clock or clocks.SystemClock())


def _callback(document: dict[str, Any]) -> model.VerifiedCallback:
    return adapters.callback(document)


@pytest.mark.parametrize(
    "status", [*_TABLE, "Match", "partial", "FLOW_END", "", True, ["match"]]
)
def test_each_status_has_the_documented_meaning(status: Any) -> None:  # noqa: ANN401 -- of any type
    """Code and documented table agree, and no other value decides."""
    key = model.SessionKey("a", _SESSION)
    document = {"clientId": _SESSION, "status": status}
    verdict = _adapter().interpret(key, _SESSION, adapters.answer(document)).verdict
    listed = status is None or isinstance(status, str)
    row = _TABLE.get(status, _UNRECOGNISED) if listed else _UNRECOGNISED

    assert (verdict.outcome, verdict.reason) == row
    assert {each for each in _TABLE if each is not None} == tables.STATUSES


async def test_the_calls_are_the_documented_ones(
    serve: Serve, clock: clocks.Clock
) -> None:
    """A token by client credentials, then one GET with it."""
    seen: list[tuple[str, str | None]] = []

    async def handler(request: web.Request) -> web.Response:
        seen.append((request.path_qs, request.headers.get("Authorization")))
        if request.path == "/token":
            return web.json_response({"access_token": "t1", "expires_in": 3600})
        return web.Response(body=orjson.dumps({"clientId": _SESSION}))

    url = await serve(handler)
    one = _adapter(clock, base_url=url, auth_url=url, token_path="/token")
    await one.fetch(model.SessionKey("a", _SESSION), _SESSION)
    await one.close()

    basic = base64.b64encode(f"a:{_SECRET}".encode()).decode()
    assert seen == [
        ("/token", f"Basic {basic}"),
        (adapter.CLIENTS + _SESSION, "Bearer t1"),
    ]


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
async def test_a_response_without_a_client_is_an_error(
    serve: Serve, clock: clocks.Clock, status: int, error: type[errors.FetchError]
) -> None:
    """Each status has its error, which contains no secret."""

    async def handler(request: web.Request) -> web.Response:
        if request.path == "/connect/token":
            return web.json_response({"access_token": "t1"})
        return web.Response(status=status, body=b"<html>")

    url = await serve(handler)
    one = _adapter(clock, base_url=url, auth_url=url)
    with pytest.raises(errors.FetchError) as caught:
        await one.fetch(model.SessionKey("a", _SESSION), _SESSION)
    await one.close()

    assert type(caught.value) is error
    assert _SECRET not in repr(caught.value)


@pytest.mark.parametrize("challenge", ["a", "x" * 1024])
def test_a_challenge_is_repeated(challenge: str) -> None:
    """The check of the URL is answered with its own text."""
    document = {"type": "URL_VERIFICATION", "challenge": challenge}

    found = _adapter().normalise(_callback(document))

    assert found == model.IgnoredCallback("URL_VERIFICATION", challenge)
    assert challenge not in repr(found) or len(challenge) == 1


@pytest.mark.parametrize("challenge", [None, "", "x" * 1025, "a\nb", "ä", 5, ["a"]])
def test_what_is_no_short_text_is_not_repeated(challenge: object) -> None:
    """Nothing that could be more than a challenge comes back."""
    document = {"type": "URL_VERIFICATION", "challenge": challenge}

    with pytest.raises(errors.UnmappableCallback):
        _adapter().normalise(_callback(document))
