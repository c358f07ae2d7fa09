"""Wait for something to happen, or for a time."""

import asyncio

from worker import clock as clocks


async def wait_event_or_timeout(
    event: asyncio.Event, clock: clocks.Clock, seconds: float | None
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


async def _set_after(clock: clocks.Clock, seconds: float, event: asyncio.Event) -> None:
    await clock.sleep(seconds)
    event.set()
