"""What others log, warn of or fail to catch: told by our rules."""

import asyncio
import gc
import io
import logging
import sys
import threading
import warnings

import pytest

from tests.unit.telemetry import conftest, kit

Written = conftest.Written


def test_libraries_tell_who_and_where(written: Written) -> None:
    """A foreign record is a line without its text, which may hold anything."""
    try:
        kit.fail()
    except ValueError:
        logging.getLogger("aiohttp.server").exception("Error of %s", kit.MARKER)

    (line,) = written.lines
    assert kit.MARKER not in written.text
    assert line["event"] == "library.logged"
    assert line["level"] == "error"
    assert line["logger"] == "aiohttp.server"
    assert line["error"] == "ValueError"
    assert line["fault"].startswith("test_third_party_logs:")
    assert "message" not in line


@pytest.mark.parametrize(
    ("template", "values", "message"),
    [
        (
            "Heartbeat failed for group %s: %r",
            (kit.MARKER, ValueError(kit.MARKER)),
            "Heartbeat failed for group *: ValueError",
        ),
        ("A cycle of length %d: %r", (3, [kit.MARKER]), "A cycle of length 3: *"),
        ("Cannot send %r", (io.StringIO,), "Cannot send StringIO"),
        ("Too few: %s %s", (1,), "Too few: 1 *"),
        ("None at all", (), "None at all"),
        ("By name: %(who)s", ({"who": kit.MARKER},), "By name: %(who)s"),
    ],
)
def test_aiokafkas_constant_messages_are_told(
    written: Written, template: str, values: tuple[object, ...], message: str
) -> None:
    """Its warnings say why Kafka does not answer; numbers and classes are filled in."""
    logging.getLogger("aiokafka.consumer").warning(template, *values)

    assert written.lines[0]["message"] == message
    assert written.lines[0]["level"] == "warning"
    assert kit.MARKER not in written.text


def test_the_access_log_is_off(written: Written) -> None:
    """Its lines hold the path, and a path may hold a secret."""
    logging.getLogger("aiohttp.access").critical("GET /webhooks/one/%s", kit.MARKER)

    assert written.text == ""


def test_libraries_chatter_is_not_written(written: Written) -> None:
    """Of others only warnings and worse."""
    logging.getLogger("aiokafka").info("Joined")

    assert written.text == ""


async def test_a_forgotten_task_tells_no_message(written: Written) -> None:
    """Asyncio puts the exception's text into its record; we do not."""

    async def fail_later() -> None:
        kit.fail()

    task = asyncio.get_running_loop().create_task(fail_later())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    del task
    gc.collect()

    assert kit.MARKER not in written.text
    assert written.lines[0]["logger"] == "asyncio"
    assert written.lines[0]["error"] == "ValueError"


def test_what_nobody_catches_tells_no_message(written: Written) -> None:
    """The interpreter's own printing of exceptions is replaced."""
    failure = ValueError(kit.MARKER)

    sys.excepthook(ValueError, failure, None)
    sys.excepthook(KeyboardInterrupt, KeyboardInterrupt(), None)

    (line,) = written.lines
    assert (line["event"], line["level"]) == ("process.crashed", "critical")
    assert line["error"] == "ValueError"
    assert kit.MARKER not in written.text


def test_a_thread_that_dies_tells_no_message(written: Written) -> None:
    """The same for threads."""
    thread = threading.Thread(target=kit.fail)
    thread.start()
    thread.join()

    assert written.lines[0]["event"] == "thread.crashed"
    assert kit.MARKER not in written.text


def test_an_exception_in_a_finaliser_tells_no_message(written: Written) -> None:
    """The same for what Python can only ignore."""

    class Failing:
        def __del__(self) -> None:
            kit.fail()

    Failing()
    gc.collect()

    assert written.lines[0]["event"] == "exception.ignored"
    assert kit.MARKER not in written.text


def test_a_warning_tells_no_message(written: Written) -> None:
    """Python's warnings take the same way."""
    warnings.simplefilter("always")
    warnings.warn(kit.MARKER, UserWarning, stacklevel=1)

    assert written.lines[0]["logger"] == "py.warnings"
    assert kit.MARKER not in written.text
