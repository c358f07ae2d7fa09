"""Read what a result call answers: its status, its object, the session it is of."""

from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

from worker import errors, model
from worker.providers import _http, _http_responses


def of_response(answer: _http_responses.HttpResponse) -> model.ProviderResponse:
    """
    Return the object of a 200; raises errors.FetchError for everything else.

    404 is errors.SessionNotFound: the provider has no such session.
    """
    if answer.status == HTTPStatus.NOT_FOUND:
        raise errors.SessionNotFound
    if answer.status != HTTPStatus.OK:
        raise _http_responses.map_status(answer)
    document = _http.parse_object(answer.body)
    return model.ProviderResponse(document=document, observed_at=answer.received_at)


def object_of(answer: model.ProviderResponse) -> Mapping[str, Any]:
    """Return the document; raises errors.InvalidResponse where it is no object."""
    if not isinstance(answer.document, dict):
        raise errors.InvalidResponse("not_an_object")
    return answer.document


def check_session(
    document: Mapping[str, Any],
    name: str,
    canonical: Callable[[object], str | None],
    session: model.SessionKey,
) -> None:
    """
    Return if the member *name* spells the id of *session*, read by *canonical*.

    Raises errors.ResultMismatch.
    """
    if name not in document:
        raise errors.ResultMismatch("absent")
    if canonical(document[name]) != session.session_id:
        raise errors.ResultMismatch("differs")
