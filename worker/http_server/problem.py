"""Write problem documents (RFC 9457), the same for every endpoint."""

from collections.abc import Mapping
from http import HTTPStatus

import orjson

CONTENT_TYPE = "application/problem+json"


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
