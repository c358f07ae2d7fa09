"""
Run a command of the worker without one protection, to see that the tests notice.

    python -m tests.support.without_fixes PROTECTION COMMAND …

The product knows nothing of this: the protection is taken out from outside, in the
child process alone.
"""

import sys
from collections.abc import Callable

from worker import cli
from worker.kafka import aiokafka_patches


def _reuse_producers() -> None:
    """Use a producer again although an EndTxn request was not answered."""

    def ignore(_watch: object, _value: bool) -> None:  # noqa: FBT001 -- a setter
        return

    aiokafka_patches.EndTxnMonitor.unanswered = property(lambda _: False, ignore)  # type: ignore[assignment] # -- that is the point


#: how each protection is taken out, by its name
PROTECTIONS: dict[str, Callable[[], None]] = {"retired-producers": _reuse_producers}


if __name__ == "__main__":
    PROTECTIONS[sys.argv[1]]()
    sys.argv = [sys.argv[0], *sys.argv[2:]]
    cli.main()
