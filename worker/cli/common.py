"""Share what commands have in common: the configuration option, output, loops."""

import asyncio
import sys
from collections.abc import Coroutine, Mapping
from typing import Any

import click
import orjson

from worker import settings
from worker.app import sources

config_option = click.option(
    "--config",
    metavar="FILE",
    help="The configuration file; KYC_CONFIG names it too.",
)


def load(config: str | None, role: settings.Role) -> settings.Settings:
    """
    Return the configuration, with the secrets of *role* alone.

    Raises errors.ConfigurationError with every problem.
    """
    return sources.load(config, role)


def run(main: Coroutine[Any, Any, object]) -> None:
    """Run *main*; an address that cannot be had becomes a sentence and exit 1."""
    try:
        asyncio.run(main)
    except OSError as error:
        raise click.ClickException(_sentence(error)) from None


def _sentence(error: OSError) -> str:
    reason = error.strerror or type(error).__name__
    return f"{reason}; is the port taken, or the address not this machine's?"


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
