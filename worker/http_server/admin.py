"""Serve ``/livez``, ``/readyz`` and ``/metrics`` on a port of their own."""

import functools
from collections.abc import Awaitable, Callable
from typing import cast

import prometheus_client
from aiohttp import hdrs, web
from prometheus_client import aiohttp as exposition

from worker import http_server

Probe = Callable[[], bool]
_Route = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]

_TEXT: dict[str, str] = {
    hdrs.CONTENT_TYPE: "text/plain; charset=utf-8",
    hdrs.SERVER: "kyc-worker",
}
_METHODS = (hdrs.METH_GET, hdrs.METH_HEAD)
_BOUNDS = http_server.ConnectionLimits(linger_timeout_s=1.0, max_connections=256)


class AdminServer:
    """A running admin endpoint; built by ``serve``."""

    def __init__(self, listener: http_server.Listener, port: int) -> None:
        self._listener = listener
        self.port = port

    async def close(self, timeout_s: float = 1.0) -> None:
        """Stop listening and close every connection; idempotent."""
        await self._listener.drain(timeout_s)


async def serve(
    host: str,
    port: int,
    *,
    ready: Probe,
    live: Probe,
    metrics: Callable[[], prometheus_client.CollectorRegistry],
) -> AdminServer:
    """
    Listen at *host* and *port* (0: any free one) until it is closed.

    A probe that raises counts as no; the callables are called at each request and
    must not block. *metrics* are served in the format and the compression that the
    client accepts. Raises OSError where the address cannot be used.
    """

    async def expose(request: web.BaseRequest) -> web.StreamResponse:
        # The handler reads nothing but the headers and the query, which both have.
        handler = exposition.make_aiohttp_handler(metrics())
        response = await handler(cast("web.Request", request))
        response.headers[hdrs.SERVER] = _TEXT[hdrs.SERVER]
        return response

    async def probe(holds: Probe, _request: web.BaseRequest) -> web.StreamResponse:
        return _text(200 if holds() else 503)

    paths: dict[str, _Route] = {
        "livez": functools.partial(probe, live),
        "readyz": functools.partial(probe, ready),
        "metrics": expose,
    }

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        route = paths.get("/".join(http_server.segments(request.rel_url.raw_path)))
        if route is None:
            return _text(404)
        if request.method not in _METHODS:
            return _text(405, {hdrs.ALLOW: ", ".join(_METHODS)})
        try:
            return await route(request)
        except Exception:  # noqa: BLE001 -- a probe that fails is a no
            return _text(503)

    listener = http_server.Listener(handle, malformed=_text, bounds=_BOUNDS)
    return AdminServer(listener, await listener.start(host, port))


def _text(status: int, headers: dict[str, str] | None = None) -> web.Response:
    """Return *status* with a short text."""
    body = b"ok\n" if status == 200 else b"no\n"  # noqa: PLR2004 -- 200
    return web.Response(status=status, body=body, headers={**_TEXT, **(headers or {})})
