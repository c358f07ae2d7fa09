"""Fetch results again: ``recheck``, which also backfills."""

from collections.abc import Iterator

import click

from worker import clock as clocks
from worker import errors, model, settings
from worker.app import sources
from worker.cli import _common, _publish, _streams


@click.command()
@click.argument("source")
@click.argument("session_ids", metavar="ID...", nargs=-1)
@click.option("--stdin", is_flag=True, help="Read ids from stdin, one per line.")
@_common.config_option
def recheck(
    source: str, session_ids: tuple[str, ...], config: str | None, *, stdin: bool
) -> None:
    """
    Fetch the results of the sessions ID... of SOURCE again, immediately.

    Unknown sessions are added, so you can use this command to backfill. All ids are
    checked before the first one is sent.
    """
    if not session_ids and not stdin:
        raise click.UsageError("name at least one session id, or use --stdin")
    if stdin:
        _streams.need_stdin()
    settings_ = _common.load(config, settings.Role.OPERATOR)
    built = sources.build_sources(settings_, clocks.SystemClock())
    found = sources.find(built, source)
    if not found.settings.fetches:
        raise click.ClickException(
            f"{source} has no result to fetch: the signed callback is the only result"
        )
    spellings = [*session_ids, *(_lines() if stdin else ())]
    events = [request(found, spelling) for spelling in spellings]
    _common.run(_publish_events(settings_, events))


def _lines() -> Iterator[str]:
    for line in _streams.stdin_lines():
        text = line.decode(errors="replace").strip()
        if text:
            yield text


def request(
    found: sources.ConfiguredSource,
    spelling: str,
    *,
    event_id: str | None = None,
    once: str | None = None,
) -> model.Event:
    """Return the event that asks for a fetch; with *once* it acts a single time."""
    return model.Event(
        event_id=event_id or model.random_id(),
        type=model.EventType.RECHECK_REQUESTED,
        environment=found.settings.environment,
        source=found.name,
        provider=found.entry.name,
        session_id=_common.canonical(found, spelling),
        provider_session_id=spelling,
        provider_event_id=once,
        received_at=clocks.SystemClock().now_ms(),
    )


async def _publish_events(config: settings.Settings, events: list[model.Event]) -> None:
    async with _publish.sink(config) as sink:
        try:
            done = await _publish.publish_all(sink, events, len(events))
        except errors.KafkaUnavailable as error:
            raise click.ClickException(
                f"Kafka did not acknowledge in time ({error}); some of the"
                f" {len(events)} may be requested: repeat the command"
            ) from None
    click.echo(f"requested {done} rechecks", err=True)
