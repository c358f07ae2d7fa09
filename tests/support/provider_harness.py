"""Stage a begun session: the simulated provider, the source's two sides, an ingress."""

import contextlib
from typing import Any

import aiohttp
import orjson
from aiohttp import web

from tests.support import starts
from worker import clock as clocks
from worker import errors, model, ports, providers
from worker.devkit import simulators

SETTINGS: dict[str, dict[str, Any]] = {
    "biometric": {"flow_api_key": "synthetic-flow-key"},
    "identomat": {
        "company_key": "synthetic-company-key",
        "secret_key": "synthetic-secret-key",
        "callback_api_keys": ["synthetic-callback-key"],
    },
}
_COMMON = {"environment": "test", "url_secrets": ["u" * 32], "fetch_timeout": "500ms"}


class Stage:
    """A simulated provider that is served, the source's two sides, and an ingress."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.delivered: list[dict[str, Any]] = []
        self.stack = contextlib.AsyncExitStack()

    async def open(self) -> None:
        """Serve the provider, and make what begins and what fetches."""
        entry = providers.REGISTRY[self.name]
        given = {"provider": self.name} | _COMMON | SETTINGS[self.name]
        theirs = entry.settings_type.model_validate(given)
        account = simulators.Account(source="source", settings=theirs)
        self.simulator = simulators.find(self.name).build(account)
        served = await simulators.serve(
            self.simulator, ingress_url=await self._ingress()
        )
        self.stack.push_async_callback(served.close)
        found = dict.fromkeys(self.simulator.addresses, served.base_url)
        settings = entry.settings_type.model_validate(given | found)
        clock = clocks.SystemClock()
        self.beginner: ports.SessionStarter = entry.starter("source", settings, clock)
        self.adapter: ports.Provider = entry.build("source", settings, clock)
        self.stack.push_async_callback(self.beginner.close)
        self.stack.push_async_callback(self.adapter.close)
        self.dashboard = served.dashboard
        self.url = served.base_url
        self.control = f"{self.url}/_sim/{self.name}"
        self.http = await self.stack.enter_async_context(aiohttp.ClientSession())

    async def _ingress(self) -> str:
        async def accept(request: web.Request) -> web.Response:
            self.delivered.append(orjson.loads(await request.read()))
            return web.Response()

        app = web.Application()
        app.router.add_post("/webhooks/{tail:.*}", accept)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        self.stack.push_async_callback(runner.cleanup)
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        return f"http://127.0.0.1:{runner.addresses[0][1]}"

    async def begun(self, **changes: object) -> model.StartedSession:
        """Begin a session as the api does."""
        return await self.beginner.begin(starts.request(**changes))

    async def person(self, session_id: str, **wish: object) -> tuple[int, Any]:
        """Play the person over HTTP; return status and document."""
        path = f"{self.control}/sessions/{session_id}/person"
        async with self.http.post(path, json=wish) as response:
            return response.status, await response.json()

    async def press(self, url: str, **form: str) -> tuple[int, str, str]:
        """Press a button of the person's page; return status, place and page."""
        async with self.http.post(url, data=form, allow_redirects=False) as response:
            place = response.headers.get("Location", "")
            return response.status, place, await response.text()

    async def result(self, session_id: str) -> str:
        """Return the outcome and reason of what a fetch finds, or the error's word."""
        key = model.SessionKey("source", session_id)
        try:
            answer = await self.adapter.fetch(key, session_id)
            verdict = self.adapter.interpret(key, session_id, answer).verdict
        except errors.FetchError as error:
            return error.reason
        return f"{verdict.outcome} {verdict.reason}"
