"""Obtain access tokens by OAuth 2.0 client credentials (RFC 6749, section 4.4).

One token for all fetches of a source: cached until shortly before it expires, and
renewed once where the API refuses it.
"""

import base64
import re
import urllib.parse
from collections.abc import Awaitable, Callable, Mapping

from worker import clock as clocks
from worker import errors
from worker.providers import _http, _http_responses, _single_flight
from worker.settings import types

_TOKEN = re.compile(r"[!-~]{1,8192}")
_UNAUTHORISED = 401
#: a token is renewed this long before it expires
_EARLY_MS = 60_000
#: how long a token is used whose response does not say when it expires
_DEFAULT_MS = 300_000
_LONGEST_MS = 24 * 3_600_000

Call = Callable[[Mapping[str, str]], Awaitable[_http_responses.HttpResponse]]


class ClientCredentials:
    """The access token of one client at one token endpoint."""

    def __init__(
        self,
        http: _http.Http,
        path: str,
        *,
        client_id: types.Secret,
        client_secret: types.Secret,
        clock: clocks.Clock,
        scope: str | None = None,
        in_form: bool = False,
    ) -> None:
        """Send the credentials as HTTP Basic, or *in_form* as members of the body."""
        self._http = http
        self._path = path
        self._client_id = client_id
        self._client_secret = client_secret
        self._clock = clock
        self._scope = scope
        self._in_form = in_form
        self._token: str | None = None
        self._renew_at = 0
        self._renewal = _single_flight.SingleFlight[str]()

    async def call(self, request: Call) -> _http_responses.HttpResponse:
        """
        Return the response of *request*, which gets the header with the token.

        A 401 renews the token once and repeats the request. Raises errors.FetchError.
        """
        token = await self._current()
        answer = await request(_header(token))
        if answer.status == _UNAUTHORISED:
            if self._token == token:
                self._token = None
            answer = await request(_header(await self._current()))
        return answer

    async def authorization(self) -> Mapping[str, str]:
        """Return the header with a valid token; raises errors.FetchError."""
        return _header(await self._current())

    async def _current(self) -> str:
        """Return a token that has not expired, from one request for all callers."""
        if self._token is not None and self._clock.now_ms() < self._renew_at:
            return self._token
        return await self._renewal.join(self._request)

    async def _request(self) -> str:
        """Return a new token of the endpoint."""
        asked_at = self._clock.now_ms()
        form = {"grant_type": "client_credentials"}
        if self._scope is not None:
            form["scope"] = self._scope
        headers = {
            "Accept": "application/json",
            "Content-Type": "application/x-www-form-urlencoded",
        }
        if self._in_form:
            form["client_id"] = self._client_id.reveal()
            form["client_secret"] = self._client_secret.reveal()
        else:
            headers["Authorization"] = basic(self._client_id, self._client_secret)
        answer = await self._http.request(
            "POST",
            self._path,
            body=urllib.parse.urlencode(form).encode(),
            headers=headers,
        )
        if answer.status in {400, 401, 403}:  # RFC 6749, section 5.2: our credentials
            raise errors.ProviderAuthFailed("token")
        if answer.status != 200:  # noqa: PLR2004 -- HTTP
            raise _http_responses.map_status(answer, detail="token")
        document = _http.parse_object(answer.body)
        token, kind = document.get("access_token"), document.get("token_type", "Bearer")
        usable = isinstance(token, str) and _TOKEN.fullmatch(token)
        if not usable or not isinstance(kind, str) or kind.lower() != "bearer":
            # Some endpoints answer 200 with an error in the body.
            refused = isinstance(document.get("error"), str)
            raise (errors.ProviderAuthFailed if refused else errors.InvalidResponse)(
                "token"
            )
        self._renew_at = asked_at + _lifetime_ms(document.get("expires_in"))
        self._token = str(token)
        return self._token

    async def close(self) -> None:
        """End a renewal in progress and close the connections; idempotent."""
        await self._renewal.close()
        await self._http.close()


def basic(user: types.Secret, password: types.Secret) -> str:
    """Return the value of ``Authorization`` for HTTP Basic."""
    pair = f"{user.reveal()}:{password.reveal()}".encode()
    return f"Basic {base64.b64encode(pair).decode()}"


def _header(token: str) -> Mapping[str, str]:
    return {"Authorization": f"Bearer {token}"}


def _lifetime_ms(seconds: object) -> int:
    """Return how long a token is used; a short one for at least half its time."""
    if isinstance(seconds, str) and seconds.isascii() and seconds.isdigit():
        seconds = int(seconds[:9])
    if isinstance(seconds, bool) or not isinstance(seconds, int) or seconds <= 0:
        return _DEFAULT_MS
    lifetime = min(seconds * 1000, _LONGEST_MS)
    return max(lifetime - _EARLY_MS, lifetime // 2)
