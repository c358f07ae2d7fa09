"""
Print the figures of scale, with an embedded broker of their own.

    python -m tests.scale restore --sessions 1000000 --version 2
    python -m tests.scale isolation --callbacks 2000
    python -m tests.scale slow --connections 10000 --callbacks 2000
    python -m tests.scale leaked-url --sessions 1000000
"""

import argparse
import asyncio
import pathlib
import sys
import tempfile

from tests.scale import figures, isolation, leaked, slow
from worker.devkit import broker

_BLOCK = 200


def main() -> None:
    """Measure what is asked for, and print it."""
    parser = argparse.ArgumentParser(prog="python -m tests.scale")
    commands = parser.add_subparsers(dest="command", required=True)
    restore = commands.add_parser("restore", help="a ledger with history, read back")
    restore.add_argument("--sessions", type=int, default=1_000_000)
    restore.add_argument("--version", type=int, choices=(1, 2), default=2)
    restore.add_argument("--rounds", type=int, default=3, help="the best one counts")
    parted = commands.add_parser("isolation", help="one source beside three ill ones")
    parted.add_argument("--callbacks", type=int, default=2_000, help="of each kind")
    slowly = commands.add_parser("slow", help="callbacks beside slow connections")
    slowly.add_argument("--connections", type=int, default=10_000)
    slowly.add_argument("--callbacks", type=int, default=2_000)
    slowly.add_argument("--max-connections", type=int, default=4_000)
    url = commands.add_parser("leaked-url", help="inventions of who has a URL")
    url.add_argument("--sessions", type=int, default=1_000_000)
    url.add_argument("--callbacks", type=int, default=2_000, help="of another source")
    url.add_argument("--limit", help="the leaked source's callback_rate_limit")
    asked = parser.parse_args()
    if asked.command == "restore":
        measuring = figures.measure(asked.sessions, asked.version, asked.rounds)
        report = figures.lines(asyncio.run(measuring))
    elif asked.command == "slow":
        slow_plan = slow.Plan(
            connections=asked.connections,
            callbacks=asked.callbacks,
            max_connections=asked.max_connections,
        )
        report = slow.lines(asyncio.run(slow.measure(slow_plan)))
    elif asked.command == "leaked-url":
        report = asyncio.run(_leaked_url(asked.sessions, asked.callbacks, asked.limit))
    else:
        report = asyncio.run(_isolation(asked.callbacks))
    sys.stdout.write("\n".join(report) + "\n")


async def _isolation(callbacks: int) -> list[str]:
    pairs = max(1, callbacks // _BLOCK)
    plan = isolation.Plan(pairs=pairs, callbacks=callbacks // pairs)
    with tempfile.TemporaryDirectory(prefix="kyc-scale-") as folder:
        async with broker.Cluster(fast_start=False) as cluster:
            servers = cluster.bootstrap_servers
            found = await isolation.measure(servers, "kyc", pathlib.Path(folder), plan)
    return isolation.lines(found)


async def _leaked_url(sessions: int, callbacks: int, limit: str | None) -> list[str]:
    plan = leaked.Plan(invented=sessions, callbacks=callbacks, limit=limit)
    with tempfile.TemporaryDirectory(prefix="kyc-scale-") as folder:
        async with broker.Cluster(fast_start=False) as cluster:
            servers = cluster.bootstrap_servers
            found = await leaked.measure(servers, "kyc", pathlib.Path(folder), plan)
    return leaked.lines(found)


if __name__ == "__main__":
    main()
