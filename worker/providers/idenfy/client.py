"""Authenticate requests to iDenfy, and read its error responses.

Source: documentation.idenfy.com, page kyc/id-error-messages, seen 2026-12-01.
"""

from collections.abc import Mapping

from worker import errors
from worker.providers import _http, _http_responses, _oauth
from worker.providers.idenfy import settings

_ERRORS: Mapping[str, type[errors.FetchError]] = {
    "UNAUTHORIZED": errors.ProviderAuthFailed,
    "PERMISSIONS_ERROR": errors.ProviderAuthFailed,
    "PARTNER_CONTRACT_ERROR": errors.ProviderAuthFailed,
    "TOO_MANY_REQUESTS": errors.RateLimited,
    "INTERNAL_ERROR": errors.ProviderFault,
}


def authorised(settings: settings.Settings) -> dict[str, str]:
    """Return the headers of a JSON request with HTTP Basic."""
    return {
        "Authorization": _oauth.basic(settings.api_key, settings.api_secret),
        "Content-Type": "application/json",
    }


def failure(answer: _http_responses.HttpResponse) -> errors.FetchError:
    """Return what an error response means: its identifier first, then its status."""
    word = identifier(answer)
    known = _ERRORS.get(word or "")
    if known is not None:
        wait_ms = _http_responses.retry_after_ms(answer)
        return known(word or "", retry_after_ms=wait_ms)
    # Not documented: which response an unknown scanRef gets; 404 is the usual one.
    if answer.status == 404:  # noqa: PLR2004 -- HTTP
        return errors.SessionNotFound("404")
    return _http_responses.map_status(answer)


def identifier(answer: _http_responses.HttpResponse) -> str | None:
    """Return the ``identifier`` of an error response, None without one."""
    try:
        value = _http.parse_object(answer.body).get("identifier")
    except errors.InvalidResponse:
        return None
    return value if isinstance(value, str) else None
