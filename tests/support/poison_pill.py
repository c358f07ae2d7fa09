"""
Run a command of the worker in which one session's result is poison to the mapping.

    python -m tests.support.poison_pill (crash | kill) SESSION COMMAND …

``crash`` raises, ``kill`` ends the process with SIGKILL. The product knows nothing of
this: the adapter is wrapped from outside, in the child process alone.
"""

import os
import signal
import sys

from worker import cli, model
from worker.providers import biometric


def poison(how: str, session_id: str) -> None:
    """Let the mapping of *session_id* of Biometric raise, or end this process."""
    original = biometric.Adapter.interpret

    def interpret(
        adapter: biometric.Adapter,
        session: model.SessionKey,
        spelling: str,
        answer: model.ProviderResponse,
    ) -> model.Result:
        if session.session_id == session_id:
            if how == "kill":
                os.kill(os.getpid(), signal.SIGKILL)
            raise RecursionError
        return original(adapter, session, spelling, answer)

    vars(biometric)["Adapter"].interpret = interpret


if __name__ == "__main__":
    poison(sys.argv[1], sys.argv[2])
    sys.argv = [sys.argv[0], *sys.argv[3:]]
    cli.main()
