"""iDenfy: the status call and the session start as they go over the wire."""

from collections.abc import Awaitable, Callable
from typing import Any

import orjson
import pytest

from tests.support import adapters, starts
from worker import clock as clocks
from worker import errors, model
from worker.providers import idenfy
from worker.providers.idenfy import start

Serve = Callable[[Any], Awaitable[str]]
_GIVEN = {"environment": "test", "api_key": "key", "api_secret": "secret-4c1d9e"}
_BASIC = "Basic a2V5OnNlY3JldC00YzFkOWU="


def _settings(**settings: object) -> idenfy.Settings:
    return idenfy.Settings.model_validate(_GIVEN | settings)


async def _fetched(
    provider: starts.Provider, serve: Serve, spelling: str = adapters.UUID
) -> model.ProviderResponse | errors.FetchError:
    settings = _settings(base_url=await serve(provider.answer))
    adapter = idenfy.Adapter("a", settings, clocks.SystemClock())
    try:
        return await adapter.fetch(adapters.key(), spelling)
    except errors.FetchError as error:
        return error
    finally:
        await adapter.close()


async def test_the_status_is_asked_for_with_key_and_secret(serve: Serve) -> None:
    """One POST with HTTP Basic, and the id in the body as iDenfy spelt it."""
    provider = starts.Provider(body=b'{"status":"ACTIVE"}')
    answer = await _fetched(provider, serve, adapters.UUID.upper())

    assert isinstance(answer, model.ProviderResponse)
    assert answer.document == {"status": "ACTIVE"}
    (call,) = provider.calls
    assert (call.method, call.path_qs) == ("POST", "/api/v2/status")
    assert call.headers["Authorization"] == _BASIC
    assert provider.sent == {"scanRef": adapters.UUID.upper()}


@pytest.mark.parametrize(
    ("status", "identifier", "error"),
    [
        (401, "UNAUTHORIZED", errors.ProviderAuthFailed),
        (400, "PARTNER_CONTRACT_ERROR", errors.ProviderAuthFailed),
        (400, "PERMISSIONS_ERROR", errors.ProviderAuthFailed),
        (400, "TOO_MANY_REQUESTS", errors.RateLimited),
        (429, None, errors.RateLimited),
        (500, "INTERNAL_ERROR", errors.ProviderFault),
        (502, None, errors.ProviderFault),
        (404, "BAD_VALUE", errors.SessionNotFound),
        (400, "BAD_VALUE", errors.InvalidResponse),
        (400, ["UNAUTHORIZED"], errors.InvalidResponse),
        (403, None, errors.ProviderAuthFailed),
    ],
)
async def test_an_error_means_what_its_identifier_or_status_says(
    serve: Serve, status: int, identifier: object, error: type[errors.FetchError]
) -> None:
    """The identifier comes first; nothing of the response is repeated."""
    body = orjson.dumps({"identifier": identifier, "message": starts.MARKER})
    headers = {"Retry-After": "7"}
    provider = starts.Provider(status=status, body=body, headers=headers)
    failed = await _fetched(provider, serve)

    assert type(failed) is error
    assert starts.MARKER not in str(failed)
    assert "4c1d9e" not in repr(failed)
    if error is errors.RateLimited:
        assert failed.retry_after_ms == 7000


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"null", b"{"])
async def test_what_is_no_object_is_an_invalid_response(
    serve: Serve, body: bytes
) -> None:
    """A 200 of another shape is no result."""
    failed = await _fetched(starts.Provider(body=body), serve)
    assert type(failed) is errors.InvalidResponse


async def test_an_id_of_another_shape_is_never_sent(serve: Serve) -> None:
    """It is refused before a request."""
    provider = starts.Provider(body=b"{}")
    assert type(await _fetched(provider, serve, "../x")) is errors.SessionNotFound
    assert provider.calls == []


# -- session start


def _starter(**settings: object) -> start.SessionStarter:
    return start.SessionStarter("a", _settings(**settings), clocks.SystemClock())


def _refused(request: model.BeginRequest) -> dict[str, str]:
    problems: dict[str, str] = {}
    try:
        _starter().check(request)
    except errors.InvalidBeginRequest as refused:
        problems = refused.problems
    assert starts.MARKER not in str(problems)
    return problems


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("firstName", "J0hn"),
        ("dateOfBirth", "1.1.1990"),
        ("country", "DEU"),
        ("country", ["DE", 1]),
        ("documents", []),
        ("sex", "m"),
        ("expiryTime", 0),
        ("expiryTime", True),
        ("expiryTime", 2_592_001),
        ("sessionLength", "600"),
        ("checkAml", "yes"),
        ("callbackUrl", "https://evil.example"),
        ("clientId", "another"),
        ("tokenType", "DOCUMENT"),
        ("reviewSuccessful", False),
        ("dummyStatus", "APPROVED"),
    ],
)
def test_a_parameter_that_cannot_be_passed_on_is_named(
    name: str, value: object
) -> None:
    """Wrong values, what is ours, what the settings say, and test switches."""
    request = starts.request(provider_params={name: value})
    assert list(_refused(request)) == [f"provider_params.{name}"]


def test_good_parameters_pass() -> None:
    """The documented fields, in the documented types."""
    params = {
        "firstName": "John Tom",
        "country": ["LT", "DE"],
        "documents": ["PASSPORT"],
        "expiryTime": 600,
        "checkAml": True,
    }
    assert _refused(starts.request(provider_params=params, language="lt")) == {}
    assert _refused(starts.request(provider_params={"country": "LT"})) == {}


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"reference": "x" * 101}, "reference"),
        ({"reference": "ü"}, "reference"),
        ({"language": "german"}, "language"),
    ],
)
def test_what_is_no_parameter_is_checked_too(
    changes: dict[str, Any], field: str
) -> None:
    """The reference becomes ``clientId``, the language ``locale``."""
    assert list(_refused(starts.request(**changes))) == [field]


@pytest.mark.parametrize(
    "address",
    [
        None,
        "http://ivs.idenfy.com/x",
        "javascript:alert(1)",
        "https://ivs.idenfy.com/ x",
        "https://user@ivs.idenfy.com/x",
        7,
    ],
)
async def test_an_address_that_cannot_be_opened_is_replaced(
    serve: Serve, address: object
) -> None:
    """Then the configured page is opened with the token."""
    made = {
        "authToken": "t0",
        "scanRef": adapters.UUID,
        "expiryTime": 60,
        "redirectUrl": address,
    }
    provider = starts.Provider(status=201, body=orjson.dumps(made))
    starter = _starter(base_url=await serve(provider.answer))
    started = await starter.begin(starts.request())
    await starter.close()

    assert started.url == "https://ui.idenfy.com/?authToken=t0"
    assert started.expires_at is not None
    assert started.warnings == ()
