"""Name the failures that every endpoint has, and write problem documents (RFC 9457)."""

from collections.abc import Mapping
from http import HTTPStatus

import orjson

from worker import errors
from worker.http_server import body, body_budget

CONTENT_TYPE = "application/problem+json"

#: What a request can fail of at every endpoint: the service's result, the status, and
#: a sentence for the caller.
COMMON: Mapping[str, tuple[HTTPStatus, str]] = {
    "not_found": (HTTPStatus.NOT_FOUND, "There is no such endpoint."),
    "method_not_allowed": (
        HTTPStatus.METHOD_NOT_ALLOWED,
        "This endpoint does not take this method.",
    ),
    "too_large": (
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        "The body is larger than this endpoint takes.",
    ),
    "encoded": (
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        "Send the body without a Content-Encoding.",
    ),
    "timed_out": (HTTPStatus.REQUEST_TIMEOUT, "The body did not arrive in time."),
    "aborted": (HTTPStatus.BAD_REQUEST, "The request is not whole."),
    "malformed_request": (HTTPStatus.BAD_REQUEST, "The request is malformed."),
    "malformed_body": (HTTPStatus.BAD_REQUEST, "The body is not one JSON object."),
    "overloaded": (
        HTTPStatus.SERVICE_UNAVAILABLE,
        "Too many requests are being handled.",
    ),
}
#: After these the rest of the request is not worth reading.
CLOSING = frozenset(
    {"too_large", "timed_out", "aborted", "malformed_request", "overloaded"}
)


def common_result(failure: Exception) -> str | None:
    """Return which of COMMON a failure to read the request is, None for any other."""
    match failure:
        case body.BodyReadError():
            return failure.fault.value
        case body_budget.BodyEvicted():
            return "overloaded"
        case errors.MalformedBody():
            return "malformed_body"
        case _:
            return None


def problem(
    status: HTTPStatus, detail: str, more: Mapping[str, object] | None = None
) -> bytes:
    """
    Return the document of *status*; *detail* is a sentence of ours.

    *more* are its other members, such as an ``instance``: a route's template.
    """
    document: dict[str, object] = {
        "type": "about:blank",
        "title": status.phrase,
        "status": status.value,
        "detail": detail,
    }
    return orjson.dumps(document | dict(more or {}))
