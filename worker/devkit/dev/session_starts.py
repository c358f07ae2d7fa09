"""Begin sessions as the company's own service does, and play the persons it sends."""

import asyncio
from typing import Any

import aiohttp

from worker import providers
from worker.devkit import simulators
from worker.devkit.dev import callbacks, demo_credentials
from worker.devkit.dev import environment as staging

_ATTEMPTS = 20
_PAUSE_S = 1.0
_SERVER_ERROR = 500
_TIMEOUT = aiohttp.ClientTimeout(total=40)


async def begin(
    stage: staging.DevEnvironment, source: str, reference: str
) -> str | None:
    """
    Begin a session of *source* and return its id; None where the api takes none.

    Asked again with the same key while the api is away: it is begun once.
    """
    headers = {
        "Authorization": f"Bearer {stage.company.api_key}",
        "Idempotency-Key": reference,
    }
    async with aiohttp.ClientSession(timeout=_TIMEOUT, trust_env=False) as client:
        for _ in range(_ATTEMPTS):
            try:
                async with client.post(
                    f"{stage.api_url}/sessions/{source}",
                    json=document(stage.playing[source].name, reference),
                    headers=headers,
                ) as response:
                    if response.status < _SERVER_ERROR:
                        started: dict[str, Any] = await response.json(content_type=None)
                        session_id: str | None = started.get("session_id")
                        return session_id
            except (aiohttp.ClientError, TimeoutError):
                pass
            await asyncio.sleep(_PAUSE_S)
    return None


def document(provider: str, reference: str) -> dict[str, Any]:
    """Return what a session start at *provider* asks for."""
    entry = providers.REGISTRY[provider]
    return {
        "reference": reference,
        "return_url": f"{demo_credentials.ORIGIN}/",
        "provider_params": dict(entry.sample_start_parameters),
    }


async def finish(
    stage: staging.DevEnvironment,
    source: str,
    session_id: str,
    scenario: simulators.Scenario,
) -> list[int]:
    """Have the person finish the session; return the ingress's answers."""
    simulator = stage.playing[source]
    try:
        answers = await simulators.act(
            simulator,
            session_id,
            simulators.Deed.FINISH,
            scenario,
            dashboard=simulators.Dashboard(),
            deliver_to=stage.url,
        )
    except (aiohttp.ClientError, OSError):
        answers = [_SERVER_ERROR]
    if answers and max(answers) >= _SERVER_ERROR:
        pending = simulator.callbacks(session_id)
        return await callbacks.deliver(pending, stage.url)
    return answers or []
