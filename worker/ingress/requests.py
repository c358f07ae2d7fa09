"""Hold what a request says, without believing any of it."""

from aiohttp import hdrs, web

from worker import model
from worker.ingress import source


def head(
    request: web.BaseRequest,
    of: source.IngressSource,
    token: str | None,
    received_at: int,
) -> model.Callback:
    """Return what the request says before its body, without believing any of it."""
    return model.Callback(
        source=of.name,
        method=request.method,
        headers=tuple(
            [
                (name, value)
                for name in of.headers
                for value in request.headers.getall(name, ())
            ]
        ),
        body=b"",
        token=token,
        query=_query(request, of),
        remote=request.remote,
        received_at=received_at,
    )


def whole(said: model.Callback, raw: bytes) -> model.Callback:
    """Return what the request with the head *said* and the body *raw* says."""
    return said._replace(body=raw)


def is_ping(request: web.BaseRequest) -> bool:
    """
    Return whether it asks if the address is there, and says nothing.

    With a query or a body it may be a callback of a source whose ``methods`` lack it:
    answered 2xx, that would be lost.
    """
    asks = request.method in (hdrs.METH_GET, hdrs.METH_HEAD)
    return asks and not request.query_string and not request.body_exists


def _query(request: web.BaseRequest, of: source.IngressSource) -> dict[str, str]:
    """Return the one parameter that the source reads, if it is there exactly once."""
    if of.session_id_query is None or request.method != hdrs.METH_GET:
        return {}
    values = request.query.getall(of.session_id_query, [])
    return {of.session_id_query: values[0]} if len(values) == 1 else {}
