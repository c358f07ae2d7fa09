"""List the supported providers: ``providers``."""

import click

from worker import providers
from worker.cli import _common
from worker.settings import sources

_HEAD = ("provider", "callbacks by default", "signature", "session start")


@click.command("providers")
@click.option(
    "--output",
    type=click.Choice(["table", "json"]),
    default="table",
    show_default=True,
    help="Columns for people, or a JSON line for each provider.",
)
def providers_command(output: str) -> None:
    """
    List the supported providers: how callbacks are authenticated, and what is offered.

    Results are fetched from every provider; docs/providers has a page for each, with
    its tables and the source of each fact.
    """
    rows = [_row(entry) for entry in providers.REGISTRY.values()]
    if output == "json":
        for row in rows:
            _common.json_line(
                {
                    "provider": row[0],
                    "authenticate": row[1].split(", "),
                    "signature": row[2] if row[2] != "none" else None,
                    "session_start": row[3] == "yes",
                }
            )
        return
    widths = [max(map(len, column)) for column in zip(_HEAD, *rows, strict=True)]
    for row in (_HEAD, *rows):
        cells = (text.ljust(width) for text, width in zip(row, widths, strict=True))
        click.echo("  ".join(cells).rstrip())


def _row(entry: providers.ProviderEntry) -> tuple[str, str, str, str]:
    """Return the cells of a provider."""
    table = {"environment": "test", **entry.sample_settings()}
    settings: sources.Source = entry.settings_type.model_validate(table)
    scheme = entry.scheme(settings)
    header = "none" if scheme is None else scheme.headers[0]
    start = "no" if entry.build_starter is None else "yes"
    return entry.name, ", ".join(settings.default_authenticate), header, start
