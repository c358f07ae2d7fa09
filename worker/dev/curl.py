"""Make a callback of id beyond that anyone can send by hand."""

import shlex

from worker import simulators
from worker.simulators import Scenario


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
