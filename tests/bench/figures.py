"""Hold what a benchmark found, and say whether it is good enough."""

import dataclasses
import pathlib
import platform
from collections.abc import Sequence
from importlib import metadata

import orjson
import psutil
import rich.box
import rich.console
import rich.table

import worker
from worker import clock

_PACKAGES = ("aiohttp", "aiokafka", "orjson", "uvloop")
_TIMES = " \N{MULTIPLICATION SIGN}"
_CPU_INFO = pathlib.Path("/proc/cpuinfo")


class Untrue(Exception):
    """A figure whose records do not add up, or that could not be measured at all."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """
    One measured figure, and what it is held against.

    *value* is compared with *goal*: at most it, or at least it where *at_least*. With a
    *floor* the compared value is *value* over *floor*.
    """

    name: str
    what: str
    unit: str
    value: float
    goal: float
    floor: float | None = None
    #: what the chosen parts cost when they do the same with nothing of ours
    parts: float | None = None
    at_least: bool = False
    #: compares CPU times with CPU times: what a busy machine hardly changes
    cpu_ratio: bool = False
    #: what else is worth knowing: counts, percentiles, every round
    details: dict[str, object] = dataclasses.field(default_factory=dict)

    @property
    def compared(self) -> float:
        """Return what is held against the goal."""
        return self.value if self.floor is None else self.value / self.floor

    def met(self, slack: float = 1.0) -> bool:
        """Return whether the goal is met, or missed by no more than *slack* times."""
        if self.at_least:
            return self.compared * slack >= self.goal
        return self.compared <= self.goal * slack


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value below which *share* of *values* lie."""
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)]


def machine() -> dict[str, object]:
    """Return what the figures depend on."""
    return {
        "system": f"{platform.system()} {platform.machine()}",
        "cores": psutil.cpu_count(),
        "cpu": _cpu_model(),
        "memory_gb": round(psutil.virtual_memory().total / 2**30),
        # Above the number of cores others were at work, and times are worth little.
        "load": [round(each, 1) for each in psutil.getloadavg()],
    }


def _cpu_model() -> str:
    """Return the processor's name, as far as the system tells one."""
    if _CPU_INFO.exists():
        for line in _CPU_INFO.read_text().splitlines():
            name, _, value = line.partition(":")
            if name.strip() == "model name":
                return value.strip()
    return platform.processor() or "unknown"


def versions() -> dict[str, str]:
    """Return what was measured: the project, Python, and the parts it stands on."""
    found = {"kyc-worker": worker.__version__, "python": platform.python_version()}
    for name in _PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = "absent"
    return found


def write(
    path: pathlib.Path,
    found: Sequence[Figure],
    problems: Sequence[str],
    before: dict[str, object],
) -> None:
    """Write everything to *path* as JSON; *before* is the machine as it was found."""
    result = [
        dataclasses.asdict(figure) | {"ratio": figure.compared, "met": figure.met()}
        for figure in found
    ]
    document = {
        "date": clock.format_rfc3339(clock.SystemClock().now_ms()),
        "machine": before,
        "versions": versions(),
        "figures": result,
        "errors": list(problems),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(orjson.dumps(document, option=orjson.OPT_INDENT_2) + b"\n")


def show(found: Sequence[Figure]) -> None:
    """Print the table."""
    table = rich.table.Table(box=rich.box.SIMPLE_HEAD, pad_edge=False)
    for title in ("figure", "measured", "parts", "floor", "compared", "goal", ""):
        table.add_column(title, justify="left" if title == "figure" else "right")
    for each in found:
        sign, times = (
            "≥" if each.at_least else "≤",
            "" if each.floor is None else _TIMES,
        )
        result = each.unit if each.floor is None else ""
        table.add_row(
            each.what,
            _number(each.value, each.unit),
            "" if each.parts is None else _number(each.parts, each.unit),
            "" if each.floor is None else _number(each.floor, each.unit),
            "" if each.floor is None else f"{each.compared:,.2f}{_TIMES}",
            f"{sign} {_number(each.goal, result)}{times}",
            "met" if each.met() else "[bold]missed[/bold]",
        )
    # Wide enough for the widest row: a pipe has no width of its own.
    console = rich.console.Console()
    console.width = max(console.width, 140)
    console.print(table)


def _number(value: float, unit: str) -> str:
    """Return *value* with three digits that count, and its *unit*."""
    digits = f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
    return f"{digits} {unit}".rstrip()
