"""The simulated iDenfy and our adapter understand each other."""

import contextlib
import urllib.parse
from collections.abc import AsyncIterator

import aiohttp
import orjson
import pytest

from tests.support import adapters, starts
from worker import clock as clocks
from worker import errors, model
from worker.devkit import simulators
from worker.devkit.simulators import idenfy as simulated
from worker.providers import idenfy
from worker.providers.idenfy import adapter as module
from worker.providers.idenfy import start

_KEY = "synthetic-signing-key"
_GIVEN = {
    "environment": "test",
    "api_key": "key",
    "api_secret": "secret",
    "hmac_secrets": [_KEY],
    "fetch_timeout": "200ms",
}


@contextlib.asynccontextmanager
async def _played(
    **wrong: str,
) -> AsyncIterator[tuple[simulated.Idenfy, idenfy.Adapter, start.SessionStarter]]:
    theirs = idenfy.Settings.model_validate(_GIVEN)
    simulator = simulated.Idenfy(simulators.Account(source="source", settings=theirs))
    served = await simulators.serve(simulator)
    hosts = {"base_url": served.base_url, "ui_url": served.base_url}
    ours = idenfy.Settings.model_validate(_GIVEN | hosts | wrong)
    adapter = idenfy.Adapter("source", ours, clocks.SystemClock())
    starter = start.SessionStarter("source", ours, clocks.SystemClock())
    yield simulator, adapter, starter
    await adapter.close()
    await starter.close()
    await served.close()


async def _result(
    adapter: idenfy.Adapter, session_id: str
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


async def test_wrong_credentials_and_unknown_sessions_are_told_apart() -> None:
    """One is the account's affair, the other the session's."""
    async with _played() as (simulator, adapter, _):
        denied = simulator.add(simulators.Scenario(denied=True))
        results = [await _result(adapter, one) for one in (denied, adapters.UUID)]
    assert [type(result) for result in results] == [errors.SessionNotFound] * 2
    async with _played(api_secret="another") as (simulator, adapter, _):
        result = await _result(adapter, simulator.add(simulators.Scenario()))
    assert type(result) is errors.ProviderAuthFailed


@pytest.mark.parametrize("forged", [False, True])
async def test_callbacks_are_signed_and_wake(*, forged: bool) -> None:
    """A preliminary one and the last; a forged one fails the signature."""
    async with _played() as (simulator, adapter, _):
        scenario = simulators.Scenario(pending_first=1, bad_signature=forged)
        session_id = simulator.add(scenario)
        callbacks = simulator.callbacks(session_id)

    assert len(callbacks) == 2
    for callback, final in zip(callbacks, ("false", "true"), strict=True):
        wake = adapter.normalise(adapters.callback(orjson.loads(callback.body)))
        assert isinstance(wake, model.WakeUp)
        assert wake.session_id == session_id
        assert wake.claim["final"] == final
        shown = [callback.headers["Idenfy-Signature"]]
        if forged:
            with pytest.raises(errors.AuthenticationError):
                module.SIGNATURE.match([_KEY.encode()], shown, callback.body)
        else:
            assert module.SIGNATURE.match([_KEY.encode()], shown, callback.body) == 0


async def test_a_started_session_is_finished_on_its_page() -> None:
    """The token opens the page, which redirects to our address at its end."""
    async with (
        _played() as (simulator, adapter, starter),
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
        wrong = f"{urllib.parse.urljoin(started.url, '/')}?authToken=another"
        async with http.get(wrong) as response:
            status = response.status

    assert isinstance(before, model.Result)
    assert before.verdict.reason is model.Reason.IN_PROGRESS
    assert isinstance(after, model.Result)
    assert after.verdict.outcome is model.Outcome.APPROVED
    assert after.reference == "customer-17"
    assert location == "https://kyc.example.com/return/source/ticket"
    assert status == 404
    assert simulator.held(started.session_id).reference == "customer-17"
