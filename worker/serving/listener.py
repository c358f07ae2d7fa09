"""Listen, count what is being handled, and drain."""

import asyncio
import contextlib
import dataclasses
from collections.abc import Callable

from aiohttp import web

from worker.serving import bodies as bodies_of
from worker.serving import bounds as bounds_of
from worker.serving import connection, server, sockets

#: accepted in one turn of the loop, so that the others get theirs
_ACCEPTED_AT_ONCE = 64
#: while draining: for a request that is on its way, and to close what is left
_QUIET_S = 1.0
_LAST_S = 0.2
_POLL_S = 0.02


def _uncounted(_why: connection.Closed) -> None:
    """Count nothing."""


class Listener:
    """Has *handler* answer every request; it must not raise."""

    def __init__(
        self,
        handler: connection.Handler,
        *,
        malformed: connection.Malformed,
        bounds: bounds_of.Bounds,
        on_closed: Callable[[connection.Closed], None] = _uncounted,
    ) -> None:
        self._handler = handler
        self._malformed = malformed
        self._bounds = bounds
        self._on_closed = on_closed
        #: the bodies of all requests, read and held
        self.bodies = bodies_of.Bodies(bounds.max_buffered_bytes)
        self._max_connections = bounds.max_connections
        self._in_flight = 0
        self._server: server.Server | None = None
        self._listeners: list[asyncio.Server] = []
        #: there only while draining; set once nothing is in flight
        self._landed: asyncio.Event | None = None

    @property
    def ready(self) -> bool:
        """Return whether requests are taken: listening, and not draining."""
        return bool(self._listeners)

    @property
    def in_flight(self) -> int:
        """Return how many requests are being handled."""
        return self._in_flight

    @property
    def connections(self) -> int:
        """Return how many connections are open."""
        return 0 if self._server is None else len(self._server)

    @property
    def max_connections(self) -> int:
        """Return how many may be open: fewer where files may not be, once started."""
        return self._max_connections

    async def start(self, host: str, port: int) -> int:
        """Listen, and return the port; 0 asks for any. Raises OSError."""
        loop = asyncio.get_running_loop()
        most = sockets.affordable(self._bounds.max_connections)
        self._max_connections = most
        self._server = server.Server(
            self._handle,
            malformed=self._malformed,
            bounds=dataclasses.replace(self._bounds, max_connections=most),
            on_closed=self._on_closed,
        )
        for each in await sockets.listening(host, port):
            self._listeners.append(
                await loop.create_server(
                    self._server, sock=each, backlog=_ACCEPTED_AT_ONCE
                )
            )
            # The kernel keeps more than asyncio takes at once.
            each.listen(sockets.BACKLOG)
        bound: int = self._listeners[0].sockets[0].getsockname()[1]
        return bound

    async def drain(self, timeout_s: float) -> None:
        """
        Stop listening, let what was begun finish within *timeout_s*, and close.

        Idempotent. What is cut off after the time limit was never answered.
        """
        listeners, self._listeners = self._listeners, []
        if not listeners or self._server is None:
            return
        now = asyncio.get_running_loop().time
        deadline = now() + timeout_s
        for _ in range(2):  # who has connected already is accepted
            await asyncio.sleep(0)
        for each in listeners:
            each.close()
        await asyncio.sleep(0)  # connections accepted just now get their handler
        await self._land(self._server, deadline)
        # aiohttp drops what a connection receives from here on.
        self._server.pre_shutdown()
        # Twice at most: first for all, then for what has its body already.
        await self._server.shutdown(max(deadline - now(), _LAST_S) / 2)
        # Who reads nothing would keep its connection, and Python 3.12 waits for all.
        self._server.abort_all()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_LAST_S):
                for each in listeners:
                    await each.wait_closed()

    async def _land(self, of: server.Server, deadline: float) -> None:
        """
        Let come in what is on its way, answer it, and say that this is the end.

        Also on connections that are only kept alive: who uses one cannot know that
        it is about to be closed, and what was sent on it would be lost.
        """
        now = asyncio.get_running_loop().time
        self._landed = asyncio.Event()
        quiet_at = now() + min(_QUIET_S, (deadline - now()) / 4)
        while of.has_idle and now() < quiet_at:  # noqa: ASYNC110 -- aiohttp tells nobody
            await asyncio.sleep(_POLL_S)
        of.close_idle()
        if self._in_flight:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout_at(deadline - _LAST_S):
                    await self._landed.wait()

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Have one request answered, and count it meanwhile."""
        self._in_flight += 1
        try:
            response = await self._handler(request)
        finally:
            self._in_flight -= 1
            if self._landed is not None and not self._in_flight:
                self._landed.set()
        if self._landed is not None:
            response.force_close()
        return response
