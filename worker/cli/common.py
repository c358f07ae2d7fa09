"""Share what commands have in common: the configuration option, output, loops."""

import asyncio
import sys
from collections.abc import Coroutine, Mapping
from typing import Any

import click
import orjson

from worker import settings
from worker.app import sources
from worker.cli import streams, system_errors

config_option = click.option(
    "--config",
    metavar="FILE",
    help="The configuration file; KYC_CONFIG names it too.",
)


def load(config: str | None) -> settings.Settings:
    """Return the configuration; raises errors.ConfigurationError with every problem."""
    return sources.load(config)


def run(main: Coroutine[Any, Any, object]) -> None:
    """
    Run *main*; what the system refuses becomes a sentence and exit 1.

    A pipe that its reader has closed ends the command without words.
    """
    try:
        asyncio.run(main)
    except OSError as error:
        if streams.reader_is_gone():
            raise click.exceptions.Exit(1) from None
        raise click.ClickException(system_errors.sentence(error)) from None


def on_terminal() -> bool:
    """Return whether a person reads our output."""
    return sys.stdout.isatty()


def logs_for_people() -> bool:
    """Return whether a person reads our log."""
    return sys.stderr.isatty()


def json_line(document: Mapping[str, object]) -> None:
    """Write one JSON line to stdout, at once."""
    sys.stdout.buffer.write(orjson.dumps(document) + b"\n")
    sys.stdout.buffer.flush()


def canonical(configured: sources.Configured, spelling: str) -> str:
    """Return the session id that *spelling* names, or refuse it with a sentence."""
    session_id = configured.provider.canonical(spelling)
    if session_id is None:
        raise click.ClickException(
            f"{spelling[:80]!a} is no session id of {configured.entry.name}:"
            " it does not match the provider's pattern"
        )
    return session_id
