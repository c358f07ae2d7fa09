"""List the dead-letter topic and redrive its sessions: ``dlq``."""

import contextlib
import dataclasses
from collections.abc import Mapping

import click
import orjson

from worker import clock as clocks
from worker import codec, errors, model, settings
from worker.app import sources
from worker.cli import _common, _original_events, _publish, recheck
from worker.kafka import reader
from worker.telemetry import logs


@dataclasses.dataclass(frozen=True, slots=True)
class LocatedDeadLetter:
    """A dead letter, and the place that makes its redrive the same every time."""

    letter: model.DeadLetter
    place: str


@click.group()
def dlq() -> None:
    """List, show and redrive dead letters."""


_filters = [
    _common.config_option,
    click.option(
        "--reason",
        type=click.Choice(list(map(str, model.DeadLetterReason))),
        help="Filter by dead-letter reason.",
    ),
    click.option("--source", help="Filter by source."),
    click.option("--session", help="Filter by session id."),
]


def _filtered(command: click.decorators.FC) -> click.decorators.FC:
    for option in reversed(_filters):
        command = option(command)
    return command


@dlq.command("list")
@_filtered
def list_(
    config: str | None, reason: str | None, source: str | None, session: str | None
) -> None:
    """List the dead letters that are kept, oldest first; JSON lines on a pipe."""
    for found in _read(
        _common.load(config, settings.Role.OPERATOR), reason, source, session
    ):
        letter = found.letter
        if not _common.is_terminal():
            _common.json_line(_document(letter))
            continue
        click.echo(
            f"{letter.dead_letter_id}  {clocks.format_rfc3339(letter.at)}  "
            f"{letter.reason:22}  {letter.source}:{letter.session_id or '-'}  "
            f"attempts {letter.attempts}, count {letter.count}"
        )


@dlq.command()
@click.argument("dead_letter_id", metavar="ID")
@_common.config_option
def show(dead_letter_id: str, config: str | None) -> None:
    """Show the complete dead letter ID. Exits with 1 if it is not kept."""
    for found in _read(_common.load(config, settings.Role.OPERATOR), None, None, None):
        if found.letter.dead_letter_id == dead_letter_id:
            option = orjson.OPT_INDENT_2
            click.echo(orjson.dumps(_document(found.letter), option=option).decode())
            return
    raise click.ClickException(f"no dead letter has the id {dead_letter_id}")


@dlq.command()
@_filtered
@click.option("--apply", is_flag=True, help="Redrive instead of a dry run.")
def redrive(
    config: str | None,
    reason: str | None,
    source: str | None,
    session: str | None,
    *,
    apply: bool,
) -> None:
    """
    Fetch the sessions of dead letters again; a dry run without --apply.

    If the event of a dead letter was never processed, the command publishes it again
    from kyc.events. Idempotent: each dead letter is redriven once, so that you can
    repeat the command after an interruption.
    """
    settings_ = _common.load(config, settings.Role.OPERATOR)
    built = sources.build_sources(settings_, clocks.SystemClock())
    letters = _read(settings_, reason, source, session)
    kept = _originals(settings_, letters, built)
    again = [_again(found, built.get(found.letter.source), kept) for found in letters]
    events = [event for event in again if event is not None]
    passed = len(again) - len(events)
    click.echo(f"{len(events)} to redrive, {passed} cannot be redriven", err=True)
    if apply and events:
        _common.run(_publish_events(settings_, events))
    elif events:
        click.echo("this was a dry run: add --apply to redrive", err=True)


def _originals(
    config: settings.Settings,
    letters: list[LocatedDeadLetter],
    built: Mapping[str, sources.ConfiguredSource],
) -> Mapping[str, model.Event]:
    """Return the events that are to be taken again, by their id."""
    untaken = [
        found.letter
        for found in letters
        if (bound := built.get(found.letter.source)) is not None
        and _original_events.wanted(found.letter, bound)
    ]
    events: dict[str, model.Event] = {}

    async def find() -> None:
        events.update(await _original_events.find(config, untaken))

    _common.run(find())
    return events


def _again(
    found: LocatedDeadLetter,
    bound: sources.ConfiguredSource | None,
    kept: Mapping[str, model.Event],
) -> model.Event | None:
    """Return the event that runs a letter again; None where nothing can."""
    letter = found.letter
    if bound is None or letter.session_id is None:
        return None
    event_id = model.deterministic_id(f"kyc:redrive:{found.place}")
    if _original_events.wanted(letter, bound):
        original = kept.get(letter.event_id or "")
        if original is not None:
            return _original_events.again(original, bound, event_id)
    if not filter_redrivable(letter, bound):
        return None
    return recheck.request(bound, letter.session_id, event_id=event_id, once=event_id)


def filter_redrivable(
    letter: model.DeadLetter, bound: sources.ConfiguredSource
) -> bool:
    """
    Return whether a fetch can make anything of *letter*.

    Its source may be another provider's by now, which has no such session id.
    """
    if letter.redrive is None or not bound.settings.fetches:
        return False
    return bound.provider.canonical(letter.session_id) is not None


async def _publish_events(config: settings.Settings, events: list[model.Event]) -> None:
    async with _publish.sink(config) as sink:
        try:
            done = await _publish.publish_all(sink, events, len(events))
        except errors.KafkaUnavailable as error:
            raise click.ClickException(
                f"Kafka did not acknowledge in time ({error}); some of the"
                f" {len(events)} may be redriven: repeat the command"
            ) from None
    click.echo(f"redrove {done}", err=True)


def _document(letter: model.DeadLetter) -> dict[str, object]:
    """Return *letter* as it is shown; its command is made anew, for a shell."""
    if letter.redrive is not None:
        key = model.SessionKey(letter.source, letter.session_id or "")
        command = model.redrive_command(key) if letter.session_id else None
        letter = dataclasses.replace(letter, redrive=command)
    document: dict[str, object] = orjson.loads(
        codec.dead_letter_record(letter).value or b"{}"
    )
    return document


def _read(
    config: settings.Settings,
    reason: str | None,
    source: str | None,
    session: str | None,
) -> list[LocatedDeadLetter]:
    """Return the dead letters that are kept and asked for, oldest first."""
    logs.configure(console=_common.configure_console_logs())
    found: list[LocatedDeadLetter] = []

    async def read() -> None:
        topic = [config.kafka.topic("dlq")]
        records = reader.follow(config.kafka, topic, reader.ReadRange.UNTIL_END)
        async with contextlib.aclosing(records):
            async for each in records:
                letter = _common.read_or_skip(each, codec.read_dead_letter)
                if letter is None:
                    continue
                matches = (
                    reason in (None, letter.reason)
                    and source in (None, letter.source)
                    and session in (None, letter.session_id)
                )
                if matches:
                    place = f"{each.topic}:{each.partition}:{each.offset}"
                    found.append(LocatedDeadLetter(letter, place))

    _common.run(read())
    return sorted(found, key=lambda one: one.letter.at)
