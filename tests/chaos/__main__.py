"""Play seeds of chaos and print what each has shown: ``make chaos SEED= MINUTES=``."""

import asyncio
import collections
import dataclasses
import pathlib
import shutil
import sys
import tempfile
import traceback
from collections.abc import Iterator

import click
import orjson

from tests.chaos import trial
from tests.support import without_fixes

_SHOWN = 20


@click.command()
@click.option("--seed", default=1, show_default=True)
@click.option("--seeds", default=1, show_default=True, help="How many, from --seed on.")
@click.option("--minutes", default=3.0, show_default=True)
@click.option(
    "--without",
    type=click.Choice(list(without_fixes.PROTECTIONS)),
    help="Take a protection out of every process: the run must notice.",
)
@click.option("--quiet", is_flag=True, help="Print the totals and what went wrong.")
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=pathlib.Path),
    default=pathlib.Path("build"),
    show_default=True,
    help="Where chaos.json goes, and the logs of seeds that went wrong.",
)
def main(
    seed: int,
    seeds: int,
    minutes: float,
    without: str | None,
    out: pathlib.Path,
    *,
    quiet: bool,
) -> None:
    """Exit 1 where any promise is broken, with each session's history."""
    out.mkdir(parents=True, exist_ok=True)
    reports: list[trial.Report] = []
    failures: list[str] = []
    for one in range(seed, seed + seeds):
        folder = pathlib.Path(tempfile.mkdtemp(prefix="kyc-chaos-"))
        good = False
        try:
            played = trial.play(one, minutes * 60, folder, without=without)
            report = asyncio.run(played)
        except Exception as error:  # noqa: BLE001 -- the next seed may still be played
            failures.append(f"seed {one}: {type(error).__name__}: {error}")
            click.echo(f"seed {one}: the trial itself failed\n{traceback.format_exc()}")
        else:
            reports.append(report)
            good = report.good
            if not good or not quiet:
                click.echo("\n".join(lines(report)))
        _keep(folder, out / f"chaos-{one}", wanted=not good)
        _write(out / "chaos.json", minutes, reports, failures)
    click.echo(_summary(totals(reports)))
    sys.exit(1 if failures or not all(each.good for each in reports) else 0)


def lines(report: trial.Report) -> Iterator[str]:
    """Yield a line for the seed, and what is broken with each session's history."""
    hurt = ", ".join(f"{count} {what}" for what, count in sorted(report.hurt.items()))
    yield (
        f"seed {report.seed}: {report.callbacks} callbacks acknowledged, "
        f"{report.sessions} sessions, {report.decisions} decisions, survived {hurt}; "
        f"settled after {report.settled_s:.0f} s; "
        f"dead letters {dict(report.dead_letters)}; "
        f"{len(report.violations)} violations"
    )
    yield from (f"  {each}" for each in report.ended)
    yield from (f"  {each}" for each in report.violations[:_SHOWN])
    if (more := len(report.violations) - _SHOWN) > 0:
        yield f"  … and {more} more, in chaos.json"


def totals(reports: list[trial.Report]) -> dict[str, int]:
    """Return what all seeds have shown together."""
    found: collections.Counter[str] = collections.Counter(seeds=len(reports))
    for each in reports:
        found.update(each.hurt)
        found["hurts"] += sum(each.hurt.values())
        found["callbacks acknowledged"] += each.callbacks
        found["sessions"] += each.sessions
        found["decisions"] += each.decisions
        found["dead letters"] += sum(each.dead_letters.values())
        found["violations"] += len(each.violations) + len(each.ended)
    return dict(found)


def _summary(found: dict[str, int]) -> str:
    return "total: " + ", ".join(f"{count} {what}" for what, count in found.items())


def _keep(folder: pathlib.Path, place: pathlib.Path, *, wanted: bool) -> None:
    """Keep the processes' logs where something went wrong, and only there."""
    shutil.rmtree(place, ignore_errors=True)
    if wanted:
        shutil.copytree(folder, place, ignore=shutil.ignore_patterns("*.toml"))
    shutil.rmtree(folder, ignore_errors=True)


def _write(
    path: pathlib.Path, minutes: float, reports: list[trial.Report], failures: list[str]
) -> None:
    """Write all there is so far: a long run may be ended before its last seed."""
    document = {
        "minutes": minutes,
        "seeds": [dataclasses.asdict(each) for each in reports],
        "failed": failures,
        "totals": totals(reports),
    }
    path.write_bytes(orjson.dumps(document, option=orjson.OPT_INDENT_2))


if __name__ == "__main__":
    main()
