"""Serve ``/livez``, ``/readyz`` and ``/metrics`` on a port of their own."""

from collections.abc import Callable

from aiohttp import hdrs, web

from worker import http_server

Probe = Callable[[], bool]

_TEXT: dict[str, str] = {
    hdrs.CONTENT_TYPE: "text/plain; charset=utf-8",
    hdrs.SERVER: "kyc-worker",
}
#: Prometheus' text format.
_METRICS: dict[str, str] = {
    **_TEXT,
    hdrs.CONTENT_TYPE: "text/plain; version=0.0.4; charset=utf-8",
}
_METHODS = (hdrs.METH_GET, hdrs.METH_HEAD)
_BOUNDS = http_server.ConnectionLimits(linger_timeout_s=1.0, max_connections=256)


class AdminServer:
    """A running admin endpoint; made by ``serve``."""

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
    metrics: Callable[[], bytes],
) -> AdminServer:
    """
    Listen at *host* and *port* (0: any free one) until it is closed.

    A probe that raises counts as no; the callables are asked at each request and
    must not block. Raises OSError where the address cannot be had.
    """
    paths = {
        "livez": lambda: _probe(live),
        "readyz": lambda: _probe(ready),
        "metrics": lambda: web.Response(body=metrics(), headers=_METRICS),
    }

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        answer = paths.get("/".join(http_server.segments(request.rel_url.raw_path)))
        if answer is None:
            return _text(404)
        if request.method not in _METHODS:
            return _text(405, {hdrs.ALLOW: ", ".join(_METHODS)})
        try:
            return answer()
        except Exception:  # noqa: BLE001 -- what cannot be told is not well
            return _text(503)

    listener = http_server.Listener(handle, malformed=_text, bounds=_BOUNDS)
    return AdminServer(listener, await listener.start(host, port))


def _probe(holds: Probe) -> web.Response:
    """Return 200 where *holds*, else 503."""
    return _text(200 if holds() else 503)


def _text(status: int, headers: dict[str, str] | None = None) -> web.Response:
    """Return a status with a word for people."""
    word = b"ok\n" if status == 200 else b"no\n"  # noqa: PLR2004 -- 200
    return web.Response(status=status, body=word, headers={**_TEXT, **(headers or {})})
