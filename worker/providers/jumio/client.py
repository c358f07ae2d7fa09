"""Call Jumio's APIs of one region with one access token."""

from collections.abc import Mapping

from worker import clock as clocks
from worker.providers import _http, _oauth
from worker.providers.jumio import settings


def token(settings: settings.Settings, clock: clocks.Clock) -> _oauth.ClientCredentials:
    """Return the access token of a source; opens no connection yet."""
    http = _http.Http(
        base_url=settings.token_host,
        timeout_ms=settings.fetch_timeout,
        limit_bytes=settings.max_answer_bytes,
        clock=clock,
        proxy=settings.proxy,
    )
    return _oauth.ClientCredentials(
        http,
        "/oauth2/token",
        client_id=settings.client_id,
        client_secret=settings.client_secret,
        clock=clock,
    )


def headers(settings: settings.Settings) -> Mapping[str, str]:
    """Return what every call contains beside the token."""
    named = {"Accept": "application/json"}
    if settings.user_agent is not None:
        named["User-Agent"] = settings.user_agent
    return named
