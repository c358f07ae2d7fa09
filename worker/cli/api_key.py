"""Generate a key for the API: ``api-key``."""

import hashlib
import secrets

import click

_PREFIX = "kyc_"


@click.command("api-key")
@click.option(
    "--source",
    "sources",
    multiple=True,
    help="Source for which the key may start sessions. Repeatable.",
)
def api_key(sources: tuple[str, ...]) -> None:
    """
    Generate an API key: the key to stdout, its configuration to stderr.

    The key is not stored: give it to the service that calls the API. Without --source
    it may start sessions of all sources.
    """
    key = _PREFIX + secrets.token_urlsafe(32)
    digest = hashlib.sha256(key.encode()).hexdigest()
    permitted = "[" + ", ".join(f'"{name}"' for name in sources) + "]"
    click.echo(key)
    click.echo("# Add this to the configuration:", err=True)
    click.echo("[[api.keys]]", err=True)
    click.echo(f'sha256 = "{digest}"', err=True)
    click.echo("sources = " + (permitted if sources else '"all"'), err=True)
