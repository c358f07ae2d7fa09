"""Print what was expected, what was seen, and how the two compare."""

import sys
from collections.abc import Sequence

from worker.devkit.dev import cases, console, scenario_run

_PLAIN_WIDTH = 160


def show(played: Sequence[scenario_run.ScenarioResult], screen: console.Console) -> int:
    """Print the table to stdout; return how many cases are not as expected."""
    # Slow to import, and of no use to whoever only runs.
    import rich.box  # noqa: PLC0415 -- see above
    import rich.console  # noqa: PLC0415 -- see above
    import rich.table  # noqa: PLC0415 -- see above

    arrow = " → " if _speaks_unicode() else " -> "
    table = rich.table.Table(
        box=rich.box.ROUNDED if screen.colour else rich.box.ASCII2, title_justify="left"
    )
    for name in ("provider", "scenario", "expected", "actual"):
        table.add_column(name, no_wrap=not screen.people)
    table.add_column("ms", justify="right")
    table.add_column("ok")
    failed = 0
    for each in played:
        problems = each.problems()
        failed += bool(problems)
        table.add_row(*row(each, problems, arrow), _ok(problems, screen))
    # A pipe has no width: nothing is to be cut off for want of one.
    width = None if screen.people else _PLAIN_WIDTH
    console = rich.console.Console(
        file=sys.stdout, width=width, no_color=not screen.colour, highlight=False
    )
    console.print(table)
    return failed


def row(
    played: scenario_run.ScenarioResult, problems: Sequence[str], arrow: str
) -> list[str]:
    """Return a case's cells, the last one left out."""
    case, took = played.case, played.took_ms
    actual = history(played.steps, sorted(set(played.answers)), arrow)
    if problems:
        actual += f" ({'; '.join(problems)})"
    return [
        case.source,
        case.name,
        history(case.expected, [case.answer], arrow),
        actual,
        "-" if took is None else str(took),
    ]


def history(steps: Sequence[cases.Step], answers: Sequence[int], arrow: str) -> str:
    """Return revisions as one text; refusals stand before it."""
    refused = [str(status) for status in answers if status >= 300]  # noqa: PLR2004 -- HTTP
    outcome = arrow.join(map(_word, steps)) or "no decision"
    return ", ".join([*refused, outcome])


def _word(step: cases.Step) -> str:
    """Return a step; what else than verified would an approval say."""
    approved = step.outcome == "approved"
    return str(step.outcome) if approved else f"{step.outcome}({step.reason})"


def _ok(problems: Sequence[str], screen: console.Console) -> str:
    if not screen.colour:
        return "NO" if problems else "ok"
    return "[bold red]✘[/]" if problems else "[green]✔[/]"


def _speaks_unicode() -> bool:
    return (sys.stdout.encoding or "").lower().startswith("utf")
