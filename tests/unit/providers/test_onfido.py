"""Onfido: every row of the documented tables, the call, and the signature."""

import pathlib
from collections.abc import Awaitable, Callable
from typing import Any

import orjson
import pytest
from aiohttp import web

from tests.support import adapters
from worker import clock as clocks
from worker import errors, model
from worker.providers import onfido
from worker.providers.onfido import adapter, tables

Serve = Callable[
    [Callable[[web.Request], Awaitable[web.StreamResponse]]], Awaitable[str]
]
_VECTORS = pathlib.Path(__file__).parents[2] / "vectors" / "onfido"
_SESSION = "b48fdff9-66a1-405d-9912-54780799bd68"
_TOKEN = "onfido_planted"

# Written from docs/providers/onfido.md, not from the code.
_RUNS = {
    "approved": ("approved", "verified"),
    "declined": ("rejected", "declined"),
    "abandoned": ("rejected", "not_completed"),
    "awaiting_input": ("pending", "in_progress"),
    "processing": ("pending", "under_review"),
    "awaiting_client_input": ("pending", "under_review"),
    "review": ("pending", "under_review"),
    "error": ("pending", "unrecognised_result"),
}
_UNFINISHED = {"in_progress", "paused", "reopened"}
_UNRECOGNISED = ("pending", "unrecognised_result")


def _adapter(clock: clocks.Clock | None = None, **settings: Any) -> onfido.Adapter:  # noqa: ANN401 -- of any setting
    given = {"environment": "test", "api_token": _TOKEN} | settings
    checked = onfido.Settings.model_validate(given)
    return onfido.Adapter("a", checked, clock or clocks.SystemClock())


def _interpret(document: dict[str, Any], **settings: Any) -> tuple[str, str]:  # noqa: ANN401 -- of any setting
    key = model.SessionKey("a", _SESSION)
    answer = adapters.answer({"id": _SESSION, **document})
    verdict = _adapter(**settings).interpret(key, _SESSION, answer).verdict
    return verdict.outcome, verdict.reason


def _checked(status: object, result: object, *, reject: bool) -> tuple[str, str]:
    """Return the decision on a check by the documented table."""
    if status == "complete" and result == "clear":
        return ("approved", "verified")
    if status == "complete" and result == "consider":
        return ("rejected", "declined") if reject else ("pending", "under_review")
    if status == "withdrawn" and result is None:
        return ("rejected", "not_completed")
    if status == "awaiting_applicant" and result is None:
        return ("pending", "in_progress")
    if status in _UNFINISHED:
        return ("pending", "under_review")
    return _UNRECOGNISED


@pytest.mark.parametrize(
    "status",
    [*sorted(tables.RUN_STATUSES), "Approved", "approved ", "clear", "", None, True],
)
def test_each_status_of_a_run_has_the_documented_meaning(status: object) -> None:
    """Code and documented table agree, and no other value decides."""
    expected = _RUNS.get(status, _UNRECOGNISED) if isinstance(status, str) else None

    assert _interpret({"status": status}) == (expected or _UNRECOGNISED)
    assert set(_RUNS) == tables.RUN_STATUSES


@pytest.mark.parametrize("reject", [False, True])
@pytest.mark.parametrize("result", ["clear", "consider", "Clear", "", None, True])
@pytest.mark.parametrize(
    "status", [*sorted(tables.CHECK_STATUSES), "approved", "Complete", "", None, True]
)
def test_each_check_has_the_documented_meaning(
    status: Any,  # noqa: ANN401 -- of any type
    result: object,
    reject: bool,  # noqa: FBT001 -- a parameter of the test
) -> None:
    """All pairs of a status and a result, with and without ``reject_consider``."""
    document = {"status": status, "result": result}
    found = _interpret(document, resource="check", reject_consider=reject)

    assert found == _checked(status, result, reject=reject)


@pytest.mark.parametrize(
    ("resource", "path"),
    [("workflow_run", "/v3.6/workflow_runs"), ("check", "/v3.6/checks")],
)
async def test_the_call_is_the_documented_one(
    serve: Serve, clock: clocks.Clock, resource: str, path: str
) -> None:
    """One GET with the token, of the configured resource."""
    seen: list[web.Request] = []

    async def handler(request: web.Request) -> web.Response:
        seen.append(request)
        return web.Response(body=orjson.dumps({"id": _SESSION, "status": "approved"}))

    one = _adapter(clock, base_url=await serve(handler), resource=resource)
    await one.fetch(model.SessionKey("a", _SESSION), _SESSION)
    await one.close()

    [request] = seen
    assert request.path_qs == f"{path}/{_SESSION}"
    assert request.headers["Authorization"] == f"Token token={_TOKEN}"


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
async def test_a_response_without_a_run_is_an_error(
    serve: Serve, clock: clocks.Clock, status: int, error: type[errors.FetchError]
) -> None:
    """Each status has its error, which contains no token."""

    async def handler(_: web.Request) -> web.Response:
        return web.Response(status=status, body=b"<html>")

    one = _adapter(clock, base_url=await serve(handler))
    with pytest.raises(errors.FetchError) as caught:
        await one.fetch(model.SessionKey("a", _SESSION), _SESSION)
    await one.close()

    assert type(caught.value) is error
    assert _TOKEN not in repr(caught.value)


@pytest.mark.parametrize(
    ("name", "secret", "expected"),
    [
        (
            "check_completed",
            "wU99mE6jJ7nXOLFwZ0tJymM1lpI15pZh",
            "77ebc3e418f26be6eebb47f7ebe551321de26734fc273961e075fc9ab163d9c7",
        ),
        (
            "task_started",
            "YKOC6mkBxi6yK2zlUIrLMvsJMFEZObP5",
            "c95a5b785484f6fa1bc25f381b5595d66bf85cb442eefb06aa007802ee6a4dfa",
        ),
    ],
)
def test_published_signatures_are_valid(name: str, secret: str, expected: str) -> None:
    """Those of onfido/onfido-python, tests/test_*_verification.py, 2026-12-01."""
    vector = orjson.loads((_VECTORS / f"callback_{name}.json").read_bytes())
    body = orjson.dumps(vector["document"])

    def verify(body: bytes) -> int:
        return adapter.SIGNATURE.verify(
            [b"another token", secret.encode()],
            lambda _: [expected],
            body,
            now_ms=0,
            tolerance_ms=300_000,
        )

    assert verify(body) == 1
    with pytest.raises(errors.AuthenticationError):
        verify(body + b" ")
