"""id beyond: what a begin is answered, and what an answer may lack."""

from collections.abc import Awaitable, Callable
from typing import Any

import orjson
import pytest

from tests.support import adapters, starts
from worker import clock as clocks
from worker import errors, model
from worker.providers import _hosted, idbeyond
from worker.providers.idbeyond import start

Serve = Callable[[Any], Awaitable[str]]
_KEY = "sk_test_synthetic"
_SECRET = "synthetic-webhook-secret"
_MADE: dict[str, Any] = {
    "ok": True,
    "sessionId": adapters.UUID,
    "token": "kvs_old",
    "clientSecret": "kvs_new",
    "hostedUrl": f"https://verify.uniicy.com/flow/{adapters.UUID}?token=kvs_new",
    "expiresAt": "2026-04-17T09:15:00.000Z",
}


def _beginner(
    **settings: Any,  # noqa: ANN401 -- settings
) -> start.SessionStarter:
    given = {"environment": "test", "api_key": _KEY, "publishable_key": "pk_test_1"}
    configured = idbeyond.Settings.model_validate(given | settings)
    return start.SessionStarter("source", configured, clocks.SystemClock())


async def _begun(
    provider: starts.Provider,
    serve: Serve,
    request: model.BeginRequest | None = None,
    **settings: Any,  # noqa: ANN401 -- settings
) -> model.StartedSession:
    beginner = _beginner(base_url=await serve(provider.answer), **settings)
    try:
        return await beginner.begin(request or starts.request())
    finally:
        await beginner.close()


def _made(**changes: object) -> starts.Provider:
    """Return the provider with the documented answer; None removes a field."""
    document = {k: v for k, v in (_MADE | changes).items() if v is not None}
    return starts.Provider(body=orjson.dumps(document))


@pytest.mark.parametrize(
    ("changes", "missing"),
    [
        ({"ok": None}, "ok"),
        ({"ok": "true"}, "ok"),
        ({"ok": 1}, "ok"),
        ({"sessionId": None}, "sessionId"),
        ({"sessionId": f"../{adapters.UUID}"}, "sessionId"),
        ({"sessionId": [adapters.UUID]}, "sessionId"),
        ({"hostedUrl": None}, "hostedUrl"),
        ({"hostedUrl": 7}, "hostedUrl"),
        ({"hostedUrl": ""}, "hostedUrl"),
        ({"hostedUrl": "/flow"}, "hostedUrl"),
        ({"hostedUrl": "https:///flow"}, "hostedUrl"),
        ({"hostedUrl": "http://verify.uniicy.com/flow"}, "hostedUrl"),
        ({"hostedUrl": "javascript:alert(1)"}, "hostedUrl"),
        ({"hostedUrl": "data:text/html,x"}, "hostedUrl"),
        ({"hostedUrl": "https://u:p@verify.uniicy.com/flow"}, "hostedUrl"),
        ({"hostedUrl": "https://evil.example\\.uniicy.com/flow"}, "hostedUrl"),
        (
            {"hostedUrl": "https://verify.uniicy.com/flow\r\nX: y"},
            "hostedUrl",
        ),
        ({"hostedUrl": "https://verify.uniicy.com/fl ow"}, "hostedUrl"),
        ({"hostedUrl": "https://v\u0435rify.uniicy.com/flow"}, "hostedUrl"),
        ({"hostedUrl": "https://[::1/flow"}, "hostedUrl"),
        ({"hostedUrl": f"https://verify.uniicy.com/{'a' * 4096}"}, "hostedUrl"),
    ],
)
async def test_an_answer_that_lacks_what_is_needed_leaves_it_in_doubt(
    serve: Serve, changes: dict[str, Any], missing: str
) -> None:
    """The session may be there: its first callback tells, and nobody else."""
    with pytest.raises(errors.BeginInDoubt) as caught:
        await _begun(_made(**changes), serve)
    assert missing == caught.value.detail
    assert not caught.value.answered


async def test_a_simulators_address_may_be_opened(serve: Serve) -> None:
    """Plain http is for this machine, if the API is there too; its host is not ours."""
    for address in ("http://127.0.0.1:7/x?token=a", "https://white.example/x"):
        begun = await _begun(_made(hostedUrl=address), serve)
        assert address == begun.url


def test_an_address_of_this_machine_is_no_providers() -> None:
    """Where the API is not on the loopback, neither are its pages, over plain http."""
    assert not _hosted.may_be_opened("http://127.0.0.1:7/x", loopback=False)
    assert _hosted.may_be_opened("http://127.0.0.1:7/x", loopback=True)
    assert not _hosted.may_be_opened("http://verify.example/x", loopback=True)


@pytest.mark.parametrize("expires_at", [None, 7, "", "soon", "2026-04-17"])
async def test_a_session_without_a_readable_end_is_begun_all_the_same(
    serve: Serve, expires_at: object
) -> None:
    """The person can go on; the caller is told."""
    begun = await _begun(_made(expiresAt=expires_at), serve)
    assert begun.expires_at is None
    assert begun.warnings == ("id beyond does not say when the session expires",)


@pytest.mark.parametrize(
    ("changes", "secret"),
    [
        ({}, "kvs_new"),
        ({"clientSecret": None}, "kvs_old"),
        ({"clientSecret": "a'b"}, "a\\u0027b"),
        ({"clientSecret": "</script>"}, "\\u003c/script\\u003e"),
        ({"clientSecret": "a\nb\u2028"}, "a\\u000ab\\u2028"),
        ({"clientSecret": "\\"}, "\\u005c"),
    ],
)
async def test_a_snippet_holds_nothing_but_texts(
    serve: Serve, changes: dict[str, Any], secret: str
) -> None:
    """Whatever the provider answers cannot end the text, nor the script."""
    begun = await _begun(_made(**changes), serve, starts.embedded())
    assert begun.embed is not None
    assert f"clientSecret: '{secret}'," in begun.embed
    assert begun.embed.count("<") == begun.embed.count(">") == 4
    assert _KEY not in begun.embed


@pytest.mark.parametrize("secret", ["", 7, [], "x" * 4097])
async def test_a_snippet_needs_its_secret(serve: Serve, secret: object) -> None:
    """Without it the page could show nothing; the address is not asked for."""
    provider = _made(clientSecret=secret, hostedUrl=None)
    with pytest.raises(errors.BeginInDoubt) as caught:
        await _begun(provider, serve, starts.embedded())
    assert caught.value.detail == "clientSecret"
