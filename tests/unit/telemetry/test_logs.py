"""The log: what is listed is written, and nothing else."""

import logging
import re

import pytest
import structlog
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from tests.unit.telemetry import conftest, kit
from worker import model
from worker.telemetry import logs

Written = conftest.Written


def test_a_line_holds_its_fields(written: Written) -> None:
    """A line is JSON: time, level and event first, then what is told."""
    structlog.get_logger().info(
        "decision.emitted",
        source="one",
        outcome=model.Outcome.APPROVED,
        revision=2,
        final=True,
        latency_s=0.25,
        event_id=None,
    )

    (line,) = written.lines
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z", line.pop("timestamp"))
    assert line == {
        "level": "info",
        "event": "decision.emitted",
        "source": "one",
        "outcome": "approved",
        "revision": 2,
        "final": True,
        "latency_s": 0.25,
        "event_id": None,
    }
    assert written.text.index("timestamp") < written.text.index("level")
    assert written.dropped == 0


@pytest.mark.parametrize("key", ["body", "name", "headers", "session_id", "exception"])
def test_an_unlisted_key_is_dropped_and_counted(written: Written, key: str) -> None:
    """Whoever adds a key must list it first."""
    structlog.get_logger().info("callback.accepted", source="one", **{key: kit.MARKER})

    assert kit.MARKER not in written.text
    assert key not in written.lines[0]
    assert written.dropped == 1


@pytest.mark.parametrize(
    "value",
    [
        kit.MARKER.encode(),
        {"a": kit.MARKER},
        [kit.MARKER],
        (kit.MARKER,),
        ValueError(kit.MARKER),
        type("Text", (str,), {})(kit.MARKER),
        2**70,
        -(2**70),
    ],
)
def test_a_value_that_is_not_plain_is_dropped(written: Written, value: object) -> None:
    """Containers, bytes and objects may hold anything, so they are not written."""
    structlog.get_logger().info("callback.accepted", source=value)

    assert kit.MARKER not in written.text
    assert "source" not in written.lines[0]
    assert written.dropped == 1


@pytest.mark.parametrize(
    "event", [kit.MARKER, f"got {kit.MARKER}", "Callback.Accepted", "callback", "", 5]
)
def test_an_event_is_a_fixed_word(written: Written, event: object) -> None:
    """A sentence with a value in it is no event."""
    structlog.get_logger().info(event)

    assert kit.MARKER not in written.text
    assert written.lines[0]["event"] == "log.event_refused"


def test_values_formatted_into_an_event_do_not_pass(written: Written) -> None:
    """Positional arguments end in the event, and are refused with it."""
    structlog.get_logger().info("callback.accepted %s", kit.MARKER)

    assert kit.MARKER not in written.text


def test_bound_context_is_bound_to_the_same_list(written: Written) -> None:
    """What was bound earlier is written by the same rules."""
    log = structlog.get_logger().bind(partition=3, source="one", header=kit.MARKER)
    log.info("event.taken")

    assert written.lines[0]["partition"] == 3
    assert written.lines[0]["source"] == "one"
    assert kit.MARKER not in written.text
    assert written.dropped == 1


def test_a_long_or_unprintable_text_is_made_harmless(written: Written) -> None:
    """No value breaks a line, a terminal or the JSON, or fills a disk."""
    structlog.get_logger().info(
        "event.taken", source="a\nb\x1b[31m\ud800", topic="x" * 5000
    )

    (line,) = written.lines
    assert line["source"] == r"'a\nb\x1b[31m\ud800'"
    assert len(line["topic"]) == 1000


@given(
    st.dictionaries(
        st.sampled_from(sorted(logs.ALLOWED)),
        st.one_of(st.text(), st.integers(), st.floats(), st.binary(), st.none()),
    )
)
@hypothesis_settings(
    max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_no_value_makes_a_log_call_fail(
    written: Written, fields: dict[str, object]
) -> None:
    """A line is written whatever the values are: logging never fails a callback."""
    before = len(written.lines)

    structlog.get_logger().info("event.taken", **fields)

    assert len(written.lines) == before + 1


def test_the_console_keeps_the_same_rules(on_console: Written) -> None:
    """A terminal is as public as a file."""
    try:
        kit.fail()
    except ValueError:
        structlog.get_logger().exception("event.failed", source="one", body=kit.MARKER)

    assert "event.failed" in on_console.text
    assert "source=one" in on_console.text
    assert "error=ValueError" in on_console.text
    assert kit.MARKER not in on_console.text


def test_debug_is_not_written(written: Written) -> None:
    """Lines below info cost nothing."""
    structlog.get_logger().debug("event.taken")

    assert written.text == ""


def test_a_second_configure_replaces_the_first(written: Written) -> None:
    """Nothing is written twice."""
    again = conftest.Written(console=False)
    logging.getLogger("aiohttp").error("x")

    assert written.text == ""
    assert len(again.lines) == 1


def test_a_closed_stream_fails_nobody(written: Written) -> None:
    """A log that cannot be written is no reason to lose a callback."""
    written.stream.close()

    structlog.get_logger().info("event.taken")


def test_a_session_is_told_by_its_hash() -> None:
    """The hash joins the lines of ingress and worker, and is not the id."""
    found = logs.session_hash("one", kit.MARKER)

    assert re.fullmatch(r"[0-9a-f]{16}", found)
    assert found != logs.session_hash("two", kit.MARKER)
    assert logs.session_hash("one", "7d0c") == "4226a32531a02e01"
