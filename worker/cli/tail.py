"""Show decisions: ``tail`` follows all, ``session`` shows those of one session."""

import contextlib

import click
import orjson

from worker import clock as clocks
from worker import codec, ledger, model, settings
from worker.app import lifecycle, sources
from worker.cli import _common, rendering
from worker.kafka import partitioning, reader
from worker.telemetry import logs


@click.command()
@_common.config_option
@click.option(
    "--outcome",
    "outcomes",
    multiple=True,
    type=click.Choice([str(outcome) for outcome in model.Outcome]),
    help="Filter by outcome. Repeatable.",
)
@click.option("--from-beginning", is_flag=True, help="Start with the oldest decision.")
@click.option("--until-end", is_flag=True, help="Show all decisions, then exit.")
def tail(
    config: str | None,
    outcomes: tuple[str, ...],
    *,
    from_beginning: bool,
    until_end: bool,
) -> None:
    """
    Follow the decisions: one line each, or JSON lines on a pipe.

    Reads with read_committed and without a consumer group: other consumers are not
    affected.
    """
    span = (
        reader.ReadRange.FROM_BEGINNING if from_beginning else reader.ReadRange.FROM_END
    )
    span = reader.ReadRange.UNTIL_END if until_end else span
    words = outcomes or tuple(str(outcome) for outcome in model.Outcome)
    _common.run(_tail(_common.load(config, settings.Role.OPERATOR), words, span))


async def _tail(
    config: settings.Settings, outcomes: tuple[str, ...], span: reader.ReadRange
) -> None:
    logs.configure(console=_common.configure_console_logs())
    topics = [config.kafka.topic(f"decisions.{outcome}") for outcome in outcomes]
    with lifecycle.shutdown_on_signals() as stop:
        await lifecycle.run_until_stopped(stop, _print(config, topics, span))


async def _print(
    config: settings.Settings, topics: list[str], span: reader.ReadRange
) -> None:
    terminal = _common.is_terminal()
    records = reader.follow(config.kafka, topics, span)
    async with contextlib.aclosing(records):
        async for found in records:
            if not terminal:
                document = _common.read_or_skip(
                    found, lambda _, value, __: orjson.loads(value or b"{}")
                )
                if document is not None:
                    _common.json_line(document)
                continue
            decision = _common.read_or_skip(found, codec.read_decision)
            if decision is not None:
                click.echo(rendering.decision_line(decision, colour=True))


@click.command()
@click.argument("source")
@click.argument("session_id", metavar="ID")
@_common.config_option
def session(source: str, session_id: str, config: str | None) -> None:
    """
    Show the state, the next fetch and the decisions of the session ID of SOURCE.

    ID may have the provider's spelling. Exits with 1 if the session is unknown.
    """
    settings_ = _common.load(config, settings.Role.OPERATOR)
    built = sources.build_sources(settings_, clocks.SystemClock())
    found = sources.find(built, source)
    key = model.SessionKey(source, _common.canonical(found, session_id))
    _common.run(_session(settings_, key))


async def _session(config: settings.Settings, key: model.SessionKey) -> None:
    logs.configure(console=_common.configure_console_logs())
    raw = str(key).encode()
    number = partitioning.partition_of(raw, config.kafka.partitions)
    states = await reader.read_key_history(
        config.kafka, config.kafka.topic("ledger"), number, raw
    )
    last = states[-1].record.value if states else None
    decisions = await _history(config, number, raw)
    state = None if last is None else codec.read_session(last)
    if state is None and not decisions:
        raise click.ClickException(f"the session {key} is unknown")
    if _common.is_terminal():
        for line in rendering.session_lines(key, state, decisions):
            click.echo(line)
        return
    _common.json_line(
        {
            "session": str(key),
            "state": None if last is None else orjson.loads(last),
            **_journey(state),
            "decisions": [
                orjson.loads(codec.decision_record(one).value or b"{}")
                for one in decisions
            ],
        }
    )


def _journey(state: ledger.Session | None) -> dict[str, str | None]:
    """Return the known times of the session."""
    times = ("registered_at", "expires_at", "returned_at")
    known: dict[str, str | None] = {
        "next_due_at": _time(None if state is None else state.due_at),
        "begin_id": None if state is None else state.begin_id,
    }
    return known | {
        name: _time(None if state is None else getattr(state, name)) for name in times
    }


def _time(at_ms: int | None) -> str | None:
    return None if at_ms is None else clocks.format_rfc3339(at_ms)


async def _history(
    config: settings.Settings, number: int, raw: bytes
) -> list[model.Decision]:
    """Return the session's decisions that are still kept, oldest first."""
    found = []
    for outcome in model.Outcome:
        topic = config.kafka.topic(f"decisions.{outcome}")
        found += await reader.read_key_history(config.kafka, topic, number, raw)
    read = (_common.read_or_skip(one, codec.read_decision) for one in found)
    known = [each for each in read if each is not None]
    return sorted(known, key=lambda decision: decision.revision)
