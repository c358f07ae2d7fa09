"""How many lines an outsider can cause, and that none of them is lost from sight."""

import asyncio
import io

import orjson

from tests.unit.telemetry import kit
from worker import model, telemetry
from worker.telemetry import log_throttle, logs, metrics


class _Clock:
    """A clock that is moved by hand; its sleep waits until it is woken."""

    def __init__(self) -> None:
        self.at_ms = 1_790_000_000_000
        self.minute = asyncio.Event()

    def now_ms(self) -> int:
        """Return the time that was set."""
        return self.at_ms

    async def sleep(self, _seconds: float) -> None:
        """Wait until a minute is said to be over."""
        await self.minute.wait()
        self.minute.clear()


def _lines(out: io.StringIO) -> list[dict[str, object]]:
    return [orjson.loads(line) for line in out.getvalue().splitlines()]


def _logged(out: io.StringIO) -> list[tuple[object, object, object]]:
    """Return what was said to be held back."""
    return [
        (line["kind"], line["source"], line["count"])
        for line in _lines(out)
        if line["event"] == "log.held_back"
    ]


def _logging() -> io.StringIO:
    out = io.StringIO()
    logs.configure(console=False, stream=out)
    return out


def test_the_first_lines_are_written() -> None:
    """Each kind has its own; the next minute says how many there were more."""
    out, clock = _logging(), _Clock()
    lines = log_throttle.LogThrottle(clock)

    first = [lines.admits("a.b", lines=2, source="one") for _ in range(5)]
    assert lines.admits("a.b", lines=2, source="two")
    assert lines.admits("c.d", lines=2, source="one")
    clock.at_ms += 60_000

    assert first == [True, True, False, False, False]
    assert lines.admits("a.b", lines=2, source="one")
    assert _logged(out) == [("a.b", "one", 3)]


def test_a_clock_set_back_begins_anew() -> None:
    """It does not hold lines back until it has caught up."""
    _logging()
    clock = _Clock()
    lines = log_throttle.LogThrottle(clock)
    assert lines.admits("a.b", lines=1)
    clock.at_ms -= 3_600_000

    assert lines.admits("a.b", lines=1)


async def test_it_is_said_once_a_minute_and_at_the_end() -> None:
    """Also where nothing more comes."""
    out, clock = _logging(), _Clock()
    lines = log_throttle.LogThrottle(clock)
    async with lines.reporting():
        for _ in range(3):
            lines.admits("a.b", lines=1, source="one")
        clock.minute.set()
        while not _logged(out):  # noqa: ASYNC110 -- the log tells nobody
            await asyncio.sleep(0)
        for _ in range(2):
            lines.admits("a.b", lines=1, source="one")

    assert _logged(out) == [("a.b", "one", 2), ("a.b", "one", 1)]


def test_alarms_are_all_counted() -> None:
    """A flood of them is one line a minute and source, and none is missing."""
    out = _logging()
    counters = metrics.Metrics(["one", "two"])
    lines = log_throttle.LogThrottle(_Clock())
    kind = model.AlarmKind.UNMAPPABLE_CALLBACK
    for source in ("one", "two"):
        for _ in range(2000):
            telemetry.alarm(counters, kind, source, within=lines)
    lines.report()

    raised = [line["source"] for line in _lines(out) if line["event"] == "alarm.raised"]
    assert raised == ["one", "two"]
    assert _logged(out) == [
        ("alarm.raised", "one", 1999),
        ("alarm.raised", "two", 1999),
    ]
    for source in ("one", "two"):
        at = {"source": source, "kind": kind.value}
        assert kit.value(counters, "kyc_alarms_total", **at) == 2000
