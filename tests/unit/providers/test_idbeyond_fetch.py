"""id beyond: the result call that a company may have been told of, and its settings."""

import logging
import traceback
from collections.abc import Awaitable, Callable

import orjson
import pydantic
import pytest
from aiohttp import web

from tests.support import adapters
from worker import clock as clocks
from worker import errors, model
from worker.providers import idbeyond
from worker.settings import types

Serve = Callable[
    [Callable[[web.Request], Awaitable[web.StreamResponse]]], Awaitable[str]
]
_KEY = "sk_test_planted"
_SESSION, _OTHER = adapters.UUID, adapters.OTHER_UUID


def _settings(**settings: object) -> idbeyond.Settings:
    given = {"environment": "test", "api_key": _KEY, "result": "fetch"} | settings
    return idbeyond.Settings.model_validate(given)


def _adapter(clock: clocks.Clock, **settings: object) -> idbeyond.Adapter:
    return idbeyond.Adapter("a", _settings(**settings), clock)


def _interpret(document: object) -> model.Result:
    adapter = _adapter(clocks.SystemClock())
    return adapter.interpret(adapters.key(), _SESSION, adapters.answer(document))


async def _error(adapter: idbeyond.Adapter, spelling: str) -> errors.FetchError:
    with pytest.raises(errors.FetchError) as caught:
        await adapter.fetch(adapters.key(), spelling)
    await adapter.close()
    return caught.value


@pytest.mark.parametrize(
    ("path", "asked"),
    [
        ("/api/verification/sessions/{session_id}", "/api/verification/sessions/ID"),
        ("/v2/{session_id}/result", "/v2/ID/result"),
    ],
)
async def test_the_call_is_the_configured_one(
    serve: Serve, clock: clocks.Clock, path: str, asked: str
) -> None:
    """One GET at the configured path with the secret key as bearer."""
    seen: list[web.Request] = []

    async def handler(request: web.Request) -> web.Response:
        seen.append(request)
        return web.Response(body=orjson.dumps({"sessionId": _SESSION}))

    adapter = _adapter(clock, base_url=await serve(handler), result_path=path)
    answer = await adapter.fetch(adapters.key(), _SESSION.upper())
    await adapter.close()
    assert ({"sessionId": _SESSION}, clock.now_ms()) == (
        answer.document,
        answer.observed_at,
    )
    assert [("GET", asked.replace("ID", _SESSION.upper()), f"Bearer {_KEY}")] == [
        (request.method, request.path_qs, request.headers["Authorization"])
        for request in seen
    ]


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (404, errors.ProviderFault),
        (401, errors.ProviderAuthFailed),
        (403, errors.ProviderAuthFailed),
        (429, errors.RateLimited),
        (500, errors.ProviderFault),
        (302, errors.InvalidResponse),
        (202, errors.InvalidResponse),
    ],
)
async def test_another_status_is_no_result_and_tells_no_key(
    serve: Serve,
    clock: clocks.Clock,
    caplog: pytest.LogCaptureFixture,
    status: int,
    error: type[errors.FetchError],
) -> None:
    """Each status has its error; a 404 is a retry, since the path is a guess."""
    caplog.set_level(logging.DEBUG)

    async def handler(request: web.Request) -> web.Response:
        asked = {"id": _SESSION, "asked": request.headers["Authorization"]}
        body = orjson.dumps(asked)
        return web.Response(status=status, body=body, headers={"Location": "/"})

    raised = await _error(_adapter(clock, base_url=await serve(handler)), _SESSION)
    assert error is type(raised)
    assert raised.disposition in {"retry_later", "account"}
    found = "".join(traceback.format_exception(raised)) + caplog.text + repr(raised)
    assert "planted" not in found


@pytest.mark.parametrize("spelling", ["", "../x", "a/b", "\ud800", "x\n", "%2f"])
async def test_an_id_that_can_be_no_session_is_not_asked_for(
    clock: clocks.Clock, spelling: str
) -> None:
    """No call is made for it: nothing listens at this address."""
    adapter = _adapter(clock, base_url="http://127.0.0.1:1")
    raised = await _error(adapter, spelling)
    assert (errors.SessionNotFound, "malformed_id") == (type(raised), raised.detail)


