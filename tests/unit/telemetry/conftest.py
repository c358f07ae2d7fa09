"""Fixtures of the telemetry's tests."""

import io
import logging
import sys
import threading
import warnings
from collections.abc import Iterator
from typing import Any

import orjson
import pytest
import structlog

from worker.telemetry import logs


class Written:
    """What was logged since ``configure``."""

    def __init__(self, *, console: bool) -> None:
        self.stream = io.StringIO()
        self.dropped = 0
        logs.configure(console=console, on_dropped=self._drop, stream=self.stream)

    def _drop(self, values: int) -> None:
        self.dropped += values

    @property
    def text(self) -> str:
        """Return everything."""
        return self.stream.getvalue()

    @property
    def lines(self) -> list[dict[str, Any]]:
        """Return the JSON lines."""
        return [orjson.loads(line) for line in self.text.splitlines()]


@pytest.fixture
def _logging_restored() -> Iterator[None]:
    """Leave logging, warnings and hooks as they were."""
    root = logging.getLogger()
    handlers, level, raising = [*root.handlers], root.level, logging.raiseExceptions
    access = logging.getLogger("aiohttp.access").disabled
    hooks = (sys.excepthook, sys.unraisablehook, threading.excepthook)
    with warnings.catch_warnings():
        yield
        logging.captureWarnings(capture=False)
    structlog.reset_defaults()
    sys.excepthook, sys.unraisablehook, threading.excepthook = hooks
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.raiseExceptions = raising
    logging.getLogger("aiohttp.access").disabled = access


@pytest.fixture
def written(_logging_restored: None) -> Written:
    """Log JSON lines into memory."""
    return Written(console=False)


@pytest.fixture
def on_console(_logging_restored: None) -> Written:
    """Log for a person into memory."""
    return Written(console=True)
