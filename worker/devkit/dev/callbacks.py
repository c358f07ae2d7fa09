"""Call the ingress as the providers do, and call again where it does not take it."""

import asyncio
from collections.abc import Sequence

import aiohttp

from worker.devkit import simulators

_ATTEMPTS = 20
_PAUSE_S = 1.0
_SERVER_ERROR = 500


async def deliver(
    callbacks: Sequence[simulators.OutgoingCallback], url: str
) -> list[int]:
    """
    Send *callbacks* in order and return the ingress's answers.

    Where it is away, or answers 503, all of them come again: a repeat is no harm.
    Returns nothing where it stays away.
    """
    for _ in range(_ATTEMPTS):
        try:
            answers = await simulators.deliver(list(callbacks), url)
        except aiohttp.ClientError:
            pass
        else:
            if all(status < _SERVER_ERROR for status in answers):
                return answers
        await asyncio.sleep(_PAUSE_S)
    return []
