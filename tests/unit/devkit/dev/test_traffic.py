"""Sample callbacks are what the providers send, and a person may send one, too."""

import random
import shlex
from collections.abc import Mapping

import orjson
import pytest

from worker import model, settings, signing
from worker.devkit import simulators
from worker.devkit.dev import curl, sample_config, traffic

_SCHEME = signing.BodyHmac("X-Verification-Signature")


@pytest.mark.parametrize("source", sample_config.names())
def test_every_sample_session_ends(
    source: str, playing: Mapping[str, simulators.Simulator]
) -> None:
    """Nothing stays pending for ever, or there would be more and more to poll."""
    chance = random.Random(1)
    ends = set()
    for _ in range(200):
        simulator = playing[source]
        truth = simulator.truth(simulator.add(traffic.course(source, chance)))
        assert truth is not None
        ends.add(truth.outcome)
        assert truth.heard
    assert {model.Outcome.APPROVED, model.Outcome.REJECTED} == ends


def test_the_curl_line_is_signed_as_id_beyond_signs(
    playing: Mapping[str, simulators.Simulator], config: settings.Settings
) -> None:
    """A shell's words are the request; the signature is over the very bytes."""
    line = curl.line(playing[sample_config.SIGNED], "http://127.0.0.1:8080")
    words = shlex.split(line)
    assert "http://127.0.0.1:8080/webhooks/idbeyond" in words
    [signature] = [
        word.partition(": ")[2] for word in words if word.startswith(_SCHEME.header)
    ]
    body = words[-1].encode()
    secret = config.sources[sample_config.SIGNED].hmac_secrets[0]
    assert _SCHEME.match([secret.key()], [signature], body) == 0
    assert orjson.loads(body)["decision"] == "approved"
    assert secret.reveal() not in line
