"""End the sessions that a leaked URL has created: ``sessions purge``."""

import contextlib
from collections.abc import Iterator

import click
import rich.console
import rich.progress
import structlog

from worker import clock as clocks
from worker import codec, errors, ledger, model, settings
from worker.app import sources
from worker.cli import _common, _publish
from worker.kafka import partitioning, reader, record_format
from worker.telemetry import logs

_log = structlog.get_logger()


@click.group()
def sessions() -> None:
    """Change many sessions of one source."""


@sessions.command()
@click.option("--source", required=True, help="Source whose sessions end.")
@click.option(
    "--never-answered",
    is_flag=True,
    help="Select the sessions that the provider has never confirmed, that you have not"
    " registered, and that no recheck requested.",
)
@click.option(
    "--apply", is_flag=True, help="End the sessions instead of counting them."
)
@_common.config_option
def purge(
    source: str, config: str | None, *, never_answered: bool, apply: bool
) -> None:
    """
    End the sessions that a leaked URL has created; a dry run without --apply.

    Rotate the URL secret first. The workers end all such sessions that arrived before
    the command, and count them in the hourly dead letter unknown_sessions. None of them
    has a decision. You can repeat the command.
    """
    if not never_answered:
        raise click.UsageError("select the sessions: use --never-answered")
    settings_ = _common.load(config, settings.Role.OPERATOR)
    found = sources.find(sources.build_sources(settings_, clocks.SystemClock()), source)
    _common.run(_purge(settings_, found, apply=apply))


async def _purge(
    config: settings.Settings, found: sources.ConfiguredSource, *, apply: bool
) -> None:
    logs.configure(console=_common.configure_console_logs())
    count = await _count(config, found.name)
    click.echo(f"{count} sessions of {found.name} have never been confirmed", err=True)
    if not apply:
        click.echo("this was a dry run: add --apply to end them", err=True)
        return
    event_id = model.random_id()
    events = list(commands(found, config.kafka.partitions, event_id))
    _log.warning(
        "sessions.purge_requested", source=found.name, event_id=event_id, count=count
    )
    async with _publish.sink(config) as sink:
        try:
            await _publish.publish_all(sink, events, len(events))
        except errors.KafkaUnavailable as error:
            raise click.ClickException(
                f"Kafka did not acknowledge in time ({error}); some partitions may be"
                " purged: repeat the command"
            ) from None
    click.echo(
        f"requested in {len(events)} partitions; run the command without --apply to"
        " count the sessions that remain",
        err=True,
    )


def commands(
    found: sources.ConfiguredSource, partitions: int, event_id: str
) -> Iterator[model.Event]:
    """Yield one command for each partition; its key is one that belongs there."""
    left, number = set(range(partitions)), 0
    while left:
        session_id, number = f"purge-{number}", number + 1
        key = str(model.SessionKey(found.name, session_id)).encode()
        place = partitioning.partition_of(key, partitions)
        if place not in left:
            continue
        left.remove(place)
        yield model.Event(
            event_id=event_id,
            type=model.EventType.PURGE_REQUESTED,
            environment=found.settings.environment,
            source=found.name,
            provider=found.entry.name,
            session_id=session_id,
            provider_session_id=session_id,
            received_at=clocks.SystemClock().now_ms(),
        )


async def _count(config: settings.Settings, source: str) -> int:
    """Return how many unanswered sessions of *source* the ledger holds."""
    count, numbers = 0, range(config.kafka.partitions)
    console = rich.console.Console(stderr=True)
    with rich.progress.Progress(
        console=console, disable=not console.is_terminal
    ) as progress:
        for number in progress.track(numbers, description="reading the ledger"):
            count += await _count_in(config, number, f"{source}:".encode())
    return count


async def _count_in(config: settings.Settings, number: int, prefix: bytes) -> int:
    found: set[bytes] = set()
    topic = config.kafka.topic("ledger")
    async with contextlib.aclosing(
        reader.read_to_end(config.kafka, topic, number)
    ) as batches:
        async for batch in batches:
            for record in batch:
                if isinstance(record, record_format.Undecodable):
                    continue  # the worker refuses its partition, and says so
                if record.key is None or not record.key.startswith(prefix):
                    continue
                if _is_unanswered(record.value):
                    found.add(record.key)
                else:
                    found.discard(record.key)
    return len(found)


def _is_unanswered(value: bytes | None) -> bool:
    if value is None or not codec.has_open_state(value):
        return False
    return ledger.after_restart(codec.read_session(value)).unanswered
