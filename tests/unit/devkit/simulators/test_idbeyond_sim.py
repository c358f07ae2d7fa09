"""The simulated id beyond: what it signs and answers, read by our adapter."""

import contextlib
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import orjson
import pytest

from tests.support import adapters
from worker import clock as clocks
from worker import errors, model
from worker.devkit import simulators
from worker.providers import idbeyond

_KEY = "sk_test_synthetic"
_SECRET = "synthetic-webhook-secret"
_CREATE = "/api/verification/sessions"
_BEARER = {"Authorization": f"Bearer {_KEY}"}


def _settings(**settings: object) -> idbeyond.Settings:
    given = {
        "environment": "test",
        "api_key": _KEY,
        "hmac_secrets": [_SECRET, "synthetic-webhook-secret-old"],
        "base_url": "http://127.0.0.1:1",
        "fetch_timeout": "300ms",
    }
    return idbeyond.Settings.model_validate(given | settings)


def _simulator(**settings: object) -> simulators.Simulator:
    account = simulators.Account(source="org", settings=_settings(**settings))
    return simulators.find("idbeyond").build(account)


@contextlib.asynccontextmanager
async def _served(simulator: simulators.Simulator) -> AsyncIterator[str]:
    served = await simulators.serve(simulator)
    try:
        yield served.base_url
    finally:
        await served.close()


async def _outcomes(
    simulator: simulators.Simulator, session_id: str, calls: int, **settings: object
) -> list[tuple[str, ...]]:
    """Fetch and map *calls* times; tell outcome and reason, or the error's words."""
    found: list[tuple[str, ...]] = []
    async with _served(simulator) as base_url:
        configured = _settings(result="fetch", base_url=base_url, **settings)
        adapter = idbeyond.Adapter("org", configured, clocks.SystemClock())
        key = model.SessionKey("org", session_id.lower())
        for _ in range(calls):
            try:
                answer = await adapter.fetch(key, session_id)
                result = adapter.interpret(key, session_id, answer)
            except errors.FetchError as error:
                found.append((error.reason, error.detail))
            else:
                found.append((result.verdict.outcome, result.verdict.reason))
        await adapter.close()
    return found


@pytest.mark.parametrize("vector", adapters.vectors("idbeyond", "create"))
async def test_the_create_call_answers_as_documented(vector: dict[str, Any]) -> None:
    """A session is made, and its callbacks are signed with the secret it was given."""
    simulator = _simulator()
    async with (
        _served(simulator) as url,
        aiohttp.ClientSession(url, headers=_BEARER) as client,
        client.post(_CREATE, json=vector["request"]) as response,
    ):
        assert response.status == 200
        made = await response.json()
    assert vector["document"].keys() == made.keys()
    assert made["token"] == made["clientSecret"]
    last = simulator.callbacks(made["sessionId"])[-1]
    body = orjson.loads(last.body)
    assert vector["request"]["metadata"] == body["metadata"]
    assert vector["request"]["externalUserId"] == body["externalUserId"]
    secret = vector["request"]["webhookSecret"].encode()
    signature = last.headers["X-Verification-Signature"]
    assert signature == idbeyond.SIGNATURE.sign(secret, last.body)


@pytest.mark.parametrize(
    ("headers", "body", "status"),
    [
        ({}, b"{}", 401),
        ({"Authorization": "Bearer pk_test_synthetic"}, b"{}", 401),
        ({"Authorization": _KEY}, b"{}", 401),
        (_BEARER, b"", 200),
        (_BEARER, b"{}", 200),
        (_BEARER, b"[]", 400),
        (_BEARER, b"<html>", 400),
        (_BEARER, b'{"externalUserId": 1}', 400),
        (_BEARER, b'{"metadata": []}', 400),
        (_BEARER, b'{"webhookSecret": "short"}', 400),
    ],
)
async def test_the_create_call_needs_the_key_and_the_documented_types(
    headers: dict[str, str], body: bytes, status: int
) -> None:
    """Every field is optional; the secret key is not."""
    async with (
        _served(_simulator()) as url,
        aiohttp.ClientSession(url) as client,
        client.post(_CREATE, data=body, headers=headers) as response,
    ):
        assert status == response.status
        found = await response.json()
    assert (status == 200) == found["ok"]
    assert (status == 401) == (found.get("error") == "API_KEY_INVALID")


async def test_the_result_call_needs_the_key() -> None:
    """A wrong or missing key is refused, even for a session that is there."""
    simulator = _simulator()
    session_id = simulator.add(simulators.Scenario())
    async with _served(simulator) as url, aiohttp.ClientSession(url) as client:
        for headers in ({}, {"Authorization": "Bearer sk_test_another"}):
            path = f"{_CREATE}/{session_id}"
            async with client.get(path, headers=headers) as response:
                assert response.status == 401


_NOT_FOUND = ("provider_fault", "not_found")


