"""Shufti Pro: every row of the table, callbacks, and signed results."""

from typing import Any

import pytest
from aiohttp import web

from tests.support import adapters
from worker import clock as clocks
from worker import errors, model, policy
from worker.devkit import simulators
from worker.providers import shuftipro

_ID = "17374217"
_KEY = "k" * 40


def _settings(**changes: object) -> shuftipro.Settings:
    given = {
        "environment": "test",
        "client_id": "c1",
        "secret_key": _KEY,
        "hmac_secrets": [_KEY],
    }
    return shuftipro.Settings.model_validate(given | changes)


def _adapter(**changes: object) -> shuftipro.Adapter:
    return shuftipro.Adapter("a", _settings(**changes), clocks.SystemClock())


def _result(**document: Any) -> model.Result:  # noqa: ANN401 -- JSON
    answer = adapters.answer({"reference": _ID} | document)
    return _adapter().interpret(adapters.key(_ID), _ID, answer)


@pytest.mark.parametrize(
    ("event", "outcome", "reason", "retryable"),
    [
        ("request.received", "pending", "in_progress", False),
        ("request.pending", "pending", "in_progress", False),
        ("review.pending", "pending", "under_review", False),
        ("verification.accepted", "approved", "verified", False),
        ("verification.declined", "rejected", "declined", False),
        ("verification.cancelled", "rejected", "not_completed", True),
        ("request.timeout", "rejected", "not_completed", True),
    ],
)
def test_every_event(event: str, outcome: str, reason: str, *, retryable: bool) -> None:
    """Each documented event has its decision."""
    result = _result(event=event)

    assert (result.verdict.outcome, result.verdict.reason) == (outcome, reason)
    assert result.verdict.retryable is retryable
    assert result.verdict.provider_status == event
    assert result.alarms == ()


@pytest.mark.parametrize(
    "event",
    [
        None,
        1,
        True,
        [],
        {},
        "Verification.Accepted",
        "accepted",
        "",
        "verification.status.changed",
        "request.invalid",
    ],
)
def test_anything_else_is_pending(event: object) -> None:
    """A word, case or type without a verdict approves nobody, and is reported."""
    result = _result(event=event)

    assert result.verdict.outcome is model.Outcome.PENDING
    assert result.verdict.reason is model.Reason.UNRECOGNISED_RESULT
    assert result.alarms == (model.AlarmKind.UNRECOGNISED_RESULT,)


@pytest.mark.parametrize(
    "checks", [{"face": 0}, {"document": {"document": 1, "name": 0}}, {"a": [False]}]
)
def test_an_acceptance_with_a_failed_check_is_a_contradiction(
    checks: dict[str, Any],
) -> None:
    """Where the event and the checks differ nobody is approved."""
    result = _result(event="verification.accepted", verification_result=checks)

    assert result.verdict.outcome is model.Outcome.PENDING
    assert result.alarms == (model.AlarmKind.CONTRADICTORY_RESULT,)


@pytest.mark.parametrize(
    ("document", "error"),
    [
        ({"reference": _ID, "event": "request.deleted"}, errors.SessionNotFound),
        (
            {"reference": _ID, "event": "request.unauthorized"},
            errors.ProviderAuthFailed,
        ),
        ({"event": "verification.accepted"}, errors.ResultMismatch),
        ({"reference": "x", "event": "verification.accepted"}, errors.ResultMismatch),
        ([], errors.InvalidResponse),
    ],
)
def test_what_is_no_result(document: object, error: type[errors.FetchError]) -> None:
    """A deleted or foreign session has no verdict."""
    with pytest.raises(error):
        _adapter().interpret(adapters.key(_ID), _ID, adapters.answer(document))


def test_callbacks() -> None:
    """Sessions wake, requests that were refused are ignored."""
    adapter = _adapter()

    wake = adapter.normalise(adapters.callback({"reference": _ID, "event": "new"}))
    assert isinstance(wake, model.WakeUp)
    assert (wake.session_id, wake.provider_event) == (_ID, policy.UNLISTED)
    for event in ("request.invalid", "request.unauthorized", "request.deleted"):
        ignored = adapter.normalise(adapters.callback({"event": event}))
        assert ignored == model.IgnoredCallback(event)
    for wrong in (None, 1, "", "a/b", "a" * 251, f"{_ID}\n"):
        with pytest.raises(errors.UnmappableCallback):
            adapter.normalise(adapters.callback({"reference": wrong, "event": "x"}))


@pytest.mark.parametrize("recipe", ["hashed_secret", "plain_secret"])
async def test_a_result_is_fetched_and_must_be_signed(recipe: str) -> None:
    """The response's signature is verified by the account's recipe, none other."""
    account = simulators.Account(
        source="a", settings=_settings(signature_recipe=recipe)
    )
    simulator = simulators.find("shuftipro").build(account)
    served = await simulators.serve(simulator)
    adapter = _adapter(base_url=served.base_url, signature_recipe=recipe)
    other = {"hashed_secret": "plain_secret", "plain_secret": "hashed_secret"}[recipe]
    wrong = _adapter(base_url=served.base_url, signature_recipe=other)
    stranger = _adapter(base_url=served.base_url, client_id="c2")
    try:
        session_id = simulator.add(simulators.Scenario())
        key = adapters.key(session_id)
        answer = await adapter.fetch(key, session_id)
        result = adapter.interpret(key, session_id, answer)
        with pytest.raises(errors.BadResultSignature):
            await wrong.fetch(key, session_id)
        with pytest.raises(errors.ProviderAuthFailed):
            await stranger.fetch(key, session_id)
        with pytest.raises(errors.SessionNotFound):
            await adapter.fetch(adapters.key("x"), "x")
        with pytest.raises(errors.SessionNotFound):
            await adapter.fetch(adapters.key("a/b"), "a/b")
    finally:
        for each in (adapter, wrong, stranger):
            await each.close()
        await served.close()

    assert result.verdict.outcome is model.Outcome.APPROVED
    assert result.reference == session_id


async def test_a_result_without_signature_is_refused() -> None:
    """An answer that anybody could have written is no result."""

    async def unsigned(_: web.Request) -> web.Response:
        return web.json_response({"reference": _ID, "event": "verification.accepted"})

    app = web.Application()
    app.router.add_post("/status", unsigned)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    adapter = _adapter(base_url=f"http://127.0.0.1:{runner.addresses[0][1]}")
    try:
        with pytest.raises(errors.BadResultSignature):
            await adapter.fetch(adapters.key(_ID), _ID)
    finally:
        await adapter.close()
        await runner.cleanup()
