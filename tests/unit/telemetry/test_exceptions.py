"""Exceptions: told by class, place and reason."""

import re

import structlog

from tests.unit.telemetry import conftest, kit
from worker import errors
from worker.telemetry import exceptions

Written = conftest.Written


def test_an_exception_is_told_without_its_message(written: Written) -> None:
    """Class, places and causes are enough to find a fault."""
    try:
        kit.chained()
    except KeyError:
        structlog.get_logger().exception("event.failed")

    (line,) = written.lines
    assert kit.MARKER not in written.text
    assert line["level"] == "error"
    assert line["error"] == "KeyError"
    assert line["causes"] == "ValueError"
    assert re.fullmatch(
        r".*kit:\d+ chained < .*test_exceptions:\d+ test_an_[a-z_]+", line["trace"]
    )


def test_our_own_errors_tell_their_reason(written: Written) -> None:
    """The reason is a closed word; the message is not written either."""
    structlog.get_logger().error(
        "fetch.failed", exc_info=errors.InvalidResponse(kit.MARKER)
    )

    assert written.lines[0]["error"] == "InvalidResponse"
    assert written.lines[0]["reason"] == "bad_answer"
    assert kit.MARKER not in written.text


def test_a_group_tells_its_members(written: Written) -> None:
    """What a task group raises is told by the classes inside."""
    group = ExceptionGroup(kit.MARKER, [ValueError(kit.MARKER), OSError(kit.MARKER)])
    structlog.get_logger().error("task.failed", exc_info=group)

    assert written.lines[0]["causes"] == "ValueError < OSError"
    assert kit.MARKER not in written.text


def test_a_suppressed_context_is_not_told() -> None:
    """``raise … from None`` is respected, and a loop of causes ends."""
    looping = ValueError()
    looping.__cause__ = OSError()
    looping.__cause__.__cause__ = looping
    silent = KeyError()
    silent.__context__, silent.__suppress_context__ = ValueError(), True

    assert exceptions.description(looping)["causes"] == "OSError"
    assert "causes" not in exceptions.description(silent)
