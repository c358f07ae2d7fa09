"""Write docs/operations/metrics.md: ``python -m tests.support.metrics_page``."""

import enum
import pathlib
from collections.abc import Iterator

from worker.telemetry import metric_defs, metric_types

PAGE = pathlib.Path(__file__).parents[2] / "docs" / "operations" / "metrics.md"
_START, _END = "<!-- metrics -->\n", "<!-- end -->\n"


def rewritten(text: str) -> str:
    """Return the page *text* with its generated part as the code has it."""
    before, _, rest = text.partition(_START)
    _, _, after = rest.partition(_END)
    metrics = sorted(metric_defs.CATALOGUE, key=lambda metric: metric.name)
    lines = "\n".join([*_metrics(metrics), "", *_values(metrics)])
    return f"{before}{_START}\n{lines}\n\n{_END}{after}"


def _metrics(metrics: list[metric_types.AnyMetric]) -> Iterator[str]:
    yield "| metric | type | labels | meaning |"
    yield "| --- | --- | --- | --- |"
    for metric in metrics:
        labels = ", ".join(f"`{name}`" for name in metric.labels)
        yield f"| `{metric.name}` | {metric.kind} | {labels} | {metric.text} |"


def _values(metrics: list[metric_types.AnyMetric]) -> Iterator[str]:
    yield "## Label values"
    yield ""
    yield "| label | metrics | values |"
    yield "| --- | --- | --- |"
    found: dict[tuple[str, str], list[str]] = {}
    for metric in metrics:
        for label, domain in metric.labels.items():
            values = "the configured sources, and `unknown`"
            if issubclass(domain, enum.StrEnum):
                values = ", ".join(f"`{value}`" for value in domain)
            found.setdefault((label, values), []).append(f"`{metric.name}`")
    for (label, values), names in sorted(found.items()):
        of = "every metric with this label" if label == "source" else ", ".join(names)
        yield f"| `{label}` | {of} | {values} |"


if __name__ == "__main__":
    PAGE.write_text(rewritten(PAGE.read_text()))
