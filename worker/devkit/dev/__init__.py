"""Start everything with one command: Kafka, providers, ingress, workers, traffic."""

import signal
import sys

from worker.devkit.dev.environment import Options

__all__ = ["Options", "run"]


def run(options: Options) -> int:
    """
    Run until SIGINT or SIGTERM, or with ``once`` until every scenario is played.

    Returns the exit code: 0, or 1 where something did not go as it must; the
    sentence that says why is on stderr. Raises errors.ConfigurationError.
    """
    # Nothing runs yet that would have to be ended.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda _number, _frame: sys.exit(0))
    # What all of this needs is no business of the services, which share the command.
    from worker.devkit.dev import command  # noqa: PLC0415 -- see above

    return command.run(options)
