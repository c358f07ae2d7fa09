"""Do one thing after another, drawn by its weight, with pauses in between."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping

Act = Callable[[random.Random], Awaitable[None]]


async def act(
    acts: Mapping[Act, int], chance: random.Random, until: float, *, pause_s: float
) -> None:
    """Act until the loop's time is *until*; return when the last act has ended."""
    loop = asyncio.get_running_loop()
    while True:
        await asyncio.sleep(chance.uniform(0.25, 1.75) * pause_s)
        if loop.time() > until:
            return
        (one,) = chance.choices(list(acts), list(acts.values()))
        await one(chance)
