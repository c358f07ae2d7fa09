"""
Run a command of the worker that ends itself with SIGKILL at a named point.

    python -m tests.support.crash_points POINT NTH COMMAND …

The product knows nothing of this: the points are wrapped from outside, in the child
process alone.
"""

import asyncio
import functools
import os
import signal
import sys
from collections.abc import Callable
from typing import Any

import aiokafka

from worker import cli
from worker.api import service
from worker.kafka import begin_log, event_producer, ledger_partition, partition_runner
from worker.pipeline import fetcher, intake

#: name: (class, method, whether the end comes after the call)
POINTS: dict[str, tuple[type, str, bool]] = {
    "take": (intake.Intake, "handle", True),
    "fetch": (fetcher.Fetcher, "_fetch", True),
    "begin": (aiokafka.AIOKafkaProducer, "begin_transaction", True),
    "send": (ledger_partition.LedgerPartition, "_send_all", True),
    "before_commit": (aiokafka.AIOKafkaProducer, "commit_transaction", False),
    "after_commit": (aiokafka.AIOKafkaProducer, "commit_transaction", True),
    "before_fencing": (ledger_partition.LedgerPartition, "fence", False),
    "after_fencing": (ledger_partition.LedgerPartition, "fence", True),
    "restored": (ledger_partition.LedgerPartition, "restore", True),
    "revoked": (partition_runner.PartitionRunner, "revoked", True),
    "before_publication": (event_producer.EventProducer, "publish", False),
    "after_publication": (event_producer.EventProducer, "publish", True),
}
#: the same for the api: between what is written, asked and told
BEGIN_POINTS: dict[str, tuple[type, str, bool]] = {
    "intended": (begin_log.BeginLog, "record_intent", True),
    "begun": (service.Service, "_call", True),
    "registered": (service.Service, "_publish_registration", True),
    "ended": (service.Service, "_note", True),
}


def end_at(point: str, nth: int) -> None:
    """Let this process end itself at the *nth* passage of *point*."""
    owner, name, after = (POINTS | BEGIN_POINTS)[point]
    original: Callable[..., Any] = getattr(owner, name)
    passed = 0

    def pass_by() -> None:
        nonlocal passed
        passed += 1
        if passed == nth:
            os.kill(os.getpid(), signal.SIGKILL)

    @functools.wraps(original)
    async def awaited(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 -- any method
        if not after:
            pass_by()
        result = await original(*args, **kwargs)
        if after:
            pass_by()
        return result

    @functools.wraps(original)
    def called(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 -- any method
        result = original(*args, **kwargs)
        pass_by()
        return result

    setattr(owner, name, awaited if asyncio.iscoroutinefunction(original) else called)


if __name__ == "__main__":
    end_at(sys.argv[1], int(sys.argv[2]))
    sys.argv = [sys.argv[0], *sys.argv[3:]]
    cli.main()
