"""Ondato: every row of the documented table, the calls, and the signature."""

import itertools
import urllib.parse
from collections.abc import Awaitable, Callable
from typing import Any

import orjson
import pytest
from aiohttp import web

from tests.support import adapters
from worker import clock as clocks
from worker import errors, model
from worker.providers import ondato
from worker.providers.ondato import adapter

Serve = Callable[
    [Callable[[web.Request], Awaitable[web.StreamResponse]]], Awaitable[str]
]
_SESSION = "9eae922a-00af-4e54-830b-ca6f7fe5af16"
_KYC = "3a2c1b0d-7d5f-4f0e-9a51-5b8d0c6e2f33"
_SECRET = "ondato_planted"

# Written from docs/providers/ondato.md, not from the code.
_TABLE = {
    ("Completed", "Approved"): ("approved", "verified"),
    ("Completed", "Rejected"): ("rejected", "declined"),
    ("Pending", "Rejected"): ("rejected", "declined"),
    ("InProgress", "Rejected"): ("rejected", "declined"),
    ("Expired", None): ("rejected", "not_completed"),
    ("Aborted", None): ("rejected", "not_completed"),
    ("Pending", None): ("pending", "in_progress"),
    ("InProgress", None): ("pending", "in_progress"),
    ("Completed", None): ("pending", "under_review"),
    ("Completed", "Created"): ("pending", "under_review"),
    ("Completed", "Processed"): ("pending", "under_review"),
    ("Completed", "Updated"): ("pending", "under_review"),
}
_UNRECOGNISED = ("pending", "unrecognised_result")
_STATUSES = ["Pending", "InProgress", "Completed", "Expired", "Aborted", "x", None, 1]
_IDENTIFIED = ["Approved", "Rejected", "Created", "Processed", "Updated", "x", 1, None]


def _adapter(clock: clocks.Clock | None = None, **settings: object) -> ondato.Adapter:
    given = {"environment": "test", "client_id": "a", "client_secret": _SECRET}
    checked = ondato.Settings.model_validate(given | settings)
    return ondato.Adapter("a", checked, clock or clocks.SystemClock())


@pytest.mark.parametrize(
    ("status", "identified"), [*itertools.product(_STATUSES, _IDENTIFIED)]
)
def test_each_pair_has_the_documented_meaning(
    status: Any,  # noqa: ANN401 -- of any type
    identified: Any,  # noqa: ANN401 -- of any type
) -> None:
    """Code and documented table agree, and no other pair decides."""
    key = model.SessionKey("a", _SESSION)
    named = {"identityVerificationId": _SESSION, "status": identified}
    document = {
        "verification": {"id": _SESSION, "status": status},
        "identification": None if identified is None else named,
    }
    verdict = _adapter().interpret(key, _SESSION, adapters.answer(document)).verdict

    expected = _TABLE.get((status, identified), _UNRECOGNISED)
    assert (verdict.outcome, verdict.reason) == expected


async def test_the_calls_are_the_documented_ones(
    serve: Serve, clock: clocks.Clock
) -> None:
    """A token for both calls; the identification is the one that is named."""
    seen: list[tuple[str, str | None]] = []
    forms: list[dict[str, list[str]]] = []

    async def handler(request: web.Request) -> web.Response:
        seen.append((request.path_qs, request.headers.get("Authorization")))
        if request.path == "/connect/token":
            forms.append(urllib.parse.parse_qs((await request.read()).decode()))
            return web.json_response({"access_token": "t1", "expires_in": 3600})
        document: dict[str, Any] = {"id": _SESSION, "status": "Completed"}
        if request.path.startswith(adapter.VERIFICATIONS):
            document["kycIdentificationId"] = _KYC
        return web.Response(body=orjson.dumps(document))

    url = await serve(handler)
    one = _adapter(clock, base_url=url, identification_url=url, auth_url=url)
    answer = await one.fetch(model.SessionKey("a", _SESSION), _SESSION)
    await one.close()

    assert seen == [
        ("/connect/token", None),
        (adapter.VERIFICATIONS + _SESSION, "Bearer t1"),
        (adapter.IDENTIFICATIONS + _KYC, "Bearer t1"),
    ]
    assert forms == [
        {
            "grant_type": ["client_credentials"],
            "client_id": ["a"],
            "client_secret": [_SECRET],
        }
    ]
    assert isinstance(answer.document, dict)
    assert set(answer.document) == {"verification", "identification"}


@pytest.mark.parametrize("named", [None, "../x", 5, ""])
async def test_an_id_that_is_none_is_not_fetched(
    serve: Serve, clock: clocks.Clock, named: object
) -> None:
    """Without the id of an identification there is one call, and no approval."""

    async def handler(request: web.Request) -> web.Response:
        if request.path == "/connect/token":
            return web.json_response({"access_token": "t1"})
        assert request.path == adapter.VERIFICATIONS + _SESSION
        document = {"id": _SESSION, "status": "Completed", "kycId": named}
        return web.Response(body=orjson.dumps(document))

    url = await serve(handler)
    one = _adapter(
        clock,
        base_url=url,
        identification_url=url,
        auth_url=url,
        identification_field="kycId",
    )
    key = model.SessionKey("a", _SESSION)
    result = one.interpret(key, _SESSION, await one.fetch(key, _SESSION))
    await one.close()

    assert result.verdict.outcome is model.Outcome.PENDING


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


def test_a_retry_of_the_last_day_is_still_accepted() -> None:
    """The default tolerance covers the 24 hours of Ondato's retries."""
    tolerance_ms = _adapter()._settings.tolerance
    body, now_s = b"{}", 1_767_322_000
    signature = adapter.SIGNATURE.sign(b"secret", body, now_s)

    def verify(later_s: int) -> int:
        return adapter.SIGNATURE.verify(
            [b"secret"],
            lambda _: [signature],
            body,
            now_ms=(now_s + later_s) * 1000,
            tolerance_ms=tolerance_ms,
        )

    assert verify(24 * 3600) == 0
    with pytest.raises(errors.AuthenticationError):
        verify(26 * 3600)
