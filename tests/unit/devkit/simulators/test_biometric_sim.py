"""The simulated Biometric.kz: what it answers, and that our adapter understands it."""

import contextlib
from collections.abc import AsyncIterator

import aiohttp
import orjson
import pytest

from tests.support import adapters
from worker import clock as clocks
from worker import errors, model
from worker.devkit import simulators
from worker.providers import biometric

_KEY = "synthetic-flow-key"
_CREATE = "/api/v1/flows/session/create/"
_RESULT = "/api/v1/flows/session/result/"


def _settings(base_url: str = "http://127.0.0.1:1") -> biometric.Settings:
    return biometric.Settings.model_validate(
        {
            "environment": "test",
            "flow_api_key": _KEY,
            "url_secrets": ["synthetic-url-secret-of-32-bytes.."],
            "base_url": base_url,
            "fetch_timeout": "300ms",
        }
    )


def _simulator() -> simulators.Simulator:
    account = simulators.Account(source="flow", settings=_settings())
    return simulators.find("biometric").build(account)


@contextlib.asynccontextmanager
async def _served(
    simulator: simulators.Simulator,
) -> AsyncIterator[tuple[str, biometric.Adapter]]:
    """Serve *simulator*; yield its address and an adapter that calls it."""
    served = await simulators.serve(simulator)
    clock = clocks.SystemClock()
    adapter = biometric.Adapter("flow", _settings(served.base_url), clock)
    try:
        yield served.base_url, adapter
    finally:
        await adapter.close()
        await served.close()


async def _outcome(adapter: biometric.Adapter, session_id: str) -> tuple[str, ...]:
    """Fetch and map once; return outcome and reason, or the error's reason."""
    key = model.SessionKey("flow", session_id)
    try:
        answer = await adapter.fetch(key, session_id)
        result = adapter.interpret(key, session_id, answer)
    except errors.FetchError as error:
        return (error.reason,)
    return (result.verdict.outcome, result.verdict.reason)


@pytest.mark.parametrize("vector", adapters.vectors("biometric", "create"))
async def test_the_create_call_answers_as_documented(
    vector: dict[str, dict[str, object]],
) -> None:
    """A session is made with the flow's key; a result it has once it is finished."""
    async with (
        _served(simulator := _simulator()) as (url, adapter),
        aiohttp.ClientSession(url) as client,
    ):
        async with client.post(_CREATE, json=vector["request"]) as response:
            assert response.status == 200
            made = await response.json()
        assert vector["document"].keys() == made.keys()
        session_id = made["session_id"]
        assert await _outcome(adapter, session_id) == ("pending", "in_progress")
        simulator.held(session_id).standing = simulators.Standing.FINISHED
        assert await _outcome(adapter, session_id) == ("approved", "verified")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b'{"api_key": "another"}', 403),
        (b'{"api_key": ["synthetic-flow-key"]}', 403),
        (b"{}", 403),
        (b"[]", 400),
        (b"<html>", 400),
        (b"", 400),
    ],
)
async def test_the_create_call_needs_the_flow_s_key(body: bytes, status: int) -> None:
    """Without the right key in a JSON object no session is made."""
    async with (
        _served(_simulator()) as (url, _),
        aiohttp.ClientSession(url) as client,
        client.post(_CREATE, data=body) as response,
    ):
        assert status == response.status


async def test_the_result_call_needs_the_flow_s_key() -> None:
    """A wrong or missing key is refused, even for a session that is there."""
    simulator = _simulator()
    session_id = simulator.add(simulators.Scenario())
    async with _served(simulator) as (url, _), aiohttp.ClientSession(url) as client:
        for extra in ({}, {"flow_api_key": "another"}):
            query = {"session_id": session_id} | extra
            async with client.get(_RESULT, params=query) as response:
                assert response.status == 403


