"""
Write the log: one line an event, and in it only what is listed here.

Not what may not leave is listed, but what may: a key that is not in ``ALLOWED``, a
value that is no plain one, an event that is not a fixed word, the text of any
exception and the text of other people's log records are never written.
"""

import contextlib
import enum
import hashlib
import logging
import re
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from typing import Any, TextIO

import orjson
import structlog

from worker import errors

ALLOWED = frozenset(
    {
        # where
        *("logger", "source", "provider", "environment", "session", "partition"),
        *("topic", "group", "offset", "lost_from", "lost_to", "host", "port", "pid"),
        *("servers", "waited_ms", "admin_port"),
        # what
        *("event_id", "decision_id", "revision", "outcome", "final", "reason"),
        *("next_step", "retryable", "flags", "cause", "kind", "result", "status"),
        *("authenticator", "position", "attempts", "dead_letter_id", "version"),
        *("method", "signal", "message", "callback_type", "unconfirmed"),
        # how much
        *("count", "records", "duration_s", "publish_s", "latency_s", "size_bytes"),
        # what went wrong
        *("error", "causes", "trace", "fault"),
    }
)
_LEAD = ("timestamp", "level", "event")
_EVENT = re.compile(r"[a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)+", re.ASCII)
_REFUSED_EVENT = "log.event_refused"
_TEXT_MAX = 1000
_INT_MAX = 2**63
_FRAMES_MAX = 12
_CHAIN_MAX = 8
_FOREIGN = "library.logged"
#: Libraries whose messages are constant templates (read in aiokafka 0.14's source).
_TEMPLATED = ("aiokafka",)
_PLACEHOLDER = re.compile(r"%[-#0 +]*\d*(?:\.\d+)?[a-zA-Z]")

EventDict = MutableMapping[str, Any]


def configure(
    *,
    console: bool,
    on_dropped: Callable[[int], None] | None = None,
    stream: TextIO | None = None,
) -> None:
    """
    Send every log of this process to stderr (or *stream*), and nothing unlisted.

    JSON lines, or readable ones where *console*. *on_dropped* is told how many values
    a line lost. What the libraries log, what nobody catches and what Python warns of
    takes the same way. Idempotent.
    """
    out = stream or sys.stderr
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _describe_exception,
            _Allow(on_dropped),
            _renderer(console=console, colours=console and out.isatty()),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=lambda *_: _Line(out),
        cache_logger_on_first_use=False,
    )
    _take_over_libraries()
    _take_over_hooks()


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
        with contextlib.suppress(OSError, ValueError):
            self._out.write(line + "\n")
            self._out.flush()

    debug = info = warning = error = critical = msg


class _Allow:
    """Drops what is not listed, and counts it."""

    def __init__(self, on_dropped: Callable[[int], None] | None) -> None:
        self._on_dropped = on_dropped

    def __call__(self, _logger: object, _method: str, line: EventDict) -> EventDict:
        """Return *line* with nothing in it but what may leave."""
        kept: EventDict = {key: line.pop(key) for key in _LEAD if key in line}
        if not _is_event(kept.get("event")):
            kept["event"] = _REFUSED_EVENT
        dropped = 0
        for key, value in line.items():
            if key in ALLOWED and _is_plain(value):
                kept[key] = _plain(value)
            else:
                dropped += 1
        if dropped and self._on_dropped is not None:
            self._on_dropped(dropped)
        return kept


def _is_event(event: object) -> bool:
    return isinstance(event, str) and _EVENT.fullmatch(event) is not None


def _is_plain(value: object) -> bool:
    """Return whether *value* is of a plain type itself, not of one derived from it."""
    if isinstance(value, enum.Enum):
        value = value.value
    if type(value) is int:
        return -_INT_MAX <= value < _INT_MAX
    return value is None or type(value) in (str, float, bool)


def _plain(value: object) -> object:
    """Return *value* as it is written: of one line, of bounded length, printable."""
    if isinstance(value, enum.Enum):
        value = value.value
    if not isinstance(value, str):
        return value
    text = value[:_TEXT_MAX]
    return text if text.isprintable() else ascii(text)


