"""A command that reads a topic names what it cannot read, and reads on."""

from collections.abc import Callable

import orjson
import pytest

from tests.support import inputs, later_release
from worker import codec
from worker.cli import _common
from worker.kafka import reader

_Read = Callable[[bytes, bytes | None, codec.Headers], object]


def _found(record: codec.Record) -> reader.ConsumedRecord:
    return reader.ConsumedRecord(
        topic="kyc.any",
        partition=3,
        offset=17,
        timestamp_ms=inputs.START,
        record=record,
    )


@pytest.mark.parametrize(
    "read", [codec.read_decision, codec.read_dead_letter, codec.read_event]
)
@pytest.mark.parametrize(
    "record",
    [
        codec.Record(key=b"", value=None),
        codec.Record(key=b"\xff", value=b"\xff"),
        codec.Record(key=b"k", value=b"[" * 10_000),
        codec.Record(key=b"k", value=b"[]", headers=[("ce_time", b"\xff")]),
        codec.Record(key=b"k", value=b'{"schema_version":1}'),
        later_release.as_version_2(codec.event_record(inputs.event())),
    ],
)
def test_a_record_that_cannot_be_read_is_named_and_passed_over(
    read: _Read, record: codec.Record, capsys: pytest.CaptureFixture[str]
) -> None:
    """By its place, and never by what it holds."""
    assert _common.read_or_skip(_found(record), read) is None

    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("skipped the record at kyc.any:3:17: ")
    assert len(err.splitlines()) == 1
    assert len(err) < 100


def test_json_that_is_none_is_passed_over(capsys: pytest.CaptureFixture[str]) -> None:
    """As ``tail`` reads it where no person looks."""
    record = codec.Record(key=b"k", value=b"\x00secret")
    read: _Read = lambda _, value, __: orjson.loads(value or b"{}")  # noqa: E731 -- as there

    assert _common.read_or_skip(_found(record), read) is None
    assert "secret" not in capsys.readouterr().err


def test_a_good_record_is_read() -> None:
    """Nothing is said about it."""
    event = inputs.event()
    found = _found(codec.event_record(event))

    assert _common.read_or_skip(found, codec.read_event) == event
