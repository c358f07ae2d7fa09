"""A made-up provider, end to end without Kafka: callback, fetch, verdict."""

import pytest

from tests.support.providers import acme
from tests.support.providers.acme import simulator as acme_simulator
from tests.unit.ingress import conftest, support
from worker import clock as clocks
from worker import errors, ingress, model
from worker.devkit import simulators


@pytest.mark.parametrize("digest", ["sha256", "sha512"])
async def test_a_signed_callback_leads_to_the_verdict(
    serve: conftest.Serve, digest: str
) -> None:
    """The simulator's callback is authentic, and its check is fetched and mapped."""
    given = {"provider": "acme", "environment": "test", "digest": digest}
    given |= acme.ENTRY.sample_settings()
    account = simulators.Account(
        source="acme", settings=acme.ENTRY.settings_type.model_validate(given)
    )
    simulator = acme_simulator.ENTRY.build(account)
    played = await simulators.serve(simulator)
    settings = acme.ENTRY.settings_type.model_validate(
        given | {"base_url": played.base_url}
    )
    adapter = acme.ENTRY.build("acme", settings, clocks.SystemClock())
    try:
        served = await serve(
            ingress.IngressSource.from_settings(
                "acme", settings, adapter, scheme=acme.ENTRY.scheme(settings)
            )
        )
        url = f"http://127.0.0.1:{served.port}"
        forged = simulator.add(simulators.Scenario(bad_signature=True))
        session_id = simulator.add(simulators.Scenario(), reference="customer-1")

        assert await simulators.deliver(simulator.callbacks(forged), url) == [401]
        assert await simulators.deliver(simulator.callbacks(session_id), url) == [200]
        [event] = served.sink.events
        key = model.SessionKey("acme", str(event.session_id))
        answer = await adapter.fetch(key, str(event.provider_session_id))
        result = adapter.interpret(key, session_id, answer)
    finally:
        await adapter.close()
        await played.close()

    assert result.verdict.outcome is model.Outcome.APPROVED
    assert result.reference == "customer-1"


async def test_a_session_cannot_be_started() -> None:
    """Without a session start, every request is refused with a sentence."""
    given = {"provider": "acme", "environment": "test"} | acme.ENTRY.sample_settings()
    settings = acme.ENTRY.settings_type.model_validate(given)
    starter = acme.ENTRY.starter("acme", settings, support.Clock())
    request = model.BeginRequest(
        source="acme",
        begin_id="b",
        reference="customer-1",
        mode=model.BeginMode.REDIRECT,
        return_address="https://kyc.example.com/",
    )

    assert starter.predict_session_id("b") is None
    with pytest.raises(errors.InvalidBeginRequest) as caught:
        starter.check(request)
    with pytest.raises(errors.InvalidBeginRequest):
        await starter.begin(request)
    await starter.close()

    assert caught.value.problems == {
        "source": "sessions of provider acme cannot be started here; register them"
    }
