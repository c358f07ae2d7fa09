"""Wait for something to happen, or for a time."""

import asyncio

from worker import clock as clocks


async def for_either(
    event: asyncio.Event, clock: clocks.Clock, seconds: float | None
) -> None:
    """Return once *event* is set or *seconds* are over (None: whatever that takes)."""
    if seconds is None:
        await event.wait()
        return
    happened = asyncio.ensure_future(event.wait())
    over = asyncio.ensure_future(clock.sleep(seconds))
    try:
        await asyncio.wait({happened, over}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        happened.cancel()
        over.cancel()