@pytest.mark.parametrize(
    ("scenario", "answers"),
    [
        (simulators.Scenario(), [("approved", "verified")]),
        (
            simulators.Scenario(outcome=model.Outcome.REJECTED),
            [("rejected", "declined")],
        ),
        (
            simulators.Scenario(outcome=model.Outcome.PENDING),
            [("pending", "under_review")] * 2,
        ),
        (
            simulators.Scenario(outcome=model.Outcome.PENDING, status="none"),
            [("pending", "in_progress")],
        ),
        (
            simulators.Scenario(unknown_word=True),
            [("pending", "unrecognised_result")] * 2,
        ),
        (simulators.Scenario(denied=True), [_NOT_FOUND] * 2),
        (
            simulators.Scenario(hang=1, errors=1, not_ready=1, pending_first=1),
            [
                ("timeout", ""),
                ("provider_fault", "503"),
                _NOT_FOUND,
                ("pending", "under_review"),
                ("approved", "verified"),
                ("approved", "verified"),
            ],
        ),
    ],
)
async def test_each_call_is_answered_as_the_scenario_says(
    scenario: simulators.Scenario, answers: list[tuple[str, ...]]
) -> None:
    """Call by call our adapter reads what the scenario means."""
    simulator = _simulator(result="fetch")
    session_id = simulator.add(scenario, adapters.UUID.upper())
    assert answers == await _outcomes(simulator, session_id, len(answers))


async def test_the_result_call_stands_where_the_source_says() -> None:
    """The path is the source's setting on both sides; elsewhere there is nothing."""
    simulator = _simulator(result="fetch", result_path="/v2/{session_id}/result")
    session_id = simulator.add(simulators.Scenario())
    assert await _outcomes(simulator, session_id, 1) == [_NOT_FOUND]
    found = await _outcomes(
        simulator, session_id, 1, result_path="/v2/{session_id}/result"
    )
    assert found == [("approved", "verified")]


def _events(
    scenario: simulators.Scenario, reference: str | None = None
) -> list[tuple[str, ...]]:
    """Verify and read every callback; tell its event and what it claims."""
    simulator = _simulator()
    session_id = simulator.add(scenario, adapters.UUID, reference=reference)
    adapter = idbeyond.Adapter("org", _settings(), clocks.SystemClock())
    found: list[tuple[str, ...]] = []
    for sent in simulator.callbacks(session_id):
        presented = [sent.headers["X-Verification-Signature"]]
        key = _SECRET.encode()
        assert idbeyond.SIGNATURE.match([key], presented, sent.body) == 0
        assert (sent.method, sent.path) == ("POST", "/webhooks/org")
        document = orjson.loads(sent.body)
        normalised = adapter.normalise(adapters.callback(document))
        if isinstance(normalised, model.IgnoredCallback):
            found.append((normalised.provider_event,))
            continue
        assert isinstance(normalised, model.WakeUp)
        assert reference == normalised.reference
        event = adapters.event(normalised.provider_event, dict(normalised.claim))
        claim = adapter.claim(event)
        assert claim is not None
        found.append((claim.verdict.outcome, str(normalised.provider_time)))
    return found


def test_the_signed_callbacks_tell_the_verdict_in_order() -> None:
    """An extraction, the reviews, the end: each signed, each later than the last."""
    scenario = simulators.Scenario(outcome=model.Outcome.REJECTED, pending_first=2)
    extraction, *verdicts = _events(scenario, reference="order-17")
    assert extraction == ("verification.extraction",)
    assert [outcome for outcome, _ in verdicts] == ["pending", "pending", "rejected"]
    times = [int(at_ms) for _, at_ms in verdicts]
    assert sorted(set(times)) == times


def test_callbacks_are_repeated_reordered_and_lost() -> None:
    """A repeat is the same body, a reordered end comes first, a missing one never."""
    repeated = _events(simulators.Scenario(repeat=2))
    assert (len(repeated), len(set(repeated))) == (6, 2)
    assert _events(simulators.Scenario(reorder=True))[0][0] == "approved"
    assert _events(simulators.Scenario(missing=True)) == []


def test_a_forged_callback_is_signed_with_another_secret() -> None:
    """The signature is well-formed and does not verify."""
    simulator = _simulator()
    session_id = simulator.add(simulators.Scenario(bad_signature=True))
    for sent in simulator.callbacks(session_id):
        presented = [sent.headers["X-Verification-Signature"]]
        keys = [secret.key() for secret in _settings().hmac_secrets]
        with pytest.raises(errors.AuthenticationError) as caught:
            idbeyond.SIGNATURE.match(keys, presented, sent.body)
        assert caught.value.cause is errors.AuthCause.WRONG_SIGNATURE


def test_a_denied_session_calls_nobody_where_calls_are_verdicts() -> None:
    """What the provider does not know it signs nothing for; a wake-up may be forged."""
    for result, many in (("callback", 0), ("fetch", 2)):
        simulator = _simulator(result=result)
        session_id = simulator.add(simulators.Scenario(denied=True))
        assert many == len(simulator.callbacks(session_id))


@pytest.mark.parametrize(
    ("scenario", "truth"),
    [
        (simulators.Scenario(), ("approved", "approved", True)),
        (
            simulators.Scenario(outcome=model.Outcome.REJECTED, missing=True),
            ("rejected", "rejected", False),
        ),
        (
            simulators.Scenario(outcome=model.Outcome.PENDING, bad_signature=True),
            ("pending", "pending_review", False),
        ),
        (simulators.Scenario(unknown_word=True), ("pending", "unlisted", True)),
        (simulators.Scenario(denied=True), None),
    ],
)
def test_the_truth_of_a_session_is_known(
    scenario: simulators.Scenario, truth: tuple[str, str, bool] | None
) -> None:
    """Whoever checks the decisions learns what they must end in."""
    simulator = _simulator()
    found = simulator.truth(simulator.add(scenario))
    assert truth == (found and (found.outcome, found.provider_status, found.heard))
