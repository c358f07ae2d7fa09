"""Bound how often a log line or an alarm is repeated, and count what is left out."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import structlog

from worker import clock as clocks

_log = structlog.get_logger()

_MINUTE_S = 60
#: of one kind a minute; the metrics count all
_LINES = 20

#: What the lines of one kind have in common: words of ours, so that there are few.
Words = tuple[tuple[str, str], ...]


class LogThrottle:
    """
    Admits the first lines of each kind in every *period_s*, and counts the others.

    A kind is an event with its source and result, or a sentence of ours: never a text
    that an outsider has chosen. With *report* the number of suppressed lines is
    written as ``log.held_back`` when the period ends.
    """

    def __init__(
        self,
        clock: clocks.Clock,
        *,
        lines: int = _LINES,
        period_s: int = _MINUTE_S,
        report: bool = True,
    ) -> None:
        self._clock = clock
        self._lines = lines
        self._period_ms = period_s * 1000
        self._report = report
        #: by kind: when its period began, how many were written and suppressed
        self._seen: dict[Words, tuple[int, int, int]] = {}

    def admits(
        self, event: str, *, lines: int | None = None, **words: str | None
    ) -> bool:
        """Return whether this line of *event* is written: one of *lines* a period."""
        fields = {"kind": event, **words}
        kind = tuple((key, word) for key, word in fields.items() if word is not None)
        now_ms = self._clock.now_ms()
        began_ms, written, held_back = self._seen.get(kind, (now_ms, 0, 0))
        if not 0 <= now_ms - began_ms < self._period_ms:
            self._report_suppressed(kind, held_back)
            began_ms, written, held_back = now_ms, 0, 0
        admitted = written < (self._lines if lines is None else lines)
        self._seen[kind] = (began_ms, written + admitted, held_back + (not admitted))
        return admitted

    def report(self) -> None:
        """Say now how many lines of each kind were held back, and forget it."""
        seen, self._seen = self._seen, {}
        for kind, (_, _, held_back) in seen.items():
            self._report_suppressed(kind, held_back)

    def _report_suppressed(self, kind: Words, held_back: int) -> None:
        if held_back and self._report:
            _log.warning("log.held_back", count=held_back, **dict(kind))

    @contextlib.asynccontextmanager
    async def reporting(self) -> AsyncIterator[None]:
        """Say it once a minute while the block runs, and at its end."""
        task = asyncio.create_task(self._run())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            self.report()

    async def _run(self) -> None:
        while True:
            await self._clock.sleep(_MINUTE_S)
            self.report()