@pytest.mark.parametrize(
    ("scenario", "answers"),
    [
        (simulators.Scenario(), [("approved", "verified")]),
        (
            simulators.Scenario(outcome=model.Outcome.REJECTED),
            [("rejected", "biometric_failed")],
        ),
        (
            simulators.Scenario(outcome=model.Outcome.REJECTED, status="FINISHED"),
            [("rejected", "biometric_failed")],
        ),
        (
            simulators.Scenario(outcome=model.Outcome.REJECTED, reason="NO_CAM"),
            [("rejected", "technical_failure")],
        ),
        (
            simulators.Scenario(
                outcome=model.Outcome.REJECTED, reason="CALC_RESULT: Mask Attack"
            ),
            [("rejected", "fraud")],
        ),
        (
            simulators.Scenario(outcome=model.Outcome.PENDING),
            [("pending", "in_progress")] * 2,
        ),
        (
            simulators.Scenario(unknown_word=True),
            [("pending", "unrecognised_result")] * 2,
        ),
        (simulators.Scenario(denied=True), [("no_such_session",)] * 2),
        (
            simulators.Scenario(hang=1, errors=1, not_ready=2, pending_first=1),
            [
                ("timeout",),
                ("provider_fault",),
                ("not_ready",),
                ("not_ready",),
                ("pending", "in_progress"),
                ("approved", "verified"),
                ("approved", "verified"),
            ],
        ),
        (
            simulators.Scenario(errors=1, error_status=429, retry_after="7"),
            [("rate_limited",), ("approved", "verified")],
        ),
        (
            simulators.Scenario(outcome=model.Outcome.PENDING, not_ready=1),
            [("not_ready",), ("pending", "in_progress")],
        ),
    ],
)
async def test_each_call_is_answered_as_the_scenario_says(
    scenario: simulators.Scenario, answers: list[tuple[str, ...]]
) -> None:
    """Call by call our adapter reads what the scenario means."""
    simulator = _simulator()
    session_id = simulator.add(scenario, adapters.UUID.upper())
    async with _served(simulator) as (_, adapter):
        found = [await _outcome(adapter, session_id.lower()) for _ in answers]
    assert answers == found


async def test_a_session_that_is_not_there_is_denied() -> None:
    """A session that was never made is a 404."""
    async with _served(_simulator()) as (_, adapter):
        assert await _outcome(adapter, adapters.UUID) == ("no_such_session",)


def _normalised(scenario: simulators.Scenario) -> list[model.Normalised]:
    """Send the scenario's callbacks through our adapter, as if they were verified."""
    simulator = _simulator()
    session_id = simulator.add(scenario, adapters.UUID)
    adapter = biometric.Adapter("flow", _settings(), clocks.SystemClock())
    return [
        adapter.normalise(adapters.callback(orjson.loads(callback.body)))
        for callback in simulator.callbacks(session_id)
    ]


@pytest.mark.parametrize(
    ("outcome", "claim"),
    [
        (model.Outcome.APPROVED, {"status": "FINISHED", "flow_session_result": "true"}),
        (model.Outcome.REJECTED, {"status": "FAILED", "flow_session_result": "false"}),
        (model.Outcome.PENDING, {"status": "PROGRESS", "flow_session_result": None}),
    ],
)
def test_four_events_are_sent(
    outcome: model.Outcome, claim: dict[str, str | None]
) -> None:
    """Three are ignored, and the last one wakes with what the result will say."""
    *before, wake = _normalised(simulators.Scenario(outcome=outcome))
    assert [
        event.provider_event
        for event in before
        if isinstance(event, model.IgnoredCallback)
    ] == ["flow.start", "technology.start", "technology.end"]
    assert isinstance(wake, model.WakeUp)
    assert (adapters.UUID, "flow.end", claim) == (
        wake.session_id,
        wake.provider_event,
        wake.claim,
    )


def test_callbacks_are_repeated_reordered_and_lost() -> None:
    """A repeat keeps its id, a reordered end comes first, a missing one not at all."""
    repeated = _normalised(simulators.Scenario(repeat=1))
    ends = [event for event in repeated if isinstance(event, model.WakeUp)]
    assert (
        len(repeated),
        len(ends),
        len({end.provider_event_id for end in ends}),
    ) == (8, 2, 1)
    assert isinstance(_normalised(simulators.Scenario(reorder=True))[0], model.WakeUp)
    assert _normalised(simulators.Scenario(missing=True)) == []


def test_callbacks_prove_themselves_by_the_address_alone() -> None:
    """The address holds the token, a forged one another; nothing is signed."""
    simulator = _simulator()
    paths = set()
    for forged in (False, True):
        session_id = simulator.add(simulators.Scenario(bad_signature=forged))
        for callback in simulator.callbacks(session_id):
            paths.add((forged, callback.path))
            assert callback.method == "POST"
            assert callback.headers == {"Content-Type": "application/json"}
    assert len(paths) == 2
    assert all(path.startswith("/webhooks/flow/") for _, path in paths)
    assert len({path for _, path in paths}) == 2


@pytest.mark.parametrize(
    ("scenario", "truth"),
    [
        (simulators.Scenario(), ("approved", "FINISHED", True)),
        (
            simulators.Scenario(outcome=model.Outcome.REJECTED, missing=True),
            ("rejected", "FAILED", False),
        ),
        (
            simulators.Scenario(outcome=model.Outcome.PENDING, bad_signature=True),
            ("pending", "PROGRESS", False),
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
