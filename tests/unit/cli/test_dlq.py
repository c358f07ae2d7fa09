"""Which dead letters a redrive takes up."""

import pathlib

import pytest

from tests.support import system
from worker import clock, model
from worker.app import sources
from worker.cli import dlq

_UUID = "9c0e4d7a-3f52-4b1b-8d66-1e2a7b90c4d3"
_COMMAND = "kyc-worker dlq redrive"


@pytest.mark.parametrize(
    ("source", "session_id", "command", "expected"),
    [
        ("biometric", _UUID, _COMMAND, True),
        ("idnow", "TST-7KQZM", _COMMAND, True),
        ("biometric", _UUID, None, False),
        ("biometric", "TST/7KQZM", _COMMAND, False),
        ("biometric", None, _COMMAND, False),
        ("idbeyond", _UUID, _COMMAND, False),
    ],
    ids=["ours", "another", "no command", "other's id", "no session", "not fetched"],
)
def test_a_letter_is_redrivable_if_its_source_can_fetch_the_session(
    tmp_path: pathlib.Path,
    source: str,
    session_id: str | None,
    command: str | None,
    *,
    expected: bool,
) -> None:
    """One that cannot be is passed over; the others are not held up by it."""
    config = system.System("127.0.0.1:1", "never", tmp_path).settings
    bound = sources.build_sources(config, clock.SystemClock())[source]
    letter = model.DeadLetter(
        dead_letter_id="l",
        reason=model.DeadLetterReason.FETCH_EXHAUSTED,
        source=source,
        session_id=session_id,
        event_id=None,
        attempts=1,
        first_seen_at=1,
        last_error=None,
        at=1,
        redrive=command,
    )

    assert dlq.filter_redrivable(letter, bound) is expected
