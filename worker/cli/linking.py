"""Print the address to paste at a provider: ``url``."""

import click

from worker import clock as clocks
from worker import signing
from worker.app import sources
from worker.cli import common


@click.command()
@click.argument("source")
@common.config_option
@click.option("--reveal", is_flag=True, help="Print it on a pipe, secret and all.")
def url(source: str, config: str | None, *, reveal: bool) -> None:
    """
    Print the webhook URL of SOURCE, to paste at the provider.

    With signed_url its last segment proves knowledge of the URL: keep it as you keep
    a password. The first of url_secrets makes it.
    """
    settings = common.load(config)
    built = sources.configured(settings, clocks.SystemClock())
    found = sources.find(built, source).settings
    address = f"{settings.ingress.public_url}/webhooks/{source}"
    if "signed_url" in found.authenticators:
        if not (reveal or common.on_terminal()):
            raise click.ClickException(
                "the URL holds a secret: on a pipe it needs --reveal"
            )
        key = found.url_secrets[0].key()
        address += "/" + signing.url_token(key, found.environment, source)
    click.echo(address)