def _describe_exception(_logger: object, _method: str, line: EventDict) -> EventDict:
    """Put class, reason and places of an exception in place of the exception."""
    given = line.pop("exc_info", None)
    if given is True:
        given = sys.exc_info()[1]
    if isinstance(given, tuple):
        given = given[1]
    if isinstance(given, BaseException):
        line.update(description(given))
    return line


def description(failure: BaseException) -> dict[str, str]:
    """Return what may be told of *failure*: never its message, which may hold all."""
    told = {"error": type(failure).__name__, "trace": " < ".join(_places(failure))}
    if isinstance(failure, errors.KycError):
        told["reason"] = failure.reason
    if causes := [type(cause).__name__ for cause in _causes(failure)]:
        told["causes"] = " < ".join(causes)
    return told


def _places(failure: BaseException) -> list[str]:
    """Return where *failure* was raised and passed, innermost first."""
    places = []
    step = failure.__traceback__
    while step is not None:
        name = step.tb_frame.f_globals.get("__name__", "?")
        places.append(f"{name}:{step.tb_lineno} {step.tb_frame.f_code.co_name}")
        step = step.tb_next
    return places[::-1][:_FRAMES_MAX]


def _causes(failure: BaseException) -> Iterator[BaseException]:
    """Yield what led to *failure*, and the members of a group, a few at most."""
    waiting = [failure]
    seen: set[int] = set()
    while waiting and len(seen) < _CHAIN_MAX:
        each = waiting.pop(0)
        if id(each) in seen:
            continue
        seen.add(id(each))
        if each is not failure:
            yield each
        if isinstance(each, BaseExceptionGroup):
            waiting.extend(each.exceptions)
        if each.__cause__ is not None:
            waiting.append(each.__cause__)
        elif each.__context__ is not None and not each.__suppress_context__:
            waiting.append(each.__context__)


class _Foreign(logging.Handler):
    """Takes the libraries' records: who, how bad and where, and no text of theirs."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write *record* by our rules."""
        line: dict[str, Any] = {
            "logger": record.name,
            "fault": f"{record.module}:{record.lineno} {record.funcName}",
            "exc_info": record.exc_info,
        }
        if record.name.split(".")[0] in _TEMPLATED:
            line["message"] = _template(record)
        log = structlog.get_logger()
        if record.levelno >= logging.ERROR:
            log.error(_FOREIGN, **line)
        elif record.levelno >= logging.WARNING:
            log.warning(_FOREIGN, **line)
        else:
            log.info(_FOREIGN, **line)


def _template(record: logging.LogRecord) -> str:
    """Return the constant message, filled with numbers and names of classes only."""
    values = record.args if isinstance(record.args, tuple) else ()
    rest = iter(values)
    return _PLACEHOLDER.sub(lambda _: _harmless(next(rest, None)), str(record.msg))


def _harmless(value: object) -> str:
    if isinstance(value, BaseException):
        return type(value).__name__
    if isinstance(value, type):
        return value.__name__
    return str(value) if type(value) in (int, float, bool) else "*"


def _take_over_libraries() -> None:
    # Otherwise a handler that fails prints the record with all its values.
    logging.raiseExceptions = False
    root = logging.getLogger()
    for handler in [*root.handlers]:
        if isinstance(handler, _Foreign):
            root.removeHandler(handler)
    root.addHandler(_Foreign())
    root.setLevel(logging.WARNING)
    # Its lines hold paths, and a path may hold a secret; ours are the canonical ones.
    logging.getLogger("aiohttp.access").disabled = True
    logging.captureWarnings(capture=True)


def _take_over_hooks() -> None:
    """Keep Python from printing messages of exceptions that nobody caught."""
    sys.excepthook = _excepthook
    sys.unraisablehook = _unraisablehook
    threading.excepthook = _threading_excepthook


def _excepthook(
    kind: type[BaseException], failure: BaseException, _trace: object
) -> None:
    if issubclass(kind, KeyboardInterrupt):
        return
    structlog.get_logger().critical("process.crashed", exc_info=failure)


def _unraisablehook(unraisable: "sys.UnraisableHookArgs") -> None:
    structlog.get_logger().error("exception.ignored", exc_info=unraisable.exc_value)


def _threading_excepthook(crash: threading.ExceptHookArgs) -> None:
    structlog.get_logger().error("thread.crashed", exc_info=crash.exc_value)
