"""Tell the time: the only module that reads a clock."""

import asyncio
import datetime
import time
from typing import Protocol


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


def rfc3339(at_ms: int) -> str:
    """Return *at_ms* as RFC 3339 in UTC with milliseconds and ``Z``."""
    seconds, ms = divmod(at_ms, 1000)
    moment = datetime.datetime.fromtimestamp(seconds, tz=datetime.UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{ms:03d}Z"


def parse_rfc3339(text: str) -> int:
    """
    Return the milliseconds since the epoch that *text* names.

    Raises ValueError when it is no RFC 3339 time with an offset.
    """
    moment = datetime.datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("a time without an offset")
    return int(moment.timestamp() * 1000)
