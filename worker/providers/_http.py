"""
Ask a provider's API: one session a source, bounded, and silent about what it sent.

Keys travel in queries, headers and bodies. So no URL, no header, no body and no
text of a lower exception ever gets into an error: what a lower library raises is
replaced outside of its ``except`` block and leaves no context behind.
"""

import contextlib
import dataclasses
import email.utils
import random
from collections.abc import Mapping
from typing import Any

import aiohttp
import multidict
import orjson
import tenacity
import yarl

import worker
from worker import clock as clocks
from worker import errors

_ATTEMPTS = 3  # the first, and at most two more in place
_WAIT_S = (0.05, 0.25)  # between two of them, at random
#: the detail of an error that tells that no byte of the request was sent
NOT_CONNECTED = errors.ProviderUnreachable.NOT_CONNECTED
_RETRY_AFTER_MAX_MS = 24 * 3_600_000

#: An intermediary asks the provider each time (RFC 9111, section 5.2.1.4; HTTP/1.0).
_UNCACHED = {"Cache-Control": "no-cache", "Pragma": "no-cache"}
#: ``Age`` is in whole seconds, and may be rounded up
_AGE_ROUNDED_MS = 1_000

#: Read top down: aiohttp's classes inherit from each other and from OSError.
_FAILURES: tuple[
    tuple[tuple[type[BaseException], ...], type[errors.FetchError], str], ...
] = (
    ((TimeoutError,), errors.ProviderTimeout, ""),
    (
        (aiohttp.ClientPayloadError, aiohttp.UploadAbortedError),
        errors.ProviderUnreachable,
        "broken_off",
    ),
    # Before a connection there was nothing to send anything over.
    ((aiohttp.ClientConnectorError,), errors.ProviderUnreachable, NOT_CONNECTED),
    ((aiohttp.ClientConnectionError, OSError), errors.ProviderUnreachable, ""),
    ((aiohttp.ClientResponseError,), errors.BadAnswer, "protocol"),
    (
        (
            aiohttp.InvalidURL,
            aiohttp.NonHttpUrlClientError,
            aiohttp.RedirectClientError,
        ),
        errors.BadAnswer,
        "url",
    ),
    # A credential with a line break or a stray surrogate in it.
    ((ValueError,), errors.AccountRefused, "unsendable"),
)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class HttpAnswer:
    """A whole answer of any status but a redirect; *received_at* in ms."""

    status: int
    #: names in any case; ``getall`` tells repeats
    headers: multidict.CIMultiDictProxy[str] = dataclasses.field(repr=False)
    body: bytes = dataclasses.field(repr=False)
    received_at: int


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
    ) -> None:
        self._base = base_url.rstrip("/")
        self._timeout = aiohttp.ClientTimeout(total=timeout_ms / 1000)
        self._limit_bytes = limit_bytes
        self._clock = clock
        self._attempts = attempts
        self._session: aiohttp.ClientSession | None = None
        self._closed = False

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
    ) -> HttpAnswer:
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
            return await self._once(method, url, body, headers, limit)
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
        answer: HttpAnswer = await retrying(
            self._once, method, url, body, headers, limit
        )
        return answer

    async def _once(
        self,
        method: str,
        url: yarl.URL,
        body: bytes | None,
        headers: Mapping[str, str] | None,
        limit_bytes: int,
    ) -> HttpAnswer:
        """Make one attempt; nothing of a lower exception gets out."""
        if self._closed:
            raise errors.ProviderUnreachable(NOT_CONNECTED)
        asked_at = self._clock.now_ms()
        try:
            async with self._opened().request(
                method, url, data=body, headers=headers, allow_redirects=False
            ) as response:
                self._check_age(response, asked_at)
                return await self._whole(response, limit_bytes)
        except (aiohttp.ClientError, OSError, ValueError) as failure:
            mapped = mapped_failure(failure)
        # Raised here and not above: an error with no context cannot tell the URL.
        raise mapped

    def _check_age(self, response: aiohttp.ClientResponse, asked_at: int) -> None:
        """Refuse what a cache held before *asked_at*: it answers an older question."""
        age = response.headers.get("Age", "").strip()
        if age.isascii() and age.isdigit():
            passed_ms = max(self._clock.now_ms() - asked_at, 0)
            if int(age[:9]) * 1000 > passed_ms + _AGE_ROUNDED_MS:
                raise errors.BadAnswer("cached")

    async def _whole(
        self, response: aiohttp.ClientResponse, limit_bytes: int
    ) -> HttpAnswer:
        """Read the body piece by piece, at most *limit_bytes* of it."""
        if response.status // 100 == 3:  # noqa: PLR2004 -- 3xx
            raise errors.BadAnswer("redirect")
        body = bytearray()
        while not response.content.at_eof():
            body += await response.content.readany()
            if len(body) > limit_bytes:
                response.close()
                raise errors.BadAnswer("too_large")
        return HttpAnswer(
            status=response.status,
            headers=response.headers,
            body=bytes(body),
            received_at=self._clock.now_ms(),
        )

    def _opened(self) -> aiohttp.ClientSession:
        """Return the session, made inside the running loop on first use."""
        if self._session is None:
            self._session = aiohttp.ClientSession(
                timeout=self._timeout,
                # The source's gate says how many at once; aiohttp's own limit is 100.
                connector=aiohttp.TCPConnector(limit=0),
                # A provider's cookie is a state that we did not ask for.
                cookie_jar=aiohttp.DummyCookieJar(),
                # No proxy and no .netrc from the environment.
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


def mapped_failure(failure: BaseException) -> errors.FetchError:
    """Return our error for what aiohttp, the socket or a bad header raised."""
    for kinds, mapped, detail in _FAILURES:
        if isinstance(failure, kinds):
            return mapped(detail)
    return errors.ProviderUnreachable("unknown")


def _worth_repeating(failure: BaseException) -> bool:
    """Return whether the error says once or twice more in place."""
    return (
        isinstance(failure, errors.FetchError)
        and failure.disposition is errors.Disposition.RETRY_NOW
    )


def refusal(answer: HttpAnswer, *, detail: str = "") -> errors.FetchError:
    """
    Return the error for a status that is no result.

    *detail* is a word of the provider's table. A 404 is the provider's own affair.
    """
    wait_ms = retry_after_ms(answer)
    match answer.status:
        case 429:
            return errors.RateLimited(detail, retry_after_ms=wait_ms)
        case 401 | 403:
            return errors.AccountRefused(detail or str(answer.status))
        case status if status // 100 == 5:  # noqa: PLR2004 -- 5xx
            return errors.ProviderFault(detail or str(status), retry_after_ms=wait_ms)
        case status:
            return errors.BadAnswer(detail or str(status), retry_after_ms=wait_ms)


def retry_after_ms(answer: HttpAnswer) -> int | None:
    """
    Return what ``Retry-After`` asks for, in ms: seconds or an HTTP date.

    Honoured exactly up to 24 h; what is no such value is as if it were not there.
    """
    text = answer.headers.get("Retry-After", "").strip()
    if text.isascii() and text.isdigit():
        wait_ms = int(text[:9]) * 1000
    elif text:
        try:
            moment = email.utils.parsedate_to_datetime(text)
        except (ValueError, OverflowError):
            return None
        wait_ms = int(moment.timestamp() * 1000) - answer.received_at
    else:
        return None
    return min(max(wait_ms, 0), _RETRY_AFTER_MAX_MS)


def parse_object(body: bytes) -> dict[str, Any]:
    """
    Return the one JSON object that *body* is.

    Raises errors.BadAnswer: HTML, truncated, NaN, not UTF-8, nested too deeply, or
    another JSON value. The parser's own error holds the document and is dropped.
    """
    document: Any = None
    with contextlib.suppress(orjson.JSONDecodeError):
        document = orjson.loads(body)
    if not isinstance(document, dict):
        raise errors.BadAnswer("not_an_object")
    return document
