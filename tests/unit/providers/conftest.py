"""What the tests of the providers share: a clock of their own and real servers."""

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from aiohttp import web

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Serve = Callable[[Handler], Awaitable[str]]


class HandClock:
    """A clock that is moved by hand; sleeping is noted and moves it."""

    def __init__(self) -> None:
        self.now = 1_767_225_600_000  # 2026-01-01T00:00:00Z
        self.slept: list[float] = []

    def now_ms(self) -> int:
        """Return the time that was set."""
        return self.now

    async def sleep(self, seconds: float) -> None:
        """Note the wait, and let it be over."""
        self.slept.append(seconds)
        self.now += int(seconds * 1000)


@pytest.fixture(name="clock")
def _clock() -> HandClock:
    return HandClock()


@pytest.fixture(name="serve")
async def _serve() -> AsyncIterator[Serve]:
    """Serve a handler for every path on loopback; answers with the base URL."""
    async with contextlib.AsyncExitStack() as stack:

        async def start(handler: Handler) -> str:
            app = web.Application()
            app.router.add_route("*", "/{path:.*}", handler)
            runner = web.AppRunner(
                app, access_log=None, handler_cancellation=True, shutdown_timeout=0.1
            )
            await runner.setup()
            stack.push_async_callback(runner.cleanup)
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            return f"http://127.0.0.1:{runner.addresses[0][1]}"

        yield start
