"""
Print the figures of scale, with an embedded broker of their own.

    python -m tests.scale restore --sessions 1000000 --version 2
    python -m tests.scale isolation --callbacks 2000
"""

import argparse
import asyncio
import sys

from tests.scale import figures


def main() -> None:
    """Measure what is asked for, and print it."""
    parser = argparse.ArgumentParser(prog="python -m tests.scale")
    commands = parser.add_subparsers(dest="command", required=True)
    restore = commands.add_parser("restore", help="a ledger with history, read back")
    restore.add_argument("--sessions", type=int, default=1_000_000)
    restore.add_argument("--version", type=int, choices=(1, 2), default=2)
    restore.add_argument("--rounds", type=int, default=3, help="the best one counts")
    asked = parser.parse_args()
    found = asyncio.run(figures.measure(asked.sessions, asked.version, asked.rounds))
    sys.stdout.write("\n".join(figures.lines(found)) + "\n")


if __name__ == "__main__":
    main()
