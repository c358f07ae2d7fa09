"""Some providers behind the ingress, each with its own default authentication."""

from typing import Any

import orjson
import pytest

from tests.unit.ingress import conftest, support
from worker import ingress, providers, signing
from worker.providers import idbeyond

_SECRET = "a secret of thirty-two bytes or so"
_BODY_KEY = "a callback key of the company"
_UUID = "3FA85F64-5717-4562-B3FC-2C963F66AFA6"
_TOKEN_40 = "wwb83rh1se22wd81z0tx8bqlerljq5kgf6rxem1q"
_SETTINGS: dict[str, dict[str, Any]] = {
    "biometric": {"flow_api_key": "f" * 47, "url_secrets": [_SECRET]},
    "idbeyond": {"api_key": "sk_test_1", "hmac_secrets": [_SECRET]},
    "identomat": {
        "company_key": "company",
        "callback_api_keys": [_BODY_KEY],
        "url_secrets": [_SECRET],
    },
    "idnow": {
        "base_url": "https://gateway.test.idnow.de",
        "company_id": "ihrebank",
        "api_key": "key",
        "url_secrets": [_SECRET],
    },
}
_CALLBACKS: dict[str, tuple[dict[str, Any], str]] = {
    "biometric": (
        {"id": _UUID, "event": "flow.end", "session_id": _UUID, "data": {}},
        _UUID.lower(),
    ),
    "idbeyond": (
        {
            "event": "verification.completed",
            "verificationSessionId": _UUID,
            "decision": "approved",
        },
        _UUID.lower(),
    ),
    "identomat": (
        {"callbackApiKey": _BODY_KEY, "type": "status", "sessionId": _TOKEN_40},
        _TOKEN_40,
    ),
    "idnow": (
        {"identificationprocess": {"result": "SUCCESS", "transactionnumber": "AH73"}},
        "",
    ),
}


def _source(name: str, **more: object) -> ingress.IngressSource:
    """Return a source of the provider *name*, under the same name."""
    entry = providers.REGISTRY[name]
    settings = entry.settings_type.model_validate(
        {"provider": name, "environment": "test", **_SETTINGS[name], **more}
    )
    return ingress.IngressSource.from_settings(
        name,
        settings,
        entry.build(name, settings, support.Clock()),
        scheme=entry.scheme(settings),
        body_key=entry.body_key,
    )


def _request(name: str, body: bytes) -> dict[str, Any]:
    """Return path and headers that make *body* authentic, as far as they do."""
    path, headers = name, {}
    if name == "idbeyond":
        scheme = idbeyond.SIGNATURE
        headers = {scheme.header: scheme.sign(_SECRET.encode(), body)}
    else:
        path = f"{name}/{signing.derive_url_token(_SECRET.encode(), 'test', name)}"
    return {"path": path, "headers": headers, "body": body}


@pytest.mark.parametrize("name", sorted(_SETTINGS))
async def test_documented_callback(serve: conftest.Serve, name: str) -> None:
    """A documented callback with its authentication wakes its session."""
    served = await serve(_source(name))
    document, session_id = _CALLBACKS[name]

    reply = await served.send(**_request(name, orjson.dumps(document)))

    [event] = served.sink.events
    assert reply.status == 200
    assert (name, name) == (event.source, event.provider)
    if session_id:
        assert session_id == event.session_id
    assert _BODY_KEY not in repr(event)


@pytest.mark.parametrize("name", sorted(_SETTINGS))
async def test_without_authentication(serve: conftest.Serve, name: str) -> None:
    """The same callback without it is 401, and nothing happens."""
    served = await serve(_source(name))
    document, _ = _CALLBACKS[name]

    reply = await served.send(name, orjson.dumps(document), headers={})

    assert reply.status == 401
    assert served.sink.events == []


@pytest.mark.parametrize("name", sorted(_SETTINGS))
@pytest.mark.parametrize(
    "spelling",
    [
        None,
        7,
        True,
        ["a"],
        {"a": 1},
        "",
        "..",
        "a/b",
        "a%2fb",
        "a\x00b",
        "a" * 300,
        f"{_UUID}\n",
        f"{_TOKEN_40}\n",
        "AH73\n",
        "\u212a" * 36,  # the Kelvin sign folds to k
        "\u017f" * 40,  # the long s folds to s
    ],
)
async def test_identifier_against_the_pattern(
    serve: conftest.Serve, name: str, spelling: object
) -> None:
    """An identifier that is none is our news: 503, a dead letter and an alarm."""
    served = await serve(_source(name))
    document, _ = _CALLBACKS[name]
    body = orjson.dumps(_with_session(document, spelling))

    reply = await served.send(**_request(name, body))

    assert reply.status == 503
    assert served.sink.events == []
    assert [letter.reason for letter in served.sink.letters] == ["unmappable"]
    assert [kind for kind, _ in served.observer.alarms] == ["unmappable_callback"]


def _with_session(document: dict[str, Any], spelling: object) -> dict[str, Any]:
    """Return *document* with another session id, wherever its provider puts it."""
    names = {"session_id", "verificationSessionId", "sessionId", "transactionnumber"}
    return {
        key: spelling
        if key in names
        else (_with_session(value, spelling) if isinstance(value, dict) else value)
        for key, value in document.items()
    }


@pytest.mark.parametrize("messages", ["discard", None])
async def test_identomat_message(serve: conftest.Serve, messages: str | None) -> None:
    """A one-time message is discarded where that was asked for, else refused."""
    more = {} if messages is None else {"messages": messages}
    served = await serve(_source("identomat", **more))
    body = orjson.dumps(
        {
            "callbackApiKey": _BODY_KEY,
            "type": "one-time-password-request",
            "sessionId": _TOKEN_40,
            "text": "Your code is 6867",
            "phoneNumber": "+995512345678",
        }
    )

    reply = await served.send(**_request("identomat", body))

    assert (503 if messages is None else 200) == reply.status
    assert served.sink.events == []


async def test_id_beyond_unknown_event(serve: conftest.Serve) -> None:
    """An event that nobody knows is 200 with a dead letter, where callbacks decide."""
    served = await serve(_source("idbeyond"))
    body = orjson.dumps({"event": "verification.new", "verificationSessionId": _UUID})

    reply = await served.send(**_request("idbeyond", body))

    assert (reply.status, reply.json) == (200, {"status": "ignored"})
    assert len(served.sink.letters) == 1


async def test_idnow_get(serve: conftest.Serve) -> None:
    """A GET wakes where the source lists it and names the parameter."""
    of = _source("idnow", methods=["POST", "GET"], session_id_query="ident")
    served = await serve(of)
    path = _request("idnow", b"")["path"]

    reply = await served.send(f"{path}?ident=AH73JK3LM", None, method="GET", headers={})

    assert reply.status == 200
    assert len(served.sink.events) == 1
