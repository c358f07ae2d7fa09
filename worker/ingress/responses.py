"""Make every answer there is, from bodies made once."""

from collections.abc import Mapping
from http import HTTPStatus

import orjson
from aiohttp import hdrs, web

from worker import http_server
from worker.telemetry import labels

ROUTE = "/webhooks/{source}"
ROUTE_WITH_TOKEN = "/webhooks/{source}/{token}"  # noqa: S105 -- a template, no token

_SERVER: dict[str, str] = {hdrs.SERVER: "kyc-worker"}
_JSON = {**_SERVER, hdrs.CONTENT_TYPE: "application/json"}
_PROBLEM = {**_SERVER, hdrs.CONTENT_TYPE: http_server.PROBLEM}


#: How a request ended; a metric label and a word of the log.
Result = labels.CallbackResult

_UNAVAILABLE = HTTPStatus.SERVICE_UNAVAILABLE
_ANSWERS: Mapping[Result, tuple[HTTPStatus, str]] = {
    **{Result(name): answer for name, answer in http_server.COMMON.items()},
    Result.NOT_AUTHENTIC: (HTTPStatus.UNAUTHORIZED, "The request is not authentic."),
    Result.UNMAPPABLE: (_UNAVAILABLE, "The callback cannot be taken now."),
    Result.UNDELIVERED: (_UNAVAILABLE, "The message cannot be delivered now."),
    Result.UNAVAILABLE: (_UNAVAILABLE, "The callback cannot be stored now."),
    # 503, because some providers do not retry after 429 (Didit).
    Result.RATE_LIMITED: (_UNAVAILABLE, "The source sends too many callbacks."),
    Result.FAILED: (_UNAVAILABLE, "The callback cannot be taken now."),
}
_CLOSING = http_server.CLOSING | {Result.RATE_LIMITED}
_IGNORED = b'{"status":"ignored"}'


class Refusal(Exception):
    """The request is answered with *result* before anything is verified."""

    def __init__(self, result: Result) -> None:
        super().__init__(result.value)
        self.result = result


def _body(result: Result, route: str | None) -> bytes:
    """Return a problem document; its instance is a route's template, never a path."""
    status, detail = _ANSWERS[result]
    return http_server.problem(status, detail, {"instance": route} if route else None)


_BODIES = {
    (result, route): _body(result, route)
    for result in _ANSWERS
    for route in (None, ROUTE, ROUTE_WITH_TOKEN)
}


def problem(
    result: Result,
    *,
    route: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> web.Response:
    """
    Return the answer to a request that failed (RFC 9457).

    One body for every 401, whatever the cause and whatever the route.
    """
    status, _ = _ANSWERS[result]
    if result is Result.NOT_AUTHENTIC:
        route = ROUTE
    response = web.Response(
        status=status.value,
        body=_BODIES[result, route],
        headers=_PROBLEM | dict(headers) if headers else _PROBLEM,
    )
    if result in _CLOSING:
        response.force_close()
    return response


def respond(
    result: Result,
    *,
    route: str | None = None,
    event_id: str | None = None,
    challenge: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> web.Response:
    """Return the answer to a request that ended with *result*."""
    match result:
        case Result.ACCEPTED | Result.FORWARDED:
            quoted = b"null" if event_id is None else b'"%s"' % event_id.encode()
            body = b'{"status":"accepted","event_id":%s}' % quoted
            return web.Response(body=body, headers=_JSON)
        case Result.IGNORED if challenge is not None:
            document = orjson.dumps({"challenge": challenge})
            return web.Response(body=document, headers=_JSON)
        case Result.IGNORED | Result.ACKNOWLEDGED | Result.PINGED:
            return web.Response(body=_IGNORED, headers=_JSON)
        case _:
            return problem(result, route=route, headers=headers)


def is_our_fault(result: Result) -> bool:
    """Return whether *result* is 503, so that Retry-After belongs to its answer."""
    return result in _ANSWERS and _ANSWERS[result][0] is _UNAVAILABLE
