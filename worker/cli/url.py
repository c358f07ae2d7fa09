"""Print the address to paste at a provider: ``url``."""

import click

from worker import clock as clocks
from worker import settings
from worker.app import sources
from worker.cli import _common


@click.command()
@click.argument("source")
@_common.config_option
@click.option("--reveal", is_flag=True, help="Print it on a pipe, secret and all.")
def url(source: str, config: str | None, *, reveal: bool) -> None:
    """
    Print the webhook URL of SOURCE, to paste at the provider.

    With signed_url its last segment proves knowledge of the URL: keep it as you keep
    a password. The first of url_secrets makes it.
    """
    loaded = _common.load(config, settings.Role.URL)
    built = sources.build_sources(loaded, clocks.SystemClock())
    found = sources.find(built, source).settings
    secret = "signed_url" in found.authenticators
    if secret and not (reveal or _common.is_terminal()):
        raise click.ClickException(
            "the URL holds a secret: on a pipe it needs --reveal"
        )
    click.echo(sources.webhook_url(loaded, source))
