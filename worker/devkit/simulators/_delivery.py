"""Call the ingress as a provider does."""

import asyncio
from collections.abc import Sequence

import aiohttp

from worker.devkit.simulators import _scenario


async def deliver(
    callbacks: Sequence[_scenario.OutgoingCallback], ingress_url: str
) -> list[int]:
    """Send *callbacks* to the ingress, one after the other; return the statuses."""
    statuses = []
    async with aiohttp.ClientSession(trust_env=False) as session:
        for callback in callbacks:
            await asyncio.sleep(callback.delay_s)
            async with session.request(
                callback.method,
                ingress_url.rstrip("/") + callback.path,
                headers=dict(callback.headers),
                data=callback.body,
                allow_redirects=False,
            ) as response:
                statuses.append(response.status)
    return statuses
