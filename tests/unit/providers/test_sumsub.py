"""Sumsub: every row of the documented table, the signed call, and the signature."""

import hashlib
import hmac
from collections.abc import Awaitable, Callable
from typing import Any

import orjson
import pytest
from aiohttp import web

from tests.support import adapters
from worker import clock as clocks
from worker import errors, model, providers
from worker.devkit import simulators
from worker.providers import sumsub
from worker.providers.sumsub import adapter, tables

Serve = Callable[
    [Callable[[web.Request], Awaitable[web.StreamResponse]]], Awaitable[str]
]
_SESSION = "5cb56e8e0a975a35f333cb83"
_TOKEN = "sbx:planted"
_SECRET = "sumsub_planted"

# Written from docs/providers/sumsub.md, not from the code.
_IN_PROGRESS = ("pending", "in_progress")
_TABLE = {
    "init": _IN_PROGRESS,
    "awaitingUser": _IN_PROGRESS,
    "pending": _IN_PROGRESS,
    "prechecked": _IN_PROGRESS,
    "queued": _IN_PROGRESS,
    "awaitingService": _IN_PROGRESS,
    "onHold": ("pending", "under_review"),
    "completed": ("approved", "verified"),
}
_UNRECOGNISED = ("pending", "unrecognised_result")


def _settings(**settings: object) -> sumsub.Settings:
    given = {"environment": "test", "app_token": _TOKEN, "secret_key": _SECRET}
    return sumsub.Settings.model_validate(given | settings)


def _document(status: object, **result: object) -> dict[str, Any]:
    review = {"reviewStatus": status, "reviewResult": result}
    return {"id": _SESSION, "externalUserId": "order-17", "review": review}


def _verdict(document: dict[str, Any], clock: clocks.Clock) -> model.Verdict:
    one = sumsub.Adapter("a", _settings(), clock)
    key = model.SessionKey("a", _SESSION)
    return one.interpret(key, _SESSION, adapters.answer(document)).verdict


@pytest.mark.parametrize(
    "status",
    [*sorted(tables.STATUSES), "Completed", "completed ", "", None, True, ["init"]],
)
def test_each_status_has_the_documented_meaning(
    status: object, clock: clocks.Clock
) -> None:
    """GREEN approves in one status only, and an unknown status never decides."""
    verdict = _verdict(_document(status, reviewAnswer="GREEN"), clock)
    row = _TABLE.get(status, _UNRECOGNISED) if isinstance(status, str) else None

    assert (verdict.outcome, verdict.reason) == (row or _UNRECOGNISED)


@pytest.mark.parametrize(
    ("answer", "kind", "expected"),
    [
        ("GREEN", None, ("approved", "verified")),
        ("RED", "FINAL", ("rejected", "declined")),
        ("RED", "RETRY", ("pending", "resubmission_requested")),
        ("RED", None, _UNRECOGNISED),
        ("RED", "OTHER", _UNRECOGNISED),
        ("GREEN", "FINAL", _UNRECOGNISED),
        ("YELLOW", None, _UNRECOGNISED),
        ("green", None, _UNRECOGNISED),
        (None, None, _UNRECOGNISED),
        (True, None, _UNRECOGNISED),
    ],
)
def test_each_answer_has_the_documented_meaning(
    answer: object, kind: object, expected: tuple[str, str], clock: clocks.Clock
) -> None:
    """Only the listed pairs decide."""
    document = _document("completed", reviewAnswer=answer, reviewRejectType=kind)
    verdict = _verdict(document, clock)

    assert (verdict.outcome, verdict.reason) == expected


async def test_the_call_is_signed(serve: Serve, clock: clocks.Clock) -> None:
    """One GET, signed over time, method and path."""
    seen: list[web.Request] = []

    async def handler(request: web.Request) -> web.Response:
        seen.append(request)
        return web.Response(body=orjson.dumps(_document("init")))

    one = sumsub.Adapter("a", _settings(base_url=await serve(handler)), clock)
    await one.fetch(model.SessionKey("a", _SESSION), _SESSION)
    await one.close()

    [request] = seen
    at = str(clock.now_ms() // 1000)
    signed = f"{at}GET/resources/applicants/{_SESSION}/one".encode()
    expected = hmac.new(_SECRET.encode(), signed, hashlib.sha256).hexdigest()
    assert request.path_qs == f"/resources/applicants/{_SESSION}/one"
    assert request.headers["X-App-Token"] == _TOKEN
    assert request.headers["X-App-Access-Ts"] == at
    assert request.headers["X-App-Access-Sig"] == expected


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
async def test_a_response_without_an_applicant_is_an_error(
    serve: Serve, clock: clocks.Clock, status: int, error: type[errors.FetchError]
) -> None:
    """Each status has its error, which contains no key."""

    async def handler(_: web.Request) -> web.Response:
        return web.Response(status=status, body=b"<html>")

    one = sumsub.Adapter("a", _settings(base_url=await serve(handler)), clock)
    with pytest.raises(errors.FetchError) as caught:
        await one.fetch(model.SessionKey("a", _SESSION), _SESSION)
    await one.close()

    assert type(caught.value) is error
    assert _SECRET not in repr(caught.value)


@pytest.mark.parametrize("chosen", ["sha1", "sha256", "sha512"])
@pytest.mark.parametrize("sent", ["sha1", "sha256", "sha512"])
@pytest.mark.parametrize("named", [True, False])
def test_only_the_chosen_digest_is_valid(
    chosen: str, sent: str, *, named: bool
) -> None:
    """The unsigned header with the algorithm's name does not choose it."""
    scheme = adapter.signature(_settings(webhook_digest=chosen))
    headers = {"x-payload-digest": hmac.new(b"key", b"{}", sent).hexdigest()}
    if named:
        headers["x-payload-digest-alg"] = f"HMAC_{sent.upper()}_HEX"

    def verify() -> int:
        return scheme.verify(
            [b"key"],
            lambda name: [headers[name.lower()]] if name.lower() in headers else [],
            b"{}",
            now_ms=0,
            tolerance_ms=0,
        )

    if chosen == sent:
        assert verify() == 0
    else:
        with pytest.raises(errors.AuthenticationError):
            verify()


@pytest.mark.parametrize("known", [False, True])
async def test_a_session_starts_with_an_applicant_and_a_link(
    known: bool,  # noqa: FBT001 -- a parameter of the test
) -> None:
    """Two signed calls; an applicant that the reference has is found, not made."""
    entry = providers.REGISTRY["sumsub"]
    table = {"environment": "test", **entry.sample_settings()}
    account = simulators.Account(
        source="a", settings=sumsub.Settings.model_validate(table)
    )
    simulator = simulators.find("sumsub").build(account)
    served = await simulators.serve(simulator)
    settings = sumsub.Settings.model_validate(table | {"base_url": served.base_url})
    if known:
        simulator.add(simulators.Scenario(), "abc123", reference="order-17")
    starter = entry.starter("a", settings, clocks.SystemClock())
    request = model.BeginRequest(
        source="a",
        begin_id="b1",
        reference="order-17",
        mode=model.BeginMode.REDIRECT,
        return_address="https://kyc.example.com/return/ticket",
        provider_params=dict(entry.sample_start_parameters),
    )

    first = await starter.begin(request)
    second = await starter.begin(request)
    await starter.close()
    await served.close()

    assert first.session_id == second.session_id
    assert (first.session_id == "abc123") is known
    assert first.url == f"{served.base_url}/websdk/{first.session_id}"
    assert len(simulator.sessions()) == 1
