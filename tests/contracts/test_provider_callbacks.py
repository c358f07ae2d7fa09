"""Callbacks of every simulator pass the authentication of a sample source."""

import pytest
import yarl

from worker import clock as clocks
from worker import errors, ingress, model, providers
from worker.devkit import simulators
from worker.ingress import authenticate

_NAMES = sorted(providers.REGISTRY)


def _received(
    of: ingress.IngressSource, sent: simulators.OutgoingCallback
) -> model.Callback:
    """Return *sent* as the ingress receives it."""
    url = yarl.URL(sent.path, encoded=True)
    _, _, _, *token = url.raw_parts
    return model.Callback(
        source=of.name,
        method=sent.method,
        headers=tuple(
            (key.lower(), value)
            for key, value in sent.headers.items()
            if key.lower() in of.headers
        ),
        body=sent.body,
        token=token[0] if token else None,
        query=dict(url.query),
        remote="127.0.0.1",
        received_at=clocks.SystemClock().now_ms(),
    )


@pytest.mark.parametrize("name", _NAMES)
@pytest.mark.parametrize("forged", [False, True])
async def test_callbacks_of_the_simulator_are_authentic(
    name: str, *, forged: bool
) -> None:
    """A sample source accepts what its simulator signs, and refuses what is forged."""
    entry = providers.REGISTRY[name]
    table = {"environment": "test", **entry.sample_sources()[name]}
    account = simulators.Account(
        source=name, settings=entry.settings_type.model_validate(table)
    )
    simulator = simulators.find(name).build(account)
    served = await simulators.serve(simulator)
    addresses = dict.fromkeys(simulators.find(name).addresses, served.base_url)
    settings = entry.settings_type.model_validate(table | addresses)
    adapter = entry.build(name, settings, clocks.SystemClock())
    of = ingress.IngressSource.from_settings(
        name,
        settings,
        adapter,
        scheme=entry.scheme(settings),
        body_key=entry.body_key,
        key_source=entry.keys(adapter),
    )
    session_id = simulator.add(simulators.Scenario(bad_signature=forged))
    [*_, last] = simulator.callbacks(session_id)

    received = _received(of, last)
    try:
        matches = authenticate.verify_head(of, received)
        keys = await authenticate.fetch_keys(of, received)
        verified = authenticate.verify_body(of, received, matches, keys)
    except errors.AuthenticationError:
        assert forged
        return
    finally:
        await adapter.close()
        await served.close()
    assert not forged
    normalised = adapter.normalise(verified.callback)

    assert verified.matches
    assert isinstance(normalised, model.WakeUp)
    assert normalised.session_id == adapter.canonical(session_id)
