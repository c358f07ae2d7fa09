"""
Play the providers in a process of their own, three of which can be made ill.

    python -m tests.scale.providers CONFIG SESSIONS PORT

SESSIONS is a JSON file: the ids of each source. ``/ill`` and ``/well`` on PORT switch.
"""

import asyncio
import pathlib
import signal
import sys
import time

import orjson
from aiohttp import web
from aiohttp.typedefs import Handler

from worker import clock as clocks
from worker import settings
from worker.app import sources
from worker.devkit import simulators

HANGS_S = 30.0
REQUESTS_PER_S = 2


class Illness:
    """What is wrong with the providers, while it is."""

    def __init__(self) -> None:
        self.healed = asyncio.Event()
        self.healed.set()
        self._second, self._taken = 0, 0

    async def hang(self) -> web.Response | None:
        """Answer after half a minute, or once it is over."""
        if not self.healed.is_set():
            try:
                async with asyncio.timeout(HANGS_S):
                    await self.healed.wait()
            except TimeoutError:
                return web.Response(status=504)
        return None

    async def fail(self) -> web.Response | None:
        """Answer 500."""
        return None if self.healed.is_set() else web.Response(status=500)

    async def limit(self) -> web.Response | None:
        """Answer 429 to all but a few requests a second."""
        second = int(time.monotonic())
        if second != self._second:
            self._second, self._taken = second, 0
        self._taken += 1
        if self.healed.is_set() or self._taken <= REQUESTS_PER_S:
            return None
        return web.Response(status=429, headers={"Retry-After": "1"})


#: source: the name of what is wrong with it
ILL = {"identomat": "hang", "idnow": "fail", "idbeyond": "limit"}


def application(
    illness: Illness, name: str, source: sources.ConfiguredSource, ids: list[str]
) -> web.Application:
    """Return the provider's API over the sessions *ids*, with its illness in front."""
    account = simulators.Account(source=name, settings=source.settings)
    simulator = simulators.find(source.entry.name).build(account)
    for session_id in ids:
        simulator.add(simulators.Scenario(), session_id)
    app = simulator.app()
    if name in ILL:
        trouble = getattr(illness, ILL[name])

        @web.middleware
        async def ill(request: web.Request, handler: Handler) -> web.StreamResponse:
            return await trouble() or await handler(request)

        app.middlewares.append(ill)
    return app


def control(illness: Illness) -> web.Application:
    """Return what makes the providers ill, and well again."""

    async def switch(request: web.Request) -> web.Response:
        if request.path == "/ill":
            illness.healed.clear()
        else:
            illness.healed.set()
        return web.Response()

    app = web.Application()
    app.router.add_post("/ill", switch)
    app.router.add_post("/well", switch)
    return app


async def _listen(app: web.Application, port: int) -> web.AppRunner:
    runner = web.AppRunner(
        app,
        access_log=None,
        handler_cancellation=True,  # a hanging call ends with its client
        shutdown_timeout=0.1,
    )
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    return runner


async def serve(
    config: settings.Settings, ids: dict[str, list[str]], port: int
) -> None:
    """Serve every source's provider where its ``base_url`` says, until SIGTERM."""
    illness, ended = Illness(), asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    runners = []
    for name, source in sources.build_sources(config, clocks.SystemClock()).items():
        app = application(illness, name, source, ids[name])
        theirs = int(source.settings.base_url.rpartition(":")[2])
        runners.append(await _listen(app, theirs))
    runners.append(await _listen(control(illness), port))
    await ended.wait()
    for runner in runners:
        await runner.cleanup()


if __name__ == "__main__":
    found = orjson.loads(pathlib.Path(sys.argv[2]).read_bytes())
    asyncio.run(serve(sources.load(sys.argv[1]), found, int(sys.argv[3])))
