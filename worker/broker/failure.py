"""Say why there is no broker, and what to do about it."""

import pathlib

_TAIL_LINES = 15
_TAIL_BYTES = 16_384


class BrokerError(Exception):
    """The embedded broker cannot be had; the message is a sentence for a person."""


def log_tail(path: pathlib.Path) -> str:
    """Return the last lines of the log at *path*, or nothing if there is none."""
    try:
        with path.open("rb") as log:
            log.seek(max(0, path.stat().st_size - _TAIL_BYTES))
            text = log.read().decode(errors="replace")
    except FileNotFoundError:
        return ""
    return "\n".join(text.splitlines()[-_TAIL_LINES:])
