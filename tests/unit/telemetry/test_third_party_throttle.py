"""A library that repeats itself fills no log."""

import io
import logging

import orjson

from worker.telemetry import logs, third_party_logs


def _record(created: float, line: int = 7) -> logging.LogRecord:
    record = logging.LogRecord(
        "aiokafka", logging.ERROR, "conn.py", line, "gone", (), None
    )
    record.created = created
    return record


def test_each_place_speaks_once_in_ten_seconds() -> None:
    """Repeats are passed over, and the next line tells how many there were."""
    out = io.StringIO()
    logs.configure(console=False, stream=out)
    handler = third_party_logs._Foreign()
    for created in (100.0, 100.1, 105.0, 109.9, 110.0):
        handler.emit(_record(created))
    handler.emit(_record(105.0, line=8))
    lines = [orjson.loads(line) for line in out.getvalue().splitlines()]

    assert [line.get("count") for line in lines] == [None, 4, None]
