"""Keep aiohttp's own answers and its own logging within our rules."""

import asyncio
import dataclasses
import logging
from collections.abc import Awaitable, Callable

from aiohttp import web

#: aiohttp logs what it could not parse together with what was sent: headers, paths.
#: Outside of the tree of loggers, no configuration can switch it on again.
_SILENT = logging.Logger(  # noqa: LOG001 -- see above
    "worker.serving.silent", level=logging.CRITICAL + 1
)

Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]
#: Makes the answer to what is not HTTP, by the status that aiohttp has for it.
Malformed = Callable[[int], web.Response]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """What a connection may take, in seconds."""

    #: for an idle connection, and for one whose request head does not come
    keepalive_timeout_s: float = 75.0
    #: for the rest of a body that is not read, before the connection is cut
    linger_timeout_s: float = 2.0


class Connection(web.RequestHandler):
    """One connection; what is not HTTP gets a problem document like the rest."""

    __slots__ = ("_malformed",)

    def __init__(
        self,
        manager: web.Server,
        *,
        loop: asyncio.AbstractEventLoop,
        malformed: Malformed,
        bounds: Bounds,
    ) -> None:
        super().__init__(
            manager,
            loop=loop,
            access_log=_SILENT,  # switched off, it costs nothing
            logger=_SILENT,
            auto_decompress=False,
            keepalive_timeout=bounds.keepalive_timeout_s,
            lingering_time=bounds.linger_timeout_s,
        )
        self._malformed = malformed

    @property
    def idle(self) -> bool:
        """Return whether no request is being read or answered."""
        return self._current_request is None

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
        response = self._malformed(status)
        response.force_close()
        return response


class Server(web.Server):
    """aiohttp's low-level server: no router and no middleware on the way."""

    def __init__(
        self, handler: Handler, *, malformed: Malformed, bounds: Bounds
    ) -> None:
        super().__init__(handler)
        self._malformed = malformed
        self._bounds = bounds

    def __call__(self) -> Connection:
        """Return the protocol of a new connection."""
        return Connection(
            self, loop=self._loop, malformed=self._malformed, bounds=self._bounds
        )

    @property
    def has_idle(self) -> bool:
        """Return whether a connection waits for a request."""
        return any(each.idle for each in self._ours())

    def close_idle(self) -> None:
        """Close the connections on which no request has come."""
        for each in self._ours():
            if each.idle:
                each.close()

    def _ours(self) -> list[Connection]:
        return [each for each in self.connections if isinstance(each, Connection)]
