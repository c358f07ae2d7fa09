"""Register sessions that were started elsewhere: ``register``."""

import dataclasses
import sys
from collections.abc import Iterator
from typing import Any

import click
import orjson

from worker import api, errors, model, settings
from worker import clock as clocks
from worker.app import api as api_process
from worker.app import sources
from worker.cli import _common, _publish, _streams

_MEMBERS = ("session_id", "reference", "expires_at")


@click.command()
@click.argument("source")
@_common.config_option
def register(source: str, config: str | None) -> None:
    """
    Register the sessions of SOURCE that stdin lists, one per line.

    A line is a JSON object, or the session id, your reference and optionally the expiry
    time, separated by tabs. You can use this command to backfill, and repeat it. It
    prints the number of each invalid line, registers the others, and then exits with 1.
    """
    _streams.need_stdin()
    loaded = _common.load(config, settings.Role.OPERATOR)
    lines = LineImporter(
        sources.find(api_process.api_sources(loaded, clocks.SystemClock()), source)
    )
    _common.run(_publish_events(loaded, lines))
    if lines.bad:
        raise click.ClickException(f"{lines.bad} lines are invalid")


@dataclasses.dataclass(slots=True)
class LineImporter:
    """Read stdin line by line; report each invalid line and continue."""

    of: api.ApiSource
    read: int = 0
    bad: int = 0

    def events(self) -> Iterator[model.Event]:
        """Yield the event of each valid line."""
        now = clocks.SystemClock().now_ms()
        for line in _streams.stdin_lines():
            self.read += 1
            if not line.strip():
                continue
            try:
                document = _document(line)
                spelling = document.pop("session_id", None)
                wanted = api.parse_registration(document, self.of, spelling, now)
            except errors.InvalidBeginRequest as refused:
                self._report(refused)
                continue
            yield api.registration_event(self.of, wanted, now)

    def _report(self, refused: errors.InvalidBeginRequest) -> None:
        self.bad += 1
        for field, sentence in refused.problems.items():
            click.echo(f"line {self.read}: {field} {sentence}", err=True)


def _document(line: bytes) -> dict[str, Any]:
    """Return *line* as a request of the API; raises errors.InvalidBeginRequest."""
    if line.lstrip().startswith(b"{"):
        try:
            parsed: dict[str, Any] = orjson.loads(line)
        except orjson.JSONDecodeError:
            raise errors.InvalidBeginRequest({"it": "is no JSON object"}) from None
        return parsed
    parts = line.decode(errors="replace").split("\t")
    if len(parts) > len(_MEMBERS):
        raise errors.InvalidBeginRequest({"it": "has more than three columns"})
    return {
        name: part.strip()
        for name, part in zip(_MEMBERS, parts, strict=False)
        if part.strip()
    }


async def _publish_events(config: settings.Settings, lines: LineImporter) -> None:
    async with _publish.sink(config) as sink:
        try:
            done = await _publish.publish_all(sink, lines.events(), _total())
        except errors.KafkaUnavailable as error:
            raise click.ClickException(
                f"Kafka did not acknowledge in time ({error}), before line"
                f" {lines.read}: repeat the command with all lines"
            ) from None
    click.echo(f"registered {done} sessions", err=True)


def _total() -> int | None:
    """Return the number of lines, if stdin is a file."""
    if not sys.stdin.buffer.seekable():
        return None
    total = sum(1 for _ in sys.stdin.buffer)
    sys.stdin.buffer.seek(0)
    return total
