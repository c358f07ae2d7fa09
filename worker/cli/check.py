"""Check before anything starts: ``check`` the configuration, ``topics`` in Kafka."""

import click

from worker import errors, settings
from worker.app import sources
from worker.cli import _common
from worker.kafka import topics as in_kafka


@click.command()
@_common.config_option
@click.option(
    "--process",
    "role",
    type=click.Choice(["ingress", "worker", "api", "operator"]),
    help="Read only the secrets that this process reads; else all of them.",
)
def check(config: str | None, role: str | None) -> None:
    """
    Check the configuration: print every problem at once, and exit 2 if there is one.

    Reads the file, the environment and the secrets that they name; connects to
    nothing.
    """
    loaded = _common.load(config, settings.Role(role or settings.Role.ALL))
    for warning in sources.warnings(loaded):
        click.echo(f"warning: {warning}", err=True)
    names = ", ".join(loaded.sources) or "none"
    click.echo(f"The configuration is good; sources: {names}.")


@click.command()
@_common.config_option
@click.option("--check", "only_check", is_flag=True, help="Create nothing.")
def topics(config: str | None, *, only_check: bool) -> None:
    """
    Create the topics that are missing, with the right settings, and check them all.

    Idempotent. What exists is left as it is: each difference is one sentence, and
    exit 1.
    """
    _common.run(_topics(config, only_check=only_check))


async def _topics(config: str | None, *, only_check: bool) -> None:
    loaded = _common.load(config, settings.Role.OPERATOR)
    created = [] if only_check else await in_kafka.create(loaded.kafka)
    for name in created:
        click.echo(f"created {name}")
    try:
        await in_kafka.check(
            loaded.kafka, session_retention_ms=loaded.ledger.session_retention
        )
    except errors.TopicMismatch as error:
        for problem in error.problems:
            click.echo(problem, err=True)
        raise click.ClickException("the topics differ from the configuration") from None
    click.echo("The topics are as they must be.")
