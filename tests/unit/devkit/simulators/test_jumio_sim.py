"""The simulated Jumio, our adapter and our session start understand each other."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import orjson
import pytest

from tests.support import adapters, starts
from worker import clock as clocks
from worker import errors, model
from worker.devkit import simulators
from worker.devkit.simulators import jumio as simulated
from worker.providers import jumio
from worker.providers.jumio import start

_GIVEN: dict[str, Any] = {
    "environment": "test",
    "client_id": "client",
    "client_secret": "secret",
    "url_secrets": ["u" * 32],
    "workflow_keys": [10164, 10011],
    "fetch_timeout": "200ms",
}
_UNKNOWN = f"{adapters.UUID}.{adapters.OTHER_UUID}"


@contextlib.asynccontextmanager
async def _played(
    **wrong: object,
) -> AsyncIterator[tuple[simulated.Jumio, jumio.Adapter, start.SessionStarter]]:
    theirs = jumio.Settings.model_validate(_GIVEN)
    simulator = simulated.Jumio(simulators.Account(source="source", settings=theirs))
    served = await simulators.serve(simulator)
    ours = jumio.Settings.model_validate(_GIVEN | {"base_url": served.base_url} | wrong)
    adapter = jumio.Adapter("source", ours, clocks.SystemClock())
    starter = start.SessionStarter("source", ours, clocks.SystemClock())
    yield simulator, adapter, starter
    await adapter.close()
    await starter.close()
    await served.close()


async def _result(
    adapter: jumio.Adapter, session_id: str
) -> model.Result | errors.FetchError:
    key = model.SessionKey("source", session_id.lower())
    try:
        answer = await adapter.fetch(key, session_id)
        return adapter.interpret(key, session_id, answer)
    except errors.FetchError as error:
        return error


@pytest.mark.parametrize("outcome", list(model.Outcome))
async def test_each_outcome_is_understood(outcome: model.Outcome) -> None:
    """What the simulator calls the truth is what the adapter makes of it."""
    async with _played() as (simulator, adapter, _):
        scenario = simulators.Scenario(outcome=outcome)
        session_id = simulator.add(scenario, reference="customer-17")
        result = await _result(adapter, session_id)
        truth = simulator.truth(session_id)

    assert isinstance(result, model.Result)
    assert truth is not None
    assert result.verdict.outcome is truth.outcome is outcome
    assert result.verdict.provider_status == truth.provider_status
    assert result.reference == "customer-17"
    assert result.alarms == ()


async def test_a_course_is_run_through() -> None:
    """Silence, faults, not ready, preliminary and the end, one for each call."""
    scenario = simulators.Scenario(hang=1, errors=1, not_ready=1, pending_first=1)
    async with _played() as (simulator, adapter, _):
        session_id = simulator.add(scenario)
        hung, faulty, unready, pending, ended = [
            await _result(adapter, session_id) for _ in range(5)
        ]

    assert type(hung) is errors.ProviderTimeout
    assert type(faulty) is errors.ProviderFault
    assert type(unready) is errors.NotReady
    assert isinstance(pending, model.Result)
    assert pending.verdict.outcome is model.Outcome.PENDING
    assert isinstance(ended, model.Result)
    assert ended.verdict.outcome is model.Outcome.APPROVED


async def test_tokens_are_shared_and_renewed() -> None:
    """One for all fetches; one more once it has expired."""
    async with _played() as (simulator, adapter, _):
        session_id = simulator.add(simulators.Scenario())
        await asyncio.gather(*(_result(adapter, session_id) for _ in range(5)))
        assert simulator.token_calls == 1
        simulator.expire_tokens()
        results = await asyncio.gather(*(_result(adapter, session_id) for _ in "ab"))

    assert all(isinstance(result, model.Result) for result in results)
    assert simulator.token_calls == 2


async def test_wrong_credentials_and_unknown_sessions_are_told_apart() -> None:
    """One is the account's affair, the other the session's."""
    async with _played() as (simulator, adapter, _):
        denied = simulator.add(simulators.Scenario(denied=True))
        results = [await _result(adapter, one) for one in (denied, _UNKNOWN, "x")]
    assert [type(result) for result in results] == [errors.SessionNotFound] * 3
    async with _played(client_secret="another") as (simulator, adapter, starter):
        result = await _result(adapter, simulator.add(simulators.Scenario()))
        with pytest.raises(errors.ProviderAuthFailed):
            await starter.begin(starts.request())
    assert type(result) is errors.ProviderAuthFailed


async def test_without_a_token_endpoint_nothing_is_started() -> None:
    """The caller may try again: no session call was sent."""
    nowhere = {"auth_url": "http://127.0.0.1:1"}
    async with _played(**nowhere) as (simulator, _, starter):
        with pytest.raises(errors.ProviderUnreachable) as caught:
            await starter.begin(starts.request())
    assert caught.value.detail == errors.ProviderUnreachable.NOT_CONNECTED
    assert not simulator.sessions()


async def test_a_token_endpoint_that_hangs_starts_nothing() -> None:
    """Its time-out leaves no doubt: the session call was not sent."""

    async def say_nothing(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        while await reader.read(1 << 16):
            pass
        writer.close()

    silent = await asyncio.start_server(say_nothing, "127.0.0.1", 0)
    port = silent.sockets[0].getsockname()[1]
    async with _played(auth_url=f"http://127.0.0.1:{port}") as (simulator, _, starter):
        with pytest.raises(errors.ProviderUnreachable) as caught:
            await starter.begin(starts.request())
    silent.close()
    await silent.wait_closed()
    assert caught.value.detail == errors.ProviderUnreachable.NOT_CONNECTED
    assert not simulator.sessions()


async def test_callbacks_wake_and_their_addresses_are_not_followed() -> None:
    """Acquired, then processed; the ids alone name the session."""
    async with _played() as (simulator, adapter, _):
        session_id = simulator.add(simulators.Scenario(pending_first=1))
        callbacks = simulator.callbacks(session_id)
        wakes = [
            adapter.normalise(adapters.callback(orjson.loads(callback.body)))
            for callback in callbacks
        ]
        result = await _result(adapter, session_id)
    assert [getattr(wake, "session_id", None) for wake in wakes] == [session_id] * 2
    assert [getattr(wake, "provider_event", None) for wake in wakes] == [
        "ACQUIRED",
        "PROCESSED",
    ]
    assert isinstance(result, model.Result)


async def test_an_end_user_who_never_comes_is_rejected() -> None:
    """The token lapses; a new session may be offered."""
    scenario = simulators.Scenario(
        outcome=model.Outcome.REJECTED, status="TOKEN_EXPIRED"
    )
    async with _played() as (simulator, adapter, _):
        result = await _result(adapter, simulator.add(scenario))
    assert isinstance(result, model.Result)
    assert result.verdict.reason is model.Reason.NOT_COMPLETED
    assert result.verdict.retryable


async def test_a_started_session_is_finished_on_its_page() -> None:
    """The address opens the page, which redirects to ours at its end."""
    async with (
        _played() as (_, adapter, starter),
        aiohttp.ClientSession() as http,
    ):
        started = await starter.begin(starts.request())
        assert started.url is not None
        before = await _result(adapter, started.provider_session_id)
        async with http.post(
            started.url, data={"does": "approve"}, allow_redirects=False
        ) as response:
            location = response.headers["Location"]
        after = await _result(adapter, started.provider_session_id)

    account, _dot, workflow = started.session_id.partition(".")
    assert isinstance(before, model.Result)
    assert before.verdict.reason is model.Reason.IN_PROGRESS
    assert isinstance(after, model.Result)
    assert after.verdict.outcome is model.Outcome.APPROVED
    assert after.reference == "customer-17"
    assert f"accountId={account}&workflowExecutionId={workflow}" in location


@pytest.mark.parametrize(("length", "passed_on"), [(255, True), (256, False)])
async def test_a_return_address_that_is_too_long_is_left_out(
    *, length: int, passed_on: bool
) -> None:
    """The session starts all the same, and the caller is warned."""
    address = "https://kyc.example.com/".ljust(length, "x")
    async with _played() as (simulator, _, starter):
        started = await starter.begin(starts.request(return_address=address))
        held = simulator.held(started.session_id)
    assert held.return_url == (address if passed_on else None)
    assert (started.warnings == ()) is passed_on


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"reference": "a;b"}, "reference"),
        ({"reference": "x" * 101}, "reference"),
        ({"language": "english"}, "language"),
        ({"webhook_url": "https://kyc.example.com/" + "x" * 255}, "source"),
        ({"provider_params": {"web": {}}}, "provider_params.web"),
        ({"provider_params": {"callbackUrl": "x"}}, "provider_params.callbackUrl"),
        (
            {"provider_params": {"reportingCriteria": 7}},
            "provider_params.reportingCriteria",
        ),
    ],
)
async def test_what_jumio_would_refuse_is_refused_by_name(
    changes: dict[str, Any], field: str
) -> None:
    """Before anything is sent, and without a value."""
    settings = jumio.Settings.model_validate(_GIVEN)
    starter = start.SessionStarter("source", settings, clocks.SystemClock())
    with pytest.raises(errors.InvalidBeginRequest) as caught:
        starter.check(starts.request(**changes))
    assert list(caught.value.problems) == [field]
