"""Print the webhook URL to configure at a provider: ``url``."""

import click

from worker import clock as clocks
from worker import settings
from worker.app import sources
from worker.cli import _common


@click.command()
@click.argument("source")
@_common.config_option
@click.option("--reveal", is_flag=True, help="Allow output of the secret to a pipe.")
def url(source: str, config: str | None, *, reveal: bool) -> None:
    """
    Print the webhook URL of SOURCE, to configure at the provider.

    With signed_url the last segment is a secret, which the first of url_secrets
    derives: treat the URL like a password.
    """
    loaded = _common.load(config, settings.Role.URL)
    built = sources.build_sources(loaded, clocks.SystemClock())
    found = sources.find(built, source).settings
    secret = "signed_url" in found.authenticators
    if secret and not (reveal or _common.is_terminal()):
        raise click.ClickException(
            "the URL contains a secret: use --reveal to write it to a pipe"
        )
    click.echo(sources.webhook_url(loaded, source))
