"""Say why there is no broker, and what to do about it."""

import pathlib
import re

_LINES = 15
# Kafka ends with a page of routine lines; the cause stands above it.
_ROUTINE = re.compile(r"^\S+ \[.*?\] (INFO|DEBUG|TRACE) |^\tat |^\s*$")


class BrokerError(Exception):
    """The embedded broker cannot be had; the message is a sentence for a person."""


def log_end(path: pathlib.Path, *, since: int) -> str:
    """Return what matters at the end of the log at *path*, from byte *since* on."""
    try:
        with path.open("rb") as log:
            log.seek(since)
            return excerpt(log.read().decode(errors="replace"))
    except FileNotFoundError:
        return ""


def excerpt(text: str) -> str:
    """Return the last warnings and errors in *text*, or if none its last lines."""
    lines = text.splitlines()
    telling = [line for line in lines if not _ROUTINE.match(line)]
    return "\n".join((telling or lines)[-_LINES:])
