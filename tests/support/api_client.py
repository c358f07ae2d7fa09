"""Begin sessions as a company's service does, and play the persons that it sends."""

import contextlib
import dataclasses
from collections.abc import AsyncIterator, Mapping
from typing import Any, Self

import aiohttp

from tests.support import system

#: What each provider must be told, in any case.
PARAMS: Mapping[str, dict[str, Any]] = {
    "idbeyond": {},
    "identomat": {"config_id": "standard"},
    "idnow": {},
    "biometric": {},
}


@dataclasses.dataclass(frozen=True, slots=True)
class Answer:
    """What the api answered."""

    status: int
    document: dict[str, Any]
    headers: Mapping[str, str]


class Caller:
    """A service of the company; *running* plays the providers."""

    def __init__(self, running: system.System, process: system.Process) -> None:
        self._running = running
        self._url = f"http://127.0.0.1:{process.port}"
        self._client = aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(total=40), trust_env=False
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.close()

    async def begin(
        self, source: str, *, key: str | None = None, **members: object
    ) -> Answer:
        """Begin a session of *source*, with *key* as Idempotency-Key."""
        document: dict[str, object] = {
            "reference": f"customer-{source}",
            "return_url": f"{system.ORIGIN}/back",
            "provider_params": PARAMS[source],
        }
        headers = {} if key is None else {"Idempotency-Key": key}
        return await self._send(
            "POST", f"/sessions/{source}", document | members, headers
        )

    async def register(self, source: str, session_id: str, **members: object) -> Answer:
        """Register a session begun elsewhere."""
        path = f"/sessions/{source}/{session_id}"
        return await self._send("PUT", path, members, {})

    async def _send(
        self, method: str, path: str, document: object, headers: Mapping[str, str]
    ) -> Answer:
        async with self._client.request(
            method,
            self._url + path,
            json=document,
            headers={"Authorization": f"Bearer {system.API_KEY}", **headers},
        ) as response:
            body = await response.json(content_type=None)
            return Answer(response.status, body, response.headers)

    async def person(
        self,
        source: str,
        session_id: str,
        *,
        ingress: system.Process | None = None,
        does: str = "finish",
        **scenario: object,
    ) -> dict[str, Any]:
        """Play the person of a session, whose callbacks go to *ingress*."""
        wish: dict[str, Any] = {"does": does, "scenario": scenario}
        if ingress is not None:
            wish["deliver_to"] = f"http://127.0.0.1:{ingress.port}"
        url = f"{self._simulated(source)}/sessions/{session_id}/person"
        async with self._client.post(url, json=wish) as response:
            assert response.status == 200, await response.text()
            body: dict[str, Any] = await response.json()
            return body

    async def steer(self, source: str, **dashboard: object) -> None:
        """Tell the provider of *source* how the next begin calls go wrong."""
        url = f"{self._simulated(source)}/dashboard"
        async with self._client.put(url, json=dashboard) as response:
            assert response.status == 200, await response.text()

    async def held(self, source: str) -> list[str]:
        """Return the sessions that the provider of *source* has."""
        url = f"{self._simulated(source)}/sessions"
        async with self._client.get(url) as response:
            body = await response.json()
            return [each["session_id"] for each in body["sessions"]]

    def _simulated(self, source: str) -> str:
        """Return where the simulated provider of *source* is steered."""
        return f"http://127.0.0.1:{self._running.ports[source]}/_sim/{source}"


@contextlib.asynccontextmanager
async def serving(
    running: system.System, *, ends_at: tuple[str, int] | None = None
) -> AsyncIterator[tuple[system.Process, Caller]]:
    """Yield an api that is ready, and who calls it."""
    process = running.start("api", ends_at=ends_at)
    await running.ready(process)
    async with Caller(running, process) as caller:
        yield process, caller
