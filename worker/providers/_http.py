"""
Ask a provider's API: one session a source, bounded, and silent about what it sent.

Keys travel in queries, headers and bodies. So no URL, no header, no body and no
text of a lower exception ever gets into an error: what a lower library raises is
replaced outside of its ``except`` block and leaves no context behind.
"""

import contextlib
import random
from collections.abc import Mapping
from typing import Any

import aiohttp
import tenacity
import yarl

import worker
from worker import clock as clocks
from worker import errors, lenient_json
from worker.providers import _body_budget, _http_responses
from worker.settings import sources, types

_ATTEMPTS = 3  # the first, and at most two more in place
_WAIT_S = (0.05, 0.25)  # between two of them, at random
#: an answer that is longer reserves all that it may come to, of so many bytes a source
_SMALL_BYTES = 64 << 10
_LARGE_BYTES = 32 << 20
#: An intermediary asks the provider each time (RFC 9111, section 5.2.1.4; HTTP/1.0).
_UNCACHED = {"Cache-Control": "no-cache", "Pragma": "no-cache"}
#: ``Age`` is in whole seconds, and may be rounded up
_AGE_ROUNDED_MS = 1_000


class Http:
    """One source's connections to one provider."""

    def __init__(
        self,
        *,
        base_url: str,
        timeout_ms: int,
        limit_bytes: int,
        clock: clocks.Clock,
        attempts: int = _ATTEMPTS,
        proxy: types.Secret | None = None,
        large_bytes: int = _LARGE_BYTES,
    ) -> None:
        self._base = base_url.rstrip("/")
        self._timeout = aiohttp.ClientTimeout(total=timeout_ms / 1000)
        self._limit_bytes = limit_bytes
        self._clock = clock
        self._attempts = attempts
        self._proxy = proxy
        self._session: aiohttp.ClientSession | None = None
        self._closed = False
        self._large = _body_budget.Budget(large_bytes)

    async def request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        limit_bytes: int | None = None,
        attempts: int | None = None,
    ) -> _http_responses.HttpResponse:
        """
        Send one request and return the whole answer, whatever its status.

        *path* is already quoted; *limit_bytes* (decompressed) and *attempts*
        replace the source's own. Failures to connect are repeated in place, so a
        request that is not idempotent needs ``attempts=1``. Raises
        errors.ProviderUnreachable, errors.ProviderTimeout or errors.BadAnswer
        (``redirect``, ``too_large``, ``cached``), nothing else.
        """
        url = yarl.URL(self._base + path, encoded=True)
        if query is not None:
            url = url.with_query(query)
        limit = self._limit_bytes if limit_bytes is None else limit_bytes
        try:
            return await self._send(method, url, body, headers, limit)
        except errors.FetchError as error:
            left = (attempts or self._attempts) - 1
            if not left or not _worth_repeating(error):
                raise
        # Only now: retrying costs more than a request, and nearly all succeed at once.
        await self._clock.sleep(random.uniform(*_WAIT_S))  # noqa: S311 -- no secret
        retrying = tenacity.AsyncRetrying(
            stop=tenacity.stop_after_attempt(left),
            wait=tenacity.wait_random(*_WAIT_S),
            retry=tenacity.retry_if_exception(_worth_repeating),
            sleep=self._clock.sleep,
            reraise=True,
        )
        answer: _http_responses.HttpResponse = await retrying(
            self._send, method, url, body, headers, limit
        )
        return answer

    async def _send(
        self,
        method: str,
        url: yarl.URL,
        body: bytes | None,
        headers: Mapping[str, str] | None,
        limit_bytes: int,
    ) -> _http_responses.HttpResponse:
        """Make one attempt; nothing of a lower exception gets out."""
        if self._closed:
            raise errors.ProviderUnreachable(_http_responses.NOT_CONNECTED)
        asked_at = self._clock.now_ms()
        try:
            async with self._opened().request(
                method,
                url,
                data=body,
                headers=headers,
                allow_redirects=False,
                proxy=None if self._proxy is None else self._proxy.reveal(),
            ) as response:
                self._check_age(response, asked_at)
                return await self._read_body(response, limit_bytes)
        except (aiohttp.ClientError, OSError, ValueError) as failure:
            mapped = _http_responses.map_client_error(failure)
        # Raised here and not above: an error with no context cannot tell the URL.
        raise mapped

    def _check_age(self, response: aiohttp.ClientResponse, asked_at: int) -> None:
        """Refuse what a cache held before *asked_at*: it answers an older question."""
        age = response.headers.get("Age", "").strip()
        if age.isascii() and age.isdigit():
            passed_ms = max(self._clock.now_ms() - asked_at, 0)
            if int(age[:9]) * 1000 > passed_ms + _AGE_ROUNDED_MS:
                raise errors.InvalidResponse("cached")

    async def _read_body(
        self, response: aiohttp.ClientResponse, limit_bytes: int
    ) -> _http_responses.HttpResponse:
        """
        Read the body piece by piece, at most *limit_bytes* of it.

        Nearly all are small. A large one waits until the source holds less of others;
        its connection waits with it, within the time-out.
        """
        if response.status // 100 == 3:  # noqa: PLR2004 -- 3xx
            raise errors.InvalidResponse("redirect")
        body, large = bytearray(), False
        async with contextlib.AsyncExitStack() as held:
            while not response.content.at_eof():
                body += await response.content.readany()
                if len(body) > limit_bytes:
                    response.close()
                    raise errors.InvalidResponse("too_large")
                if not large and len(body) > _SMALL_BYTES:
                    large = True
                    await held.enter_async_context(self._large.reserved(limit_bytes))
        return _http_responses.HttpResponse(
            status=response.status,
            headers=response.headers,
            body=bytes(body),
            received_at=self._clock.now_ms(),
        )

    @property
    def reserved_bytes(self) -> int:
        """Return how many bytes large answers may take that are being read."""
        return self._large.reserved_bytes

    def _opened(self) -> aiohttp.ClientSession:
        """Return the session, made inside the running loop on first use."""
        if self._session is None:
            self._session = aiohttp.ClientSession(
                timeout=self._timeout,
                # The source's gate says how many at once; aiohttp's own limit is 100.
                connector=aiohttp.TCPConnector(limit=0),
                # A provider's cookie is a state that we did not ask for.
                cookie_jar=aiohttp.DummyCookieJar(),
                # No proxy and no .netrc from the environment: a proxy is a setting.
                trust_env=False,
                headers={
                    "User-Agent": f"kyc-worker/{worker.__version__}",
                    **_UNCACHED,
                },
            )
        return self._session

    async def close(self) -> None:
        """Close the connections; idempotent, and nothing is sent after it."""
        self._closed = True
        session, self._session = self._session, None
        if session is not None:
            await session.close()


def of_source(settings: sources.Source, clock: clocks.Clock) -> Http:
    """Return the connections by which results of a source are fetched."""
    return Http(
        base_url=settings.base_url,
        timeout_ms=settings.fetch_timeout,
        limit_bytes=settings.max_answer_bytes,
        clock=clock,
        proxy=settings.proxy,
    )


def _worth_repeating(failure: BaseException) -> bool:
    """Return whether the error says once or twice more in place."""
    return (
        isinstance(failure, errors.FetchError)
        and failure.disposition is errors.Disposition.RETRY_NOW
    )


def parse_object(body: bytes) -> dict[str, Any]:
    """
    Return the one JSON object that *body* is.

    Half a surrogate pair is read as U+FFFD. Raises errors.BadAnswer: HTML, truncated,
    NaN, not UTF-8, nested too deeply, or another JSON value.
    """
    document = lenient_json.loads(body)
    if not isinstance(document, dict):
        raise errors.InvalidResponse("not_an_object")
    return document
