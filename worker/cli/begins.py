"""Show what was begun, and of what nobody knows the session: ``session --begun``."""

import contextlib

import click

from worker import clock as clocks
from worker import codec, model, settings
from worker.cli import _common
from worker.kafka import begin_index, reader
from worker.telemetry import logs


async def show(config: settings.Settings, source: str | None) -> None:
    """Print every begin that is kept, the oldest first; of *source*, if one is."""
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
    """Return what stands of each begin."""
    view = begin_index.BeginIndex(window_ms=config.api.idempotency_window)
    topic = config.kafka.topic("begins")
    records = reader.follow(config.kafka, [topic], reader.ReadRange.UNTIL_END)
    async with contextlib.aclosing(records):
        async for found in records:
            held = found.record
            intent = None
            if held.value is not None:
                intent = _common.read_or_skip(
                    found, lambda key, value, _: codec.read_begin(key, value)
                )
                if intent is None:
                    continue
            view.take(held.key.decode(errors="replace"), intent, found.timestamp_ms)
    return view.every()


def _state(intent: model.Intent, now: int, timeout_ms: int) -> str:
    """Return a word for how far it has come; unresolved: nobody knows."""
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
