"""id beyond: begins that are refused or fail, and the settings for them."""

import traceback
from collections.abc import Awaitable, Callable
from typing import Any

import orjson
import pydantic
import pytest

from tests.support import ports, starts
from worker import clock as clocks
from worker import errors, model
from worker.providers import _http_responses, idbeyond
from worker.providers.idbeyond import start

Serve = Callable[[Any], Awaitable[str]]
_KEY = "sk_test_synthetic"
_SECRET = "synthetic-webhook-secret"


def _settings(**settings: object) -> idbeyond.Settings:
    given = {"environment": "test", "api_key": _KEY, "hmac_secrets": [_SECRET]}
    return idbeyond.Settings.model_validate(given | settings)


async def _begun(
    provider: starts.Provider, serve: Serve, request: model.BeginRequest
) -> model.StartedSession:
    settings = _settings(base_url=await serve(provider.answer))
    beginner = start.SessionStarter("source", settings, clocks.SystemClock())
    try:
        return await beginner.begin(request)
    finally:
        await beginner.close()


async def _failed(serve: Serve, status: int, document: object, **headers: str) -> Any:  # noqa: ANN401 -- any error
    provider = starts.Provider(
        status=status, body=orjson.dumps(document), headers=headers
    )
    request = starts.request(
        provider_params={"metadata": {"campaign": "q3"}, "tenant": "eu"}
    )
    with pytest.raises(errors.KycError) as caught:
        await _begun(provider, serve, request)
    assert len(provider.calls) == 1
    return caught.value


@pytest.mark.parametrize(
    ("status", "document", "kind", "detail"),
    [
        (
            401,
            {"error": "API_KEY_INVALID"},
            errors.ProviderAuthFailed,
            "API_KEY_INVALID",
        ),
        (
            401,
            {"error": {"code": "API_KEY_INVALID"}},
            errors.ProviderAuthFailed,
            "API_KEY_INVALID",
        ),
        (
            401,
            {"code": "API_KEY_INVALID"},
            errors.ProviderAuthFailed,
            "API_KEY_INVALID",
        ),
        (401, {"error": starts.MARKER}, errors.ProviderAuthFailed, "401"),
        (401, [], errors.ProviderAuthFailed, "401"),
        (403, {"field": "metadata"}, errors.ProviderAuthFailed, "403"),
        (404, {}, errors.InvalidResponse, "404"),
        (400, {"error": "API_KEY_INVALID"}, errors.InvalidResponse, "400"),
        (400, {"field": "webhookUrl"}, errors.InvalidResponse, "400"),
        (400, {"field": "webhookSecret"}, errors.InvalidResponse, "400"),
        (400, {"field": starts.MARKER}, errors.InvalidResponse, "400"),
        (200, {"ok": False, "field": "metadata"}, errors.InvalidResponse, "not_ok"),
        (503, {"field": "metadata"}, errors.ProviderFault, "503"),
    ],
)
async def test_a_refusal_is_what_it_says(
    serve: Serve,
    status: int,
    document: object,
    kind: type[errors.FetchError],
    detail: str,
) -> None:
    """The account's fault, the provider's, or neither; nothing was begun."""
    error = await _failed(serve, status, document)
    assert kind is type(error)
    assert detail == error.detail
    assert error.answered


async def test_too_many_begins_are_told_when_to_come_again(serve: Serve) -> None:
    """What the provider asks for is kept."""
    error = await _failed(serve, 429, {}, **{"Retry-After": "7"})
    assert isinstance(error, errors.RateLimited)
    assert error.retry_after_ms == 7000


@pytest.mark.parametrize(
    ("found", "field"),
    [
        ({"field": "metadata"}, "provider_params.metadata"),
        ({"path": ["metadata", "campaign"]}, "provider_params.metadata.campaign"),
        ({"errors": {"tenant": [starts.MARKER]}}, "provider_params.tenant"),
        ({"errors": [{"path": "metadata.kyc_reference"}]}, "reference"),
        ({"field": "externalUserId"}, "reference"),
        ({"field": "returnUrl"}, "return_url"),
    ],
)
async def test_a_field_that_is_refused_is_named_as_the_caller_calls_it(
    serve: Serve, found: object, field: str
) -> None:
    """However the provider tells it: nothing but the name is kept."""
    error = await _failed(serve, 422, found)
    assert isinstance(error, errors.InvalidBeginRequest)
    assert list(error.problems) == [field]
    assert starts.MARKER not in str(error.problems)


