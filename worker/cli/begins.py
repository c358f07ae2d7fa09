"""List the session starts that are kept, and their state: ``begins``."""

import contextlib

import click

from worker import clock as clocks
from worker import codec, model, settings
from worker.cli import _common
from worker.kafka import begin_index, reader
from worker.telemetry import logs


@click.command()
@click.argument("source", required=False)
@_common.config_option
def begins(source: str | None, config: str | None) -> None:
    """
    List the session starts of SOURCE, or of all sources, the oldest first.

    The state `unresolved` means that the session of the start is not known: the process
    that handled it has died, or the provider did not respond.
    """
    _common.run(_list(_common.load(config, settings.Role.OPERATOR), source))


async def _list(config: settings.Settings, source: str | None) -> None:
    logs.configure(console=_common.configure_console_logs())
    now = clocks.SystemClock().now_ms()
    intents = sorted(await _read(config), key=lambda each: each.begun_at)
    for intent in intents:
        if source not in (None, intent.source):
            continue
        state = _state(intent, now, config.api.begin_timeout)
        if _common.is_terminal():
            click.echo(_line(intent, state))
        else:
            _common.json_line(_document(intent, state))


async def _read(config: settings.Settings) -> list[model.Intent]:
    """Return the current intent of each session start."""
    view = begin_index.BeginIndex(window_ms=config.api.idempotency_window)
    topic = config.kafka.topic("begins")
    records = reader.follow(config.kafka, [topic], reader.ReadRange.UNTIL_END)
    async with contextlib.aclosing(records):
        async for found in records:
            record = found.record
            intent = None
            if record.value is not None:
                intent = _common.read_or_skip(
                    found, lambda key, value, _: codec.read_begin(key, value)
                )
                if intent is None:
                    continue
            view.take(record.key.decode(errors="replace"), intent, found.timestamp_ms)
    return view.every()


def _state(intent: model.Intent, now: int, timeout_ms: int) -> str:
    """Return the state of the session start."""
    if not intent.open:
        return intent.stage.value
    return "unresolved" if now - intent.begun_at >= timeout_ms else "in_progress"


def _line(intent: model.Intent, state: str) -> str:
    return "  ".join(
        [
            clocks.format_rfc3339(intent.begun_at),
            f"{state:11}",
            f"{intent.source:16}",
            f"{intent.reference:20}",
            intent.session_id or "-",
        ]
    )


def _document(intent: model.Intent, state: str) -> dict[str, object]:
    return {
        "begun_at": clocks.format_rfc3339(intent.begun_at),
        "state": state,
        "source": intent.source,
        "reference": intent.reference,
        "session_id": intent.session_id,
    }
