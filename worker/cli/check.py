"""Check before a start: ``check`` the configuration, ``topics`` in Kafka."""

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
    help="Read only the secrets of this process instead of all.",
)
def check(config: str | None, role: str | None) -> None:
    """
    Check the configuration: print all problems, and exit with 2 if there are any.

    Reads the file, the environment and the secrets that they name. Opens no
    connections.
    """
    loaded = _common.load(config, settings.Role(role or settings.Role.ALL))
    for warning in sources.warnings(loaded):
        click.echo(f"warning: {warning}", err=True)
    names = ", ".join(loaded.sources) or "none"
    click.echo(f"The configuration is valid; sources: {names}.")


@click.command()
@_common.config_option
@click.option("--check", "only_check", is_flag=True, help="Check only; create nothing.")
def topics(config: str | None, *, only_check: bool) -> None:
    """
    Create missing topics with the configured settings, and check all topics.

    Idempotent. Existing topics are not changed: the command prints each difference and
    exits with 1.
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
    click.echo("The topics match the configuration.")
