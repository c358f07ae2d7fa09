"""
Keep aiohttp's own answers, its logging and its connections within our rules.

The only file that uses names which aiohttp keeps to itself; ``PRIVATE`` lists them.
"""

import asyncio
import contextlib
import dataclasses
import enum
import logging
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Final

from aiohttp import web


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionLimits:
    """What connections may take: times in seconds."""

    #: for an idle connection, and for one whose request head does not come
    keepalive_timeout_s: float = 75.0
    #: for the rest of a body that is not read, before the connection is closed
    linger_timeout_s: float = 2.0
    #: for a client to read an answer, before the connection is closed
    send_timeout_s: float = 30.0
    #: open at once; the slowest is closed for the next
    max_connections: int = 4000
    #: of all request bodies together, from their first byte to the answer
    max_buffered_bytes: int = 64 << 20


if TYPE_CHECKING:
    from worker.http_server.server import Server

#: What is used here of aiohttp's RequestHandler and is no part of its API.
PRIVATE: Final = ("_messages", "_current_request", "_lingering_time")

#: aiohttp logs what it could not parse together with what was sent: headers, paths.
#: Outside of the tree of loggers, no configuration can switch it on again.
_SILENT = logging.Logger(  # noqa: LOG001 -- see above
    "worker.http_server.silent", level=logging.CRITICAL + 1
)
#: read at once and kept by aiohttp before a handler runs; many connections at a time
_READ_BYTES = 32 << 10
#: of an unfinished request head; nginx takes as much
_HEAD_BYTES = 32 << 10
#: no header may hold it: aiohttp refuses the head as malformed
_NOT_HTTP = b"\x00\r\n\r\n"
#: of a request that is refused: read and dropped, so that its answer is not lost
_DISCARDED_BYTES = 32 << 20

#: Makes the answer to what is not HTTP, by the status that aiohttp has for it.
Malformed = Callable[[int], web.Response]
Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


class CloseReason(enum.StrEnum):
    """Why a connection was closed although its client did nothing forbidden."""

    #: the slowest one, to make room for a newer one
    CROWDED_OUT = "crowded_out"
    #: its client did not read its answer in time
    UNREAD = "unread"


