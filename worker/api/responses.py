"""Make every answer of the api: JSON, or a problem document (RFC 9457)."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import orjson
from aiohttp import hdrs, web

from worker import clock as clocks
from worker import http_server
from worker.api import types
from worker.telemetry import labels

Result = labels.ApiResult

BEGIN = "/sessions/{source}"
REGISTER = "/sessions/{source}/{session_id}"

#: Every answer may hold a credential, and none is to be shown in a page.
_SAFE: dict[str, str] = {
    hdrs.SERVER: "kyc-worker",
    hdrs.CACHE_CONTROL: "no-store",
    "X-Content-Type-Options": "nosniff",
}
_JSON = {**_SAFE, hdrs.CONTENT_TYPE: "application/json"}
_PROBLEM = {**_SAFE, hdrs.CONTENT_TYPE: http_server.PROBLEM}
_UNAVAILABLE = HTTPStatus.SERVICE_UNAVAILABLE

PROBLEMS: Mapping[Result, tuple[HTTPStatus, str]] = {
    **{Result(name): answer for name, answer in http_server.COMMON.items()},
    Result.REPEATED: (
        HTTPStatus.CONFLICT,
        "This Idempotency-Key was used before; its answer is not given twice.",
    ),
    Result.REFUSED: (
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "The request cannot be carried out as asked; nothing was begun.",
    ),
    Result.IN_DOUBT: (
        HTTPStatus.GATEWAY_TIMEOUT,
        "The provider did not say whether it has begun the session.",
    ),
    Result.PROVIDER_BUSY: (
        _UNAVAILABLE,
        "The provider takes no more sessions now; nothing was begun.",
    ),
    Result.PROVIDER_FAILED: (
        HTTPStatus.BAD_GATEWAY,
        "The provider did not begin the session; nothing was begun.",
    ),
    Result.NOT_FOUND: (HTTPStatus.NOT_FOUND, "There is no such endpoint or source."),
    Result.NOT_AUTHENTIC: (
        HTTPStatus.UNAUTHORIZED,
        "Send one of the configured keys as a bearer token.",
    ),
    Result.FORBIDDEN: (
        HTTPStatus.FORBIDDEN,
        "This key has no right to a source of that name.",
    ),
    Result.UNAVAILABLE: (_UNAVAILABLE, "This cannot be written down now."),
    Result.FAILED: (_UNAVAILABLE, "This cannot be done now."),
}
_CLOSING = http_server.CLOSING | {Result.NOT_AUTHENTIC, Result.FORBIDDEN}


def problem(
    result: Result,
    *,
    route: str | None = None,
    wrong: Mapping[str, str] | None = None,
    more: Mapping[str, str | None] | None = None,
    headers: Mapping[str, str] | None = None,
) -> web.Response:
    """
    Return the answer to a request that failed.

    *wrong* are fields with their sentences, *more* other members of the document;
    *route* is a template, never a path.
    """
    status, detail = PROBLEMS[result]
    document: dict[str, object] = {} if route is None else {"instance": route}
    if wrong is not None:
        document["errors"] = [
            {"field": field, "message": message}
            for field, message in sorted(wrong.items())
        ]
    document |= {name: value for name, value in (more or {}).items() if value}
    response = web.Response(
        status=status.value,
        body=http_server.problem(status, detail, document),
        headers={**_PROBLEM, **(headers or {})},
    )
    if result in _CLOSING:
        response.force_close()
    return response


def document_of(source: str, started: types.BeginResult) -> dict[str, Any]:
    """Return the answer to a begin: what is not there is left out."""
    begun = started.begun
    expires_at = begun.expires_at
    members: dict[str, Any] = {
        "source": source,
        "session_id": begun.session_id,
        "reference": started.reference,
        "url": begun.url,
        "embed": begun.embed,
        "return_url": started.return_url,
        "finished_url": started.finished_url,
        "expires_at": None if expires_at is None else clocks.format_rfc3339(expires_at),
        "details": dict(begun.details),
        "warnings": list(begun.warnings),
    }
    return {name: value for name, value in members.items() if value is not None}


def begin_response(source: str, started: types.BeginResult) -> web.Response:
    """Return the one answer to a begin; it holds credentials."""
    return web.Response(
        status=HTTPStatus.CREATED.value,
        body=orjson.dumps(document_of(source, started)),
        headers=_JSON,
    )


def registration_response(source: str, session_id: str) -> web.Response:
    """Return the answer to a registration, which is on Kafka."""
    return web.Response(
        status=HTTPStatus.ACCEPTED.value,
        body=orjson.dumps(
            {"status": "accepted", "source": source, "session_id": session_id}
        ),
        headers=_JSON,
    )


def is_unavailable(result: Result) -> bool:
    """Return whether *result* is 503, so that Retry-After belongs to its answer."""
    return result in PROBLEMS and PROBLEMS[result][0] is _UNAVAILABLE
