"""
Run a command of the worker as a release would that knows version 1 of the ledger only.

    python -m tests.support.older COMMAND …

The product knows nothing of this: what it has learned since is taken away from
outside, in the child process alone.
"""

from worker import cli
from worker.codec import ledger_compact, ledger_records


def forget() -> None:
    """Let this process know nothing of version 2."""
    vars(ledger_compact)["VERSION"] = 0
    vars(ledger_records)["_COMPACT_ENDED"] = b"never"


if __name__ == "__main__":
    forget()
    cli.main()
