"""A ledger that an earlier release stored: this code reads it, and keeps its bytes."""

import pathlib

import pytest

from worker import codec

_PATH = pathlib.Path(__file__).parents[1] / "vectors" / "ledger" / "stored.jsonl"
_STORED = _PATH.read_bytes().splitlines()
_SESSIONS = [line for line in _STORED if b"next_offset" not in line]
_POSITIONS = [line for line in _STORED if b"next_offset" in line]


@pytest.mark.parametrize("stored", _SESSIONS)
def test_a_stored_session_is_written_again_in_its_bytes(stored: bytes) -> None:
    """In the version that it was stored in: 1 and 2."""
    version = 2 if stored.startswith(b'{"v":2') else 1

    assert stored == codec.encode_session(codec.read_session(stored), version)


@pytest.mark.parametrize("stored", _POSITIONS)
def test_a_stored_position_is_written_again_in_its_bytes(stored: bytes) -> None:
    """A worker goes on from where the earlier release stopped."""
    assert stored == codec.position_record(codec.read_position(stored)).value
