"""Hold a provider's answer, and map what is no result to our errors."""

import dataclasses
import email.utils

import aiohttp
import multidict

from worker import errors

#: the detail of an error before the first byte of the request was sent
NOT_CONNECTED = errors.ProviderUnreachable.NOT_CONNECTED
_RETRY_AFTER_MAX_MS = 24 * 3_600_000

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
    # The proxy refused to connect us (CONNECT): the provider has seen nothing.
    ((aiohttp.ClientHttpProxyError,), errors.ProviderUnreachable, NOT_CONNECTED),
    ((aiohttp.ClientConnectionError, OSError), errors.ProviderUnreachable, ""),
    ((aiohttp.ClientResponseError,), errors.InvalidResponse, "protocol"),
    (
        (
            aiohttp.InvalidURL,
            aiohttp.NonHttpUrlClientError,
            aiohttp.RedirectClientError,
        ),
        errors.InvalidResponse,
        "url",
    ),
    # A credential with a line break or a stray surrogate in it.
    ((ValueError,), errors.ProviderAuthFailed, "unsendable"),
)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class HttpResponse:
    """A whole answer of any status but a redirect; *received_at* in ms."""

    status: int
    #: names in any case; ``getall`` returns repeats
    headers: multidict.CIMultiDictProxy[str] = dataclasses.field(repr=False)
    body: bytes = dataclasses.field(repr=False)
    received_at: int


def map_client_error(failure: BaseException) -> errors.FetchError:
    """Return our error for what aiohttp, the socket or a bad header raised."""
    for kinds, mapped, detail in _FAILURES:
        if isinstance(failure, kinds):
            return mapped(detail)
    return errors.ProviderUnreachable("unknown")


def map_status(answer: HttpResponse, *, detail: str = "") -> errors.FetchError:
    """
    Return the error for a status that is no result.

    *detail* is a word of the provider's table. A 404 is the provider's own affair.
    """
    wait_ms = retry_after_ms(answer)
    match answer.status:
        case 429:
            return errors.RateLimited(detail, retry_after_ms=wait_ms)
        case 401 | 403:
            return errors.ProviderAuthFailed(detail or str(answer.status))
        case status if status // 100 == 5:  # noqa: PLR2004 -- 5xx
            return errors.ProviderFault(detail or str(status), retry_after_ms=wait_ms)
        case status:
            return errors.InvalidResponse(detail or str(status), retry_after_ms=wait_ms)


def retry_after_ms(answer: HttpResponse) -> int | None:
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
