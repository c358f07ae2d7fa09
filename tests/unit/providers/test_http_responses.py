"""What failures, statuses and bodies of a provider mean before it is asked which."""

from collections.abc import Iterator

import aiohttp
import multidict
import pytest

from worker import errors
from worker.providers import _http, _http_responses

_SECRET = "planted-key-9f8e7d"


def _all_subclasses(root: type[BaseException]) -> Iterator[type[BaseException]]:
    yield root
    for child in root.__subclasses__():
        yield from _all_subclasses(child)


def _answer(
    status: int = 200, *, received_at: int = 0, **headers: str
) -> _http_responses.HttpResponse:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return _http_responses.HttpResponse(
        status=status,
        headers=multidict.CIMultiDictProxy(multidict.CIMultiDict(named)),
        body=b"",
        received_at=received_at,
    )


@pytest.mark.parametrize(
    "failure", sorted(set(_all_subclasses(aiohttp.ClientError)), key=str)
)
def test_every_client_error_has_a_place(failure: type[BaseException]) -> None:
    """No error of the client library is left to the last resort but its root."""
    mapped = _http_responses.map_client_error(failure.__new__(failure))

    unknown = failure is aiohttp.ClientError
    assert unknown == (mapped.detail == "unknown")
    assert isinstance(mapped, errors.FetchError)


@pytest.mark.parametrize(
    ("failure", "expected"),
    [
        (TimeoutError(), errors.ProviderTimeout),
        (aiohttp.ServerTimeoutError(), errors.ProviderTimeout),
        (aiohttp.ConnectionTimeoutError(), errors.ProviderTimeout),
        (aiohttp.ServerDisconnectedError(), errors.ProviderUnreachable),
        (aiohttp.ClientOSError(), errors.ProviderUnreachable),
        (aiohttp.ClientPayloadError(), errors.ProviderUnreachable),
        (ConnectionResetError(), errors.ProviderUnreachable),
        (OSError(), errors.ProviderUnreachable),
        (aiohttp.InvalidURL(_SECRET), errors.InvalidResponse),
        (UnicodeEncodeError("ascii", _SECRET, 0, 1, "why"), errors.ProviderAuthFailed),
    ],
)
def test_failures_map_by_what_they_mean(
    failure: BaseException, expected: type[errors.FetchError]
) -> None:
    """Timeouts before connections, and none of the texts survives."""
    mapped = _http_responses.map_client_error(failure)

    assert expected is type(mapped)
    assert _SECRET not in str(mapped)


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (429, errors.RateLimited),
        (401, errors.ProviderAuthFailed),
        (403, errors.ProviderAuthFailed),
        (500, errors.ProviderFault),
        (503, errors.ProviderFault),
        (599, errors.ProviderFault),
        (204, errors.InvalidResponse),
        (400, errors.InvalidResponse),
        (404, errors.InvalidResponse),
        (600, errors.InvalidResponse),
    ],
)
def test_a_status_has_one_meaning(
    status: int, expected: type[errors.FetchError]
) -> None:
    """Each status that is no result becomes its own error."""
    assert expected is type(_http_responses.map_status(_answer(status)))


def test_a_refusal_carries_the_word_and_the_wait() -> None:
    """The detail is the table's word, and Retry-After comes along."""
    refusal = _http_responses.map_status(_answer(503, Retry_After="7"), detail="BUSY")

    assert (refusal.detail, refusal.retry_after_ms) == ("BUSY", 7_000)
    assert (
        _http_responses.map_status(_answer(429, Retry_After="7")).retry_after_ms
        == 7_000
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0", 0),
        ("120", 120_000),
        (" 5 ", 5_000),
        ("86400", 86_400_000),
        ("86401", 86_400_000),
        ("9" * 40, 86_400_000),
        ("Thu, 01 Jan 2026 00:01:00 GMT", 60_000),
        ("Wed, 31 Dec 2025 23:59:00 GMT", 0),
        ("Fri, 01 Jan 2027 00:00:00 GMT", 86_400_000),
        ("", None),
        ("-5", None),
        ("1.5", None),
        ("soon", None),
        ("\u0665", None),
        ("Thu, 01 Jan 99999 00:01:00 GMT", None),
        ("Thu, 99 Jan 2026 00:01:00 GMT", None),
    ],
)
def test_retry_after_is_read_exactly(text: str, expected: int | None) -> None:
    """Seconds or a date against the answer's time; capped at a day, else ignored."""
    answer = _answer(503, received_at=1_767_225_600_000, Retry_After=text)

    assert expected == _http_responses.retry_after_ms(answer)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>busy</html>",
        b'{"a": 1',
        b'{"a": NaN}',
        b'{"a": Infinity}',
        b"[]",
        b'"text"',
        b"1",
        b"null",
        b'{"a": "\xff"}',
        b"\xef\xbb\xbf{}",
        b'{"a":' * 5_000 + b"1" + b"}" * 5_000,
        b"{} {}",
    ],
)
def test_only_one_object_is_an_object(body: bytes) -> None:
    """Everything else is a bad answer that keeps nothing of the body."""
    with pytest.raises(errors.InvalidResponse) as caught:
        _http.parse_object(body)

    assert caught.value.detail == "not_an_object"
    assert caught.value.__context__ is None


def test_an_object_is_parsed() -> None:
    """An object comes back as it is."""
    assert _http.parse_object(b' {"a": [1, null]} ') == {"a": [1, None]}


def test_a_comment_that_was_cut_within_an_emoji_refuses_no_result() -> None:
    """Half a surrogate pair becomes a character that every record can hold."""
    body = b'{"result": "approved", "result_comment": "good \\ud83d"}'

    document = _http.parse_object(body)

    assert document == {"result": "approved", "result_comment": "good \ufffd"}


def test_an_answer_keeps_its_body_out_of_repr() -> None:
    """Headers and body may hold secrets and persons."""
    found = repr(_answer(200, Authorization=_SECRET))

    assert _SECRET not in found
