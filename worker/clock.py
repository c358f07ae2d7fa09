"""Tell the time: the only module that reads a clock."""

import asyncio
import datetime as dt
import functools
import re
import time
from typing import Protocol

#: 9999-12-31T23:59:59.999Z, the last moment that can be written.
LATEST_MS = 253_402_300_799_999

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MILLISECOND = dt.timedelta(milliseconds=1)
_CANONICAL = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z"
)


class Clock(Protocol):
    """What the shell asks for the time; tests bring one that they move by hand."""

    def now_ms(self) -> int:
        """Return milliseconds since the epoch, UTC."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait *seconds*."""
        ...


class SystemClock:
    """The machine's clock."""

    def now_ms(self) -> int:
        """Return milliseconds since the epoch, UTC."""
        return time.time_ns() // 1_000_000

    async def sleep(self, seconds: float) -> None:
        """Wait *seconds* on the running event loop."""
        await asyncio.sleep(seconds)


def format_rfc3339(at_ms: int) -> str:
    """
    Return *at_ms* as RFC 3339 in UTC with milliseconds and ``Z``.

    Raises ValueError outside of 1970 to 9999 (``LATEST_MS``).
    """
    seconds, ms = divmod(at_ms, 1000)
    return f"{_second(seconds)}.{ms:03d}Z"


def parse_rfc3339(text: str) -> int:
    """
    Return the milliseconds since the epoch that *text* names.

    Raises ValueError when it is no RFC 3339 time with an offset, or one that
    ``rfc3339`` could not write again.
    """
    if _CANONICAL.fullmatch(text):
        return _seconds(text[:19]) * 1000 + int(text[20:23])
    return _parse(text)


@functools.lru_cache(maxsize=4096)
def _second(seconds: int) -> str:
    """Return a second's text: what is written at one time mostly shares it."""
    if not 0 <= seconds <= LATEST_MS // 1000:
        raise ValueError("a time outside of 1970 to 9999")
    moment = dt.datetime.fromtimestamp(seconds, tz=dt.UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}"


@functools.lru_cache(maxsize=4096)
def _seconds(text: str) -> int:
    return _parse(f"{text}Z") // 1000


def _parse(text: str) -> int:
    moment = dt.datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("a time without an offset")
    # Whole numbers: a float second loses a millisecond now and then.
    at_ms = (moment - _EPOCH) // _MILLISECOND
    if not 0 <= at_ms <= LATEST_MS:
        raise ValueError("a time outside of 1970 to 9999")
    return at_ms


async def wait_event_or_timeout(
    event: asyncio.Event, clock: Clock, seconds: float | None
) -> None:
    """Return once *event* is set, as it is when *seconds* are over (None: never)."""
    if seconds is None:
        await event.wait()
        return
    over = asyncio.ensure_future(_set_after(clock, seconds, event))
    try:
        await event.wait()
    finally:
        over.cancel()


async def _set_after(clock: Clock, seconds: float, event: asyncio.Event) -> None:
    await clock.sleep(seconds)
    event.set()