class Connection(web.RequestHandler):
    """One connection; what is not HTTP gets a problem document like the rest."""

    __slots__ = (
        "_answering",
        "_bounds",
        "_broken",
        "_dropped_bytes",
        "_ended",
        "_half_closed",
        "_head_bytes",
        "_malformed",
        "_newest",
        "_server",
        "_unread",
        "_wire",
        "trusted",
    )

    def __init__(
        self,
        server: "Server",
        *,
        loop: asyncio.AbstractEventLoop,
        malformed: Malformed,
        bounds: ConnectionLimits,
    ) -> None:
        super().__init__(
            server,
            loop=loop,
            access_log=_SILENT,  # switched off, it costs nothing
            logger=_SILENT,
            auto_decompress=False,
            keepalive_timeout=bounds.keepalive_timeout_s,
            lingering_time=bounds.linger_timeout_s,
            read_bufsize=_READ_BYTES,
        )
        self._server = server
        self._malformed = malformed
        self._bounds = bounds
        #: aiohttp forgets its own as soon as it has asked for the end
        self._wire: asyncio.Transport | None = None
        #: of the request that was made last
        self._newest: web.BaseRequest | None = None
        #: whether its client has shown a secret, so that strangers make room first
        self.trusted = False
        self._answering = False
        self._broken = False
        self._half_closed = False
        self._head_bytes = 0
        #: there only while the rest of a request is dropped; done at its end
        self._ended: asyncio.Future[None] | None = None
        self._dropped_bytes = 0
        #: there only while an answer waits to be read
        self._unread: asyncio.TimerHandle | None = None

    @property
    def idle(self) -> bool:
        """Return whether no request is being read or answered."""
        return self._current_request is None

    def abort(self, why: CloseReason | None = None) -> None:
        """Close at once, whatever is still to be sent; *why* is counted."""
        if self._wire is not None:
            if why is not None:
                self._server.on_closed(why)
            self._wire.abort()

    def arrived(self) -> None:
        """Take note that the request is here as a whole."""
        if self._unread is None:
            self._server.became_active(self)

    # What the transport calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take a new connection, or make room for it."""
        if isinstance(transport, asyncio.Transport):
            self._wire = transport
            # Writing pauses while the client has not read, and not a buffer later.
            transport.set_write_buffer_limits(high=0)
            # Bounds what one turn of the loop takes from all connections together.
            if hasattr(transport, "max_size"):
                transport.max_size = _READ_BYTES
        super().connection_made(transport)
        self._server.opened(self)

    def connection_lost(self, exc: BaseException | None) -> None:
        """Forget a connection that is closed."""
        self._server.closed(self)
        self._stop_waiting()
        self._wire = None
        if self._ended is not None and not self._ended.done():
            self._ended.set_result(None)
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """Give the client a time in which it must read its answers."""
        super().pause_writing()
        # What is not read is slow, too, however whole its request.
        self._server.became_idle(self)
        self._unread = self._loop.call_later(
            self._bounds.send_timeout_s, self.abort, CloseReason.UNREAD
        )

    def resume_writing(self) -> None:
        """Take note that all was read."""
        self._stop_waiting()
        if self._answering and self._ended is None and self._whole:
            self._server.became_active(self)
        super().resume_writing()

    def _stop_waiting(self) -> None:
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None

    def data_received(self, data: bytes) -> None:
        """Have aiohttp parse *data*, unless nothing of it is wanted any more."""
        if self._ended is not None:
            self._dropped_bytes += len(data)
            if self._dropped_bytes > _DISCARDED_BYTES:
                self.abort()
            return
        before = self._newest, len(self._messages)
        super().data_received(data)
        whole = self._whole
        if (self._newest, len(self._messages)) != before or not whole:
            self._head_bytes = 0
            return
        self._head_bytes += len(data)
        if self._head_bytes > _HEAD_BYTES:
            self._head_bytes = 0
            super().data_received(_NOT_HTTP)

    def eof_received(self) -> bool | None:  # type: ignore[override] # -- asyncio takes both
        """
        Keep open for the answer what is a whole request, and close all else.

        A client may say that it has sent everything and still wait for its answer.
        """
        if self._ended is not None:
            if not self._ended.done():
                self._ended.set_result(None)
            return None
        if (self._answering or self._messages) and self._whole:
            self._half_closed = True
            return True
        return None

    @property
    def _whole(self) -> bool:
        """Return whether the last request that was begun is here as a whole."""
        if self._messages:
            return self._messages[-1][1].is_eof()
        return self._newest is None or self._newest.content.is_eof()

    # What aiohttp calls

    def began(self, request: web.BaseRequest) -> None:
        """Take note that *request* is about to be handled."""
        self._newest = request
        self._answering = True
        self._head_bytes = 0
        if request.content.is_eof():
            self.arrived()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,  # noqa: ARG002 -- it quotes what was sent
        message: str | None = None,  # noqa: ARG002 -- as above
    ) -> web.StreamResponse:
        """Answer what aiohttp could not parse, in our words."""
        if request.writer.output_size > 0:
            raise ConnectionError("the answer has begun")
        self._broken = True
        response = self._malformed(status)
        response.force_close()
        return response

    async def finish_response(
        self,
        request: web.BaseRequest,
        resp: web.StreamResponse,
        start_time: float | None,
    ) -> tuple[web.StreamResponse, bool]:
        """Send *resp*, and see to it that it can arrive."""
        sent, reset = await super().finish_response(request, resp, start_time)
        try:
            if not reset:
                unread = self._broken or not request.content.is_eof()
                if not resp.keep_alive and unread:
                    await self._discard(request)
        finally:
            self._answering = False
        if self._half_closed and not self._messages:
            self.close()
        elif not reset:
            self._server.became_idle(self)
        return sent, reset

    async def _discard(self, request: web.BaseRequest) -> None:
        """
        Say that this was the last answer, and drop what still comes, for a while.

        Closed with something unread in it, a connection is reset, and a client that
        sends before it reads would lose the answer.
        """
        wire = self._wire
        if wire is None or wire.is_closing():
            return
        self._ended = self._loop.create_future()
        self._server.became_idle(self)
        request.content.feed_eof()
        with contextlib.suppress(Exception):  # what broke the request off
            request.content.read_nowait()
        self._lingering_time = 0.0
        if wire.can_write_eof():
            wire.write_eof()
        wire.resume_reading()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._bounds.linger_timeout_s):
                await self._ended


def trust(request: web.BaseRequest) -> None:
    """Take note that the client of *request* has shown a secret."""
    if isinstance(request.protocol, Connection):
        request.protocol.trusted = True
