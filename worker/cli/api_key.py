"""Make a key for the api: ``api-key``."""

import hashlib
import secrets

import click

_PREFIX = "kyc_"


@click.command("api-key")
@click.option(
    "--source",
    "sources",
    multiple=True,
    help="A source that it may begin sessions of; may be given several times.",
)
def api_key(sources: tuple[str, ...]) -> None:
    """
    Make a key: itself to stdout, once; what the configuration needs of it to stderr.

    The key is stored nowhere: give it to the service that calls. Without --source it
    may begin sessions of all sources.
    """
    key = _PREFIX + secrets.token_urlsafe(32)
    digest = hashlib.sha256(key.encode()).hexdigest()
    permitted = "[" + ", ".join(f'"{name}"' for name in sources) + "]"
    click.echo(key)
    click.echo("# for the configuration, beside the keys that are there:", err=True)
    click.echo("[[api.keys]]", err=True)
    click.echo(f'sha256 = "{digest}"', err=True)
    click.echo("sources = " + (permitted if sources else '"all"'), err=True)
