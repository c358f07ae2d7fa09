"""Share what commands have in common: the configuration option, output, loops."""

import asyncio
import sys
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, TypeVar

import click
import orjson

from worker import codec, errors, settings
from worker.app import sources
from worker.cli import _streams, _system_errors
from worker.kafka import reader

Item = TypeVar("Item")

config_option = click.option(
    "--config",
    metavar="FILE",
    help="Configuration file. Default: the value of KYC_CONFIG.",
)


def load(config: str | None, role: settings.Role) -> settings.Settings:
    """
    Return the configuration, with the secrets of *role* alone.

    Raises errors.ConfigurationError with every problem.
    """
    return sources.load(config, role)


def run(main: Coroutine[Any, Any, object]) -> None:
    """
    Run *main*; what the system refuses becomes a sentence and exit 1.

    A pipe that its reader has closed ends the command without words.
    """
    try:
        asyncio.run(main)
    except OSError as error:
        if _streams.reader_is_gone():
            raise click.exceptions.Exit(1) from None
        raise click.ClickException(_system_errors.sentence(error)) from None


def is_terminal() -> bool:
    """Return whether stdout is a terminal."""
    return sys.stdout.isatty()


def configure_console_logs() -> bool:
    """Return whether stderr is a terminal."""
    return sys.stderr.isatty()


def json_line(document: Mapping[str, object]) -> None:
    """Write one JSON line to stdout, at once."""
    sys.stdout.buffer.write(orjson.dumps(document) + b"\n")
    sys.stdout.buffer.flush()


def canonical(configured: sources.ConfiguredSource, spelling: str) -> str:
    """Return the session id that *spelling* names, or refuse it with a sentence."""
    session_id = configured.provider.canonical(spelling)
    if session_id is None:
        raise click.ClickException(
            f"{spelling[:80]!a} is no session id of {configured.entry.name}:"
            " it does not match the provider's pattern"
        )
    return session_id


def read_or_skip(
    found: reader.ConsumedRecord,
    read: Callable[[bytes, bytes | None, codec.Headers], Item],
) -> Item | None:
    """
    Return what *read* makes of a record's key, value and headers.

    A record that none of our releases wrote, or a later one, is named on standard
    error and passed over: None.
    """
    record = found.record
    try:
        return read(record.key, record.value, record.headers)
    except (ValueError, errors.UnknownVersion) as error:
        why = str(error) if isinstance(error, codec.MalformedRecord) else "unreadable"
        place = f"{found.topic}:{found.partition}:{found.offset}"
        click.echo(f"skipped the record at {place}: {why}", err=True)
        return None