async def test_who_is_not_there_was_told_nothing() -> None:
    """A refused connection is another matter than a silence."""
    settings = _settings(base_url=f"http://127.0.0.1:{ports.free()}")
    beginner = start.SessionStarter("source", settings, clocks.SystemClock())
    with pytest.raises(errors.ProviderUnreachable) as caught:
        await beginner.begin(starts.request())
    await beginner.close()
    assert caught.value.detail == _http_responses.NOT_CONNECTED


def test_nothing_can_be_foretold() -> None:
    """The session id is the provider's to choose."""
    beginner = start.SessionStarter("source", _settings(), clocks.SystemClock())
    assert beginner.predict_session_id("b1") is None


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, b""),
        (200, orjson.dumps({"ok": True, "sessionId": starts.MARKER})),
        (200, orjson.dumps({"ok": False, "error": starts.MARKER})),
        (
            400,
            orjson.dumps({"error": starts.MARKER, "field": starts.MARKER}),
        ),
        (401, orjson.dumps({"error": starts.MARKER})),
        (500, starts.MARKER.encode()),
    ],
)
async def test_nothing_of_a_person_is_told(
    serve: Serve, status: int, body: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither of what was sent nor of what was answered, nor any key or secret."""
    caplog.set_level(0)
    provider = starts.Provider(status=status, body=body)
    request = starts.request(
        provider_params={
            "metadata": {"note": starts.MARKER},
            "name": starts.MARKER,
        },
        webhook_url=f"https://kyc.example.com/webhooks/source/{starts.MARKER}",
        return_address=f"https://kyc.example.com/return/source/{starts.MARKER}",
    )
    with pytest.raises(errors.KycError) as caught:
        await _begun(provider, serve, request)
    found = "".join(traceback.format_exception(caught.value))
    found += repr(request) + repr(vars(caught.value)) + caplog.text

    assert provider.bodies[0].decode().count(starts.MARKER) == 4
    for planted in (starts.MARKER, _KEY, _SECRET):
        assert planted not in found


async def test_a_begun_session_shows_no_credential(serve: Serve) -> None:
    """What holds the address and the snippet prints neither."""
    document = {
        "ok": True,
        "sessionId": "3fa85f64-5717-4562-b3fc-2c963f66afa6",
        "hostedUrl": f"https://verify.uniicy.com/x?token={starts.MARKER}",
        "clientSecret": starts.MARKER,
    }
    provider = starts.Provider(body=orjson.dumps(document))
    begun = await _begun(provider, serve, starts.request())
    assert begun.url == document["hostedUrl"]
    assert starts.MARKER not in repr(begun)


@pytest.mark.parametrize(
    "settings",
    [
        {"publishable_key": _KEY},
        {"publishable_key": "pk_'</script>"},
        {"publishable_key": "pk_"},
        {"widget_url": "http://esm.example/w"},
        {"widget_url": "esm.example"},
        {"webhook_url": "http://relay.example/"},
        {"webhook_url": "https://u:p@relay.example/"},
        {"reference_field": "kyc_begin_id"},
    ],
)
def test_settings_that_cannot_be_used_are_refused(settings: dict[str, Any]) -> None:
    """Keys that must not be shown, addresses that may not be called."""
    with pytest.raises(pydantic.ValidationError):
        _settings(**settings)


@pytest.mark.parametrize(
    ("environment", "key", "many"),
    [
        ("live", "pk_test_1", 1),
        ("live", "pk_live_1", 0),
        ("live", None, 0),
        ("test", "pk_test_1", 0),
    ],
)
def test_real_persons_are_not_shown_a_test_key(
    environment: str, key: str | None, many: int
) -> None:
    """A live source with a key for tries is a mistake."""
    settings = _settings(environment=environment, publishable_key=key)
    found = [conflict.keys[0] for conflict in settings.conflicts()]
    assert many == found.count("publishable_key")
