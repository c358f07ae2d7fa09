"""Make requests that anyone can send by hand: a callback, and a begin."""

import shlex

import orjson

from worker.devkit import simulators
from worker.devkit.dev import environment as staging
from worker.devkit.dev import session_starts
from worker.devkit.simulators import Scenario


def line(simulator: simulators.Simulator, url: str) -> str:
    """
    Return a command that sends a correctly signed approval of a new session.

    It holds a signature and no secret. Sent twice, it is one decision all the same.
    """
    session_id = simulator.add(Scenario())
    callback = simulator.callbacks(session_id)[-1]
    words = ["curl", "-sS", "-X", callback.method, url + callback.path]
    for name, value in callback.headers.items():
        words += ["-H", f"{name}: {value}"]
    return shlex.join([*words, "--data-raw", callback.body.decode()])


def begin(stage: staging.DevEnvironment, source: str) -> str:
    """Return a command that begins a session of *source*; it holds a key of ``dev``."""
    document = session_starts.document(source, "customer-1")
    words = ["curl", "-sS", "-X", "POST", f"{stage.api_url}/sessions/{source}"]
    words += ["-H", f"Authorization: Bearer {stage.company.api_key}"]
    return shlex.join([*words, "--data-raw", orjson.dumps(document).decode()])
