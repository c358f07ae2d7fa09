"""Hold the open connections, and choose the one that makes room for the next."""

import collections
from collections.abc import Callable
from typing import TYPE_CHECKING

from aiohttp import web

from worker.http_server import connection


def segments(path: str) -> list[str]:
    """
    Return what stands between the slashes of *path*, and nothing that is empty.

    A slash at the end, or two where one belongs, is how addresses are joined in many
    a dashboard; it names nothing else.
    """
    return [segment for segment in path.split("/") if segment]


if TYPE_CHECKING:
    import asyncio
    from typing import Any


class Server(web.Server):
    """aiohttp's low-level server: no router and no middleware on the way."""

    def __init__(
        self,
        handler: connection.Handler,
        *,
        malformed: connection.Malformed,
        bounds: connection.ConnectionLimits,
        on_closed: Callable[[connection.CloseReason], None],
    ) -> None:
        super().__init__(handler, request_factory=self._began)
        self._malformed = malformed
        self._bounds = bounds
        self.on_closed = on_closed
        self._open: dict[connection.Connection, None] = {}
        #: whose request is not here as a whole, or whose answer is not read; the
        #: slowest stands first. No dict: taking its first again and again passes over
        #: all that was taken before.
        self._slow: collections.OrderedDict[connection.Connection, None] = (
            collections.OrderedDict()
        )
        #: of these, whose client has shown a secret before
        self._trusted: collections.OrderedDict[connection.Connection, None] = (
            collections.OrderedDict()
        )

    def __call__(self) -> connection.Connection:
        """Return the protocol of a new connection."""
        return connection.Connection(
            self, loop=self._loop, malformed=self._malformed, bounds=self._bounds
        )

    def __len__(self) -> int:
        """Return how many connections are open."""
        return len(self._open)

    @property
    def has_idle(self) -> bool:
        """Return whether a connection waits for a request."""
        return any(each.idle for each in self._open)

    def close_idle(self) -> None:
        """Close the connections on which no request has come."""
        for each in self._open:
            if each.idle:
                each.close()

    def abort_all(self) -> None:
        """Close every connection at once, whatever is still to be sent."""
        for each in list(self._open):
            each.abort()

    # What a connection reports

    def opened(self, new: connection.Connection) -> None:
        """Take in *new*; where there are too many, close the slowest, or *new*."""
        self._open[new] = None
        self._slow[new] = None
        if len(self._open) > self._bounds.max_connections:
            slowest = self._to_go(new)
            self.closed(slowest)  # counted no longer: it is closed within this turn
            slowest.abort(connection.CloseReason.CROWDED_OUT)

    def _to_go(self, new: connection.Connection) -> connection.Connection:
        """
        Return which one makes room for *new*: of strangers first.

        Who has shown a secret keeps a half of all places at most, so that new clients
        always have the other.
        """
        slowest = next(iter(self._slow))
        many = len(self._trusted) > self._bounds.max_connections // 2
        if self._trusted and (many or slowest is new):
            return next(iter(self._trusted))
        return slowest

    def closed(self, one: connection.Connection) -> None:
        """Forget *one*; idempotent."""
        self._open.pop(one, None)
        self.became_active(one)

    def became_idle(self, one: connection.Connection) -> None:
        """Take note that *one* waits for its client from now on."""
        if one in self._open:
            self.became_active(one)
            (self._trusted if one.trusted else self._slow)[one] = None

    def became_active(self, one: connection.Connection) -> None:
        """Take note that the request of *one* is here as a whole."""
        self._slow.pop(one, None)
        self._trusted.pop(one, None)

    def _began(
        self,
        message: "Any",  # noqa: ANN401 -- aiohttp exports no type of it
        payload: "Any",  # noqa: ANN401 -- as above
        protocol: web.RequestHandler,
        writer: "Any",  # noqa: ANN401 -- as above
        task: "asyncio.Task[None]",
    ) -> web.BaseRequest:
        """Return a new request, of which its connection takes note."""
        request = web.BaseRequest(message, payload, protocol, writer, task, self._loop)
        if isinstance(protocol, connection.Connection):
            protocol.began(request)
        return request
