"""Signed providers: session starter, adapter and simulator agree."""

import aiohttp
import pytest

from worker import clock as clocks
from worker import model, providers
from worker.devkit import simulators


@pytest.mark.parametrize("name", ["didit", "persona", "stripe", "sumsub", "veriff"])
async def test_a_started_session_is_approved_by_its_end_user(name: str) -> None:
    """Pending at first, then approved; the browser returns to the company."""
    entry = providers.REGISTRY[name]
    table = {"environment": "test", **entry.sample_sources()[name]}
    account = simulators.Account(
        source=name, settings=entry.settings_type.model_validate(table)
    )
    simulator = simulators.find(name).build(account)
    served = await simulators.serve(simulator)
    hosts = dict.fromkeys(simulator.addresses, served.base_url)
    settings = entry.settings_type.model_validate(table | hosts)
    clock = clocks.SystemClock()
    starter = entry.starter(name, settings, clock)
    adapter = entry.build(name, settings, clock)
    started = await starter.begin(
        model.BeginRequest(
            source=name,
            begin_id="b1",
            reference="order-17",
            mode=model.BeginMode.REDIRECT,
            return_address="https://kyc.example.com/return/ticket",
            provider_params=dict(entry.sample_start_parameters),
        )
    )
    key = model.SessionKey(name, started.session_id)

    async def result() -> model.Result:
        answer = await adapter.fetch(key, started.provider_session_id)
        return adapter.interpret(key, started.provider_session_id, answer)

    before = await result()
    assert started.url is not None
    async with (
        aiohttp.ClientSession() as browser,
        browser.post(
            started.url, data={"does": "approve"}, allow_redirects=False
        ) as left,
    ):
        location = left.headers["Location"]
    after = await result()
    await adapter.close()
    await starter.close()
    await served.close()

    assert before.verdict.outcome == "pending"
    assert before.reference in {None, "order-17"}  # Veriff has none before a decision
    assert (after.verdict.outcome, after.reference) == ("approved", "order-17")
    assert location.startswith("https://kyc.example.com/return/ticket")
