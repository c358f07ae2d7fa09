"""Listen, count what is being handled, and drain."""

import asyncio
import contextlib
import dataclasses
import resource
import socket
from collections.abc import Callable

from aiohttp import web

from worker.http_server import body_budget as bodies_of
from worker.http_server import connection, server

#: waiting to be accepted; the kernel keeps them
BACKLOG = 1024
#: everywhere, in the words of either family
_EVERYWHERE = ("::", "")
#: for Kafka, providers, logs and what is accepted before it is counted
_SPARE_DESCRIPTORS = 256


async def listening(host: str, port: int) -> list[socket.socket]:
    """
    Return a socket for each address of *host*, on one port; 0 asks for any.

    ``::`` takes IPv4 as well. Raises OSError if no socket can be bound.
    """
    if host in _EVERYWHERE:
        made = [_everywhere(port)]
    else:
        made = await _each(host, port)
    for each in made:
        each.settimeout(0)
    return made


def _everywhere(port: int) -> socket.socket:
    both = socket.has_dualstack_ipv6()
    family = socket.AF_INET6 if both else socket.AF_INET
    return socket.create_server(
        ("", port), family=family, backlog=BACKLOG, dualstack_ipv6=both
    )


async def _each(host: str, port: int) -> list[socket.socket]:
    found = await asyncio.get_running_loop().getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )
    made: list[socket.socket] = []
    failure: OSError | None = None
    for family, address in dict.fromkeys((each[0], each[4]) for each in found):
        # All on the port that the first one was given.
        given = made[0].getsockname()[1] if made else port
        place = (address[0], given, *address[2:])
        try:
            made.append(socket.create_server(place, family=family, backlog=BACKLOG))
        except OSError as error:
            # A name may have an address in a family that this machine has not.
            failure = error
    if not made and failure is not None:
        raise failure
    return made


def affordable(connections: int) -> int:
    """
    Return how many of *connections* this process has file descriptors for.

    Raises its soft limit as far as it may.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = connections + _SPARE_DESCRIPTORS
    if soft != resource.RLIM_INFINITY and soft < wanted:
        most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
        soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return connections
    return max(1, min(connections, soft - _SPARE_DESCRIPTORS))


#: accepted in one turn of the loop, so that the others get theirs
_ACCEPTED_AT_ONCE = 64
#: while draining: for a request that is on its way, and to close what is left
_QUIET_S = 1.0
_LAST_S = 0.2
_POLL_S = 0.02


def _uncounted(_why: connection.CloseReason) -> None:
    """Count nothing."""


class Listener:
    """Has *handler* answer every request; it must not raise."""

    def __init__(
        self,
        handler: connection.Handler,
        *,
        malformed: connection.Malformed,
        bounds: connection.ConnectionLimits,
        on_closed: Callable[[connection.CloseReason], None] = _uncounted,
    ) -> None:
        self._handler = handler
        self._malformed = malformed
        self._bounds = bounds
        self._on_closed = on_closed
        #: the bodies of all requests, read and held
        self.bodies = bodies_of.BodyBudget(bounds.max_buffered_bytes)
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
        most = affordable(self._bounds.max_connections)
        self._max_connections = most
        self._server = server.Server(
            self._handle,
            malformed=self._malformed,
            bounds=dataclasses.replace(self._bounds, max_connections=most),
            on_closed=self._on_closed,
        )
        for each in await listening(host, port):
            self._listeners.append(
                await loop.create_server(
                    self._server, sock=each, backlog=_ACCEPTED_AT_ONCE
                )
            )
            # The kernel keeps more than asyncio takes at once.
            each.listen(BACKLOG)
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
        await self._drain(self._server, deadline)
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

    async def _drain(self, of: server.Server, deadline: float) -> None:
        """
        Let come in what is on its way, answer it, and say that this is the end.

        Also on connections that are only kept alive: who uses one cannot know that
        it is about to be closed, and what was sent on it would be lost.
        """
        now = asyncio.get_running_loop().time
        self._landed = asyncio.Event()
        quiet_at = now() + min(_QUIET_S, (deadline - now()) / 4)
        while of.has_idle and now() < quiet_at:  # noqa: ASYNC110 -- aiohttp has no event for it
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
