"""
Write the log: one line an event, and in it only what is listed here.

Not what may not leave is listed, but what may: a key that is not in ``ALLOWED``, a
value that is no plain one, an event that is not a fixed word, the text of any
exception and the text of other people's log records are never written.
"""

import enum
import functools
import hashlib
import logging
import re
import sys
from collections.abc import Callable, Mapping, MutableMapping
from typing import Any, TextIO

import orjson
import structlog

from worker import clock
from worker.telemetry import exceptions, third_party_logs

ALLOWED = frozenset(
    {
        # where
        *("logger", "source", "provider", "environment", "session", "partition"),
        *("topic", "group", "offset", "lost_from", "lost_to", "host", "port", "pid"),
        *("admin_port", "max_connections", "servers", "place"),
        # what
        *("event_id", "decision_id", "revision", "outcome", "final", "reason"),
        *("next_step", "retryable", "flags", "cause", "kind", "result", "status"),
        *("authenticator", "position", "attempts", "dead_letter_id", "version"),
        *("method", "signal", "message", "endpoint", "settings"),
        # how much
        *(
            "count",
            "records",
            "duration_s",
            "publish_s",
            "latency_s",
            "waited_ms",
            "size_bytes",
        ),
        # what went wrong
        *("error", "causes", "trace", "fault"),
    }
)
_EVENT = re.compile(r"[a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)+", re.ASCII)
_REFUSED_EVENT = "log.event_refused"
_TEXT_MAX = 1000
_INT_MAX = 2**63
_NOT_PLAIN = object()

EventDict = MutableMapping[str, Any]


def configure(
    *,
    console: bool,
    on_dropped: Callable[[int], None] | None = None,
    stream: TextIO | None = None,
) -> None:
    """
    Send every log of this process to stderr (or *stream*), and nothing unlisted.

    JSON lines, or readable ones where *console*. *on_dropped* gets the number of values
    a line lost. What the libraries log, uncaught exceptions and Python's warnings
    takes the same way. Idempotent.
    """
    out = stream or sys.stderr
    structlog.configure(
        processors=[
            exceptions.describe,
            AllowlistProcessor(on_dropped),
            _renderer(console=console, colours=console and out.isatty()),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=lambda *_: _Line(out),
        cache_logger_on_first_use=False,
    )
    third_party_logs.redirect_library_logs()
    third_party_logs.install_exception_hooks()


def session_hash(source: str, session_id: str) -> str:
    """Return what stands for a session in logs: Identomat's id may be a bearer."""
    return hashlib.sha256(f"{source}:{session_id}".encode()).hexdigest()[:16]


def _renderer(*, console: bool, colours: bool) -> structlog.typing.Processor:
    if console:
        return structlog.dev.ConsoleRenderer(colors=colours, sort_keys=False)
    return structlog.processors.JSONRenderer(serializer=_json)


def _json(line: Mapping[str, object], **_options: object) -> str:
    return orjson.dumps(line).decode()


class _Line:
    """Writes lines; a stream that is gone is no reason to fail a callback."""

    def __init__(self, out: TextIO) -> None:
        self._out = out

    def msg(self, line: str) -> None:
        """Write *line* at once, by itself."""
        try:
            self._out.write(line + "\n")
            self._out.flush()
        except (OSError, ValueError):
            pass

    debug = info = warning = error = critical = msg


class AllowlistProcessor:
    """Puts time, level and event first, drops what is not listed, and counts it."""

    def __init__(self, on_dropped: Callable[[int], None] | None) -> None:
        self._on_dropped = on_dropped
        self._clock = clock.SystemClock()

    def __call__(self, _logger: object, method: str, line: EventDict) -> EventDict:
        """Return *line* with nothing in it but what may leave."""
        event = line.pop("event", None)
        if not isinstance(event, str) or not _is_event(event):
            event = _REFUSED_EVENT
        kept: EventDict = {
            "timestamp": clock.format_rfc3339(self._clock.now_ms()),
            "level": method,
            "event": event,
        }
        dropped = 0
        for key, value in line.items():
            plain = _plain(value) if key in ALLOWED else _NOT_PLAIN
            if plain is _NOT_PLAIN:
                dropped += 1
            else:
                kept[key] = plain
        if dropped and self._on_dropped is not None:
            self._on_dropped(dropped)
        return kept


@functools.lru_cache(maxsize=256)  # they are constants of ours, nearly all
def _is_event(event: str) -> bool:
    return _EVENT.fullmatch(event) is not None


def _plain(value: Any) -> object:  # noqa: ANN401 -- its very type is the question
    """
    Return *value* as it is written: of one line, of bounded length, printable.

    ``_NOT_PLAIN`` for what is not of a plain type itself, but of one derived from it.
    """
    kind = type(value)
    if kind is str:
        text = value[:_TEXT_MAX]
        return text if text.isprintable() else ascii(text)
    if kind is int:
        return value if -_INT_MAX <= value < _INT_MAX else _NOT_PLAIN
    if kind is float or kind is bool or value is None:
        return value
    return _plain(value.value) if isinstance(value, enum.Enum) else _NOT_PLAIN
