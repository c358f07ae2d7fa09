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
def test_callbacks_of_the_simulator_are_authentic(name: str, *, forged: bool) -> None:
    """A sample source accepts what its simulator signs, and refuses what is forged."""
    entry = providers.REGISTRY[name]
    table = {"environment": "test", **entry.sample_sources()[name]}
    settings = entry.settings_type.model_validate(table)
    adapter = entry.build(name, settings, clocks.SystemClock())
    of = ingress.IngressSource.from_settings(
        name,
        settings,
        adapter,
        scheme=entry.scheme(settings),
        body_key=entry.body_key,
    )
    account = simulators.Account(source=name, settings=settings)
    simulator = simulators.find(name).build(account)
    session_id = simulator.add(simulators.Scenario(bad_signature=forged))
    [*_, last] = simulator.callbacks(session_id)

    if forged:
        with pytest.raises(errors.AuthenticationError):
            authenticate.verify(of, _received(of, last))
        return
    verified = authenticate.verify(of, _received(of, last))
    normalised = adapter.normalise(verified.callback)

    assert verified.matches
    assert isinstance(normalised, model.WakeUp)
    assert normalised.session_id == adapter.canonical(session_id)
