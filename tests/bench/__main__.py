"""
Measure the product against the floor that its parts set, in one run.

Prints a table and writes JSON. A missed goal is shown as "missed" and is no error (exit
0), unless --strict says so; a figure whose records do not add up in Kafka is (exit 1).
"""

import argparse
import asyncio
import logging
import pathlib
import sys
import tempfile
import time

from tests.bench import environment, figures, groups

_GROUP_S = 300.0


async def _run(only: str | None) -> tuple[list[figures.Figure], list[str]]:
    found: list[figures.Figure] = []
    problems: list[str] = []
    with tempfile.TemporaryDirectory(prefix="kyc-bench-") as folder:
        async with environment.broker_for(pathlib.Path(folder)) as on:
            for name, measure in groups.GROUPS.items():
                if only not in (None, name):
                    continue
                begun = time.monotonic()
                try:
                    async with asyncio.timeout(_GROUP_S):
                        found += await measure(on)
                except TimeoutError:
                    problems.append(f"{name}: took longer than {_GROUP_S:.0f} s")
                except figures.Untrue as error:
                    problems.append(f"{name}: {error}")
                took = time.monotonic() - begun
                print(f"measured {name} in {took:.0f} s", file=sys.stderr)  # noqa: T201 -- progress
    return found, problems


def main() -> None:
    """Measure what the arguments name."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--only", choices=groups.GROUPS, help="one group of figures")
    parser.add_argument("--json", type=pathlib.Path, default="build/bench.json")
    parser.add_argument(
        "--strict",
        type=float,
        metavar="N",
        help="exit 1 where a ratio of CPU times misses its goal by more than N times",
    )
    given = parser.parse_args()
    # A topic that was just made has no leader yet: aiokafka asks again, and says so.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    before = figures.machine()
    found, problems = asyncio.run(_run(given.only))
    figures.show(found)
    figures.write(given.json, found, problems, before)
    if given.strict is not None:
        ratios = [each for each in found if each.cpu_ratio]
        bad = [each.what for each in ratios if not each.met(given.strict)]
        problems += [f"beyond {given.strict:g} times its goal: {each}" for each in bad]
    sys.exit("\n".join(f"bench: {each}" for each in problems) or 0)


if __name__ == "__main__":
    main()