@pytest.mark.parametrize(
    "name", ["sessionId", "verificationSessionId", "session_id", "id"]
)
def test_a_result_says_whose_it_is(name: str) -> None:
    """Any of the names binds the result; time and reference come with it."""
    document = {
        name: _SESSION.upper(),
        "decision": "approved",
        "timestamp": "1970-01-01T00:00:01Z",
        "metadata": {"kyc_reference": "order-17"},
    }
    result = _interpret(document)
    assert (
        result.verdict.outcome,
        result.verdict.provider_time,
        result.observed_at,
        result.reference,
    ) == ("approved", 1000, 7, "order-17")
    others: tuple[object, ...] = (_OTHER, None, 1, [], f"{_SESSION}\n", "")
    for other in others:
        with pytest.raises(errors.ResultMismatch):
            _interpret(document | {name: other})


@pytest.mark.parametrize(
    "ids",
    [
        {},
        {"externalUserId": _SESSION},
        {"id": _SESSION, "sessionId": _OTHER},
        {"verificationSessionId": _SESSION, "session_id": _OTHER},
        {"verificationSessionId": _SESSION, "session_id": None},
    ],
)
def test_a_result_that_does_not_say_whose_it_is_is_not_used(
    ids: dict[str, str],
) -> None:
    """No id is a mismatch, and so are two that differ."""
    with pytest.raises(errors.ResultMismatch):
        _interpret({"decision": "approved", "reviewStatus": "approved"} | ids)


@pytest.mark.parametrize("ok", [False, None, 0, "true", 1])
def test_an_answer_that_is_not_ok_is_no_result(ok: object) -> None:
    """Where it says how the call went, it must have gone well."""
    document = {"sessionId": _SESSION, "decision": "approved"}
    with pytest.raises(errors.InvalidResponse):
        _interpret(document | {"ok": ok})
    assert _interpret(document | {"ok": True}).verdict.outcome == "approved"


@pytest.mark.parametrize("document", [None, True, 1, "x", [], [{"id": _SESSION}]])
def test_what_is_no_object_is_a_bad_answer(document: object) -> None:
    """A result must be an object."""
    with pytest.raises(errors.InvalidResponse):
        _interpret(document)


def test_the_defaults_are_those_of_the_guide() -> None:
    """The callback is the verdict, signed, and nothing is believed unasked."""
    settings = idbeyond.Settings.model_validate(
        {"environment": "live", "api_key": "sk_live_synthetic"}
    )
    assert settings.authenticators == ("hmac_body",)
    assert settings.base_url == "https://verify.uniicy.com"
    assert not settings.fetches
    assert not settings.approve_on_review_status
    assert settings.hmac_secret_min_bytes == 16
    assert "synthetic" not in repr(settings)
    assert list(settings.conflicts()) == []


@pytest.mark.parametrize(
    ("authenticate", "fine"),
    [
        (("signed_url",), False),
        (("basic", "ip_allow"), False),
        (("signed_url", "hmac_body"), True),
        (("standard_webhooks",), True),
        ((), True),
    ],
)
def test_a_verdict_must_be_signed(authenticate: tuple[str, ...], fine: bool) -> None:  # noqa: FBT001 -- a parameter of the table above
    """Only a signature over the body may make a callback a verdict; a fetch may not."""
    settings = _settings(result="callback", authenticate=authenticate)
    conflicts = list(settings.conflicts())
    assert fine == (conflicts == [])
    assert all(conflict.keys[0] == "authenticate" for conflict in conflicts)
    assert list(_settings(authenticate=authenticate).conflicts()) == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("api_key", ""),
        ("api_key", "sk_test_\n"),
        ("api_key", "sk test\ud800"),
        ("api_key", None),
        ("result", "both"),
        ("result_path", ""),
        ("result_path", "sessions/{session_id}"),
        ("result_path", "/sessions"),
        ("result_path", "/{session_id}/{session_id}"),
        ("result_path", "/{session_id}?key=x"),
        ("result_path", "/{session_id}#x"),
        ("result_path", "//evil.example/{session_id}"),
        ("result_path", "/{session_id}/\u00e9"),
        ("result_path", "/ /{session_id}"),
        ("approve_on_review_status", "maybe"),
    ],
)
def test_settings_that_cannot_be_used_are_refused(name: str, value: object) -> None:
    """Each refusal names its key and hides the value."""
    with pytest.raises(pydantic.ValidationError) as caught:
        _settings(**{name: value})
    assert [(name,)] == [error["loc"] for error in caught.value.errors()]


def test_secrets_are_secrets() -> None:
    """The key prints as stars."""
    assert isinstance(_settings().api_key, types.Secret)
    assert "planted" not in str(_settings()) + repr(_settings())
