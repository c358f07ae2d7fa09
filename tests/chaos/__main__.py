"""Play seeds of chaos and print what each has shown: ``make chaos SEED= MINUTES=``."""

import asyncio
import collections
import pathlib
import sys
import tempfile

import click

from tests.chaos import trial


@click.command()
@click.option("--seed", default=1, show_default=True)
@click.option("--seeds", default=1, show_default=True, help="How many, from --seed on.")
@click.option("--minutes", default=3.0, show_default=True)
def main(seed: int, seeds: int, minutes: float) -> None:
    """Exit 1 where any promise is broken, with each session's history."""
    totals: collections.Counter[str] = collections.Counter()
    for one in range(seed, seed + seeds):
        with tempfile.TemporaryDirectory(prefix="kyc-chaos-") as folder:
            report = asyncio.run(trial.play(one, minutes * 60, pathlib.Path(folder)))
        hurt = ", ".join(f"{count} {what}" for what, count in report.hurt.items())
        click.echo(
            f"seed {one}: {report.callbacks} callbacks acknowledged, {report.sessions} "
            f"sessions, {report.decisions} decisions, survived {hurt}; settled after "
            f"{report.settled_s:.0f} s; dead letters {dict(report.dead)}; "
            f"{len(report.violations)} violations"
        )
        for sentence in report.violations[:20]:
            click.echo(f"  {sentence}")
        totals.update(report.hurt)
        totals["callbacks"] += report.callbacks
        totals["sessions"] += report.sessions
        totals["decisions"] += report.decisions
        totals["violations"] += len(report.violations)
    click.echo(", ".join(f"{count} {what}" for what, count in totals.items()))
    sys.exit(1 if totals["violations"] else 0)


if __name__ == "__main__":
    main()
