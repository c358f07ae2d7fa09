"""Log what libraries log, Python warns of, and no code catches, in our own format."""

import logging
import re
import sys
import threading
from typing import Any

import structlog

_FOREIGN = "library.logged"
_QUIET_S = 10.0
#: Libraries whose messages are constant templates (read in aiokafka 0.14's source).
_TEMPLATED = ("aiokafka",)
_PLACEHOLDER = re.compile(r"%[-#0 +]*\d*(?:\.\d+)?[a-zA-Z]")


class _Foreign(logging.Handler):
    """
    Takes the libraries' records: who, how bad and where, and no text of theirs.

    Each place logs once in ten seconds, with the number of messages since:
    aiokafka repeats itself ten times a second while a broker is away.
    """

    def __init__(self) -> None:
        super().__init__()
        self._spoken: dict[tuple[str, int], tuple[float, int]] = {}

    def emit(self, record: logging.LogRecord) -> None:
        """Write *record* by our rules."""
        place = (record.pathname, record.lineno)
        last, passed = self._spoken.get(place, (-_QUIET_S, 0))
        if record.created - last < _QUIET_S:
            self._spoken[place] = (last, passed + 1)
            return
        self._spoken[place] = (record.created, 0)
        line: dict[str, Any] = {
            "logger": record.name,
            "fault": f"{record.module}:{record.lineno} {record.funcName}",
            "exc_info": record.exc_info,
        }
        if passed:
            line["count"] = passed + 1
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


def redirect_library_logs() -> None:
    """Send the libraries' records through our log; idempotent."""
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


def install_exception_hooks() -> None:
    """Keep Python from printing the messages of uncaught exceptions."""
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
