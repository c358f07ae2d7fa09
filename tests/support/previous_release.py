"""
Run a command of the worker as a release would that knows version 1 of the ledger only.

    python -m tests.support.previous_release COMMAND …

The product knows nothing of this: what it has learned since is taken away from
outside, in the child process alone.
"""

from worker import cli
from worker.codec import ledger_v1, ledger_v2


def forget() -> None:
    """Let this process know nothing of version 2."""
    vars(ledger_v2)["VERSION"] = 0
    vars(ledger_v1)["_COMPACT_ENDED"] = b"never"


if __name__ == "__main__":
    forget()
    cli.main()
