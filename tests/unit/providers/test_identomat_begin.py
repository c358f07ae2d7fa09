"""Identomat: a begin as it goes over the wire."""

import traceback
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from tests.support import starts
from worker import clock as clocks
from worker import errors, model
from worker.providers import identomat
from worker.providers.identomat import start

Serve = Callable[[Any], Awaitable[str]]
_TOKEN = "47fjzxvvzapi4ztasth3c2ozfucli3l0qx13hisc"
_QUOTED = f'"{_TOKEN}"'.encode()
_SECRET = "synthetic-secret-key"
_RETURN = "https://kyc.example.com/return/source/ticket"
_NO_LIVENESS = (
    "neither config_id nor flags nor steps are given: Identomat's own defaults hold,"
    " which check no liveness"
)


def _settings(base_url: str = "http://127.0.0.1:1", **more: object) -> Any:  # noqa: ANN401 -- settings
    given = {"environment": "test", "company_key": "synthetic-company-key"}
    return identomat.Settings.model_validate(given | {"base_url": base_url} | more)


async def _begun(
    provider: starts.Provider,
    serve: Serve,
    clock: clocks.Clock,
    request: model.BeginRequest | None = None,
    **settings: object,
) -> model.StartedSession:
    base_url = await serve(provider.answer)
    beginner = start.SessionStarter("s", _settings(base_url, **settings), clock)
    try:
        return await beginner.begin(request or starts.request())
    finally:
        await beginner.close()


@pytest.mark.parametrize(
    ("params", "sent"),
    [
        (
            {"config_id": "basic-1"},
            {"config_id": "basic-1", "flags": {"return_url": _RETURN}},
        ),
        (
            {"flags": {"liveness": True}},
            {"flags": {"liveness": True, "return_url": _RETURN}},
        ),
        (
            {"steps": ["liveness", {"type": "identity-document"}]},
            {
                "flags": {
                    "skip_document": True,
                    "skip_face": True,
                    "return_url": _RETURN,
                },
                "steps": ["liveness", {"type": "identity-document"}],
            },
        ),
        (
            {"steps": ["liveness"], "flags": {"skip_face": False, "liveness": True}},
            {
                "flags": {
                    "skip_document": True,
                    "skip_face": False,
                    "liveness": True,
                    "return_url": _RETURN,
                },
                "steps": ["liveness"],
            },
        ),
        ({}, {"flags": {"return_url": _RETURN}}),
    ],
)
@pytest.mark.parametrize("prefix", ["", "/external-api"])
async def test_a_begin_is_sent_as_documented(
    serve: Serve,
    clock: clocks.Clock,
    params: dict[str, Any],
    sent: dict[str, Any],
    prefix: str,
) -> None:
    """A configuration, or flags and steps, with the company's key in JSON."""
    provider = starts.Provider(body=_QUOTED)
    request = starts.request(provider_params=params)
    await _begun(provider, serve, clock, request, path_prefix=prefix)

    (call,) = provider.calls
    assert ("POST", f"{prefix}/begin/") == (call.method, call.raw_path)
    assert call.content_type == "application/json"
    assert "Authorization" not in call.headers
    assert {"company_key": "synthetic-company-key", **sent} == provider.sent


async def test_the_sources_configuration_is_the_default(
    serve: Serve, clock: clocks.Clock
) -> None:
    """The source's ``config_id`` stands where a request names none and has no flags."""
    chosen = []
    for params in ({}, {"config_id": "other"}, {"flags": {"liveness": True}}):
        provider = starts.Provider(body=_QUOTED)
        request = starts.embedded(provider_params=params)
        begun = await _begun(provider, serve, clock, request, config_id="basic")
        chosen.append(provider.sent.get("config_id"))
        assert begun.warnings == ()
        assert ("flags" in params) == ("flags" in provider.sent)

    assert chosen == ["basic", "other", None]


async def test_a_person_who_is_redirected_comes_back_to_us(
    serve: Serve, clock: clocks.Clock
) -> None:
    """The address holds the token, and lives for 15 minutes from before the call."""
    begun = await _begun(starts.Provider(body=_QUOTED), serve, clock)

    assert (begun.session_id, begun.provider_session_id) == (_TOKEN, _TOKEN)
    assert begun.url is not None
    assert begun.url.startswith("http://127.0.0.1:")
    assert begun.url.endswith(f"/?session_token={_TOKEN}")
    assert begun.embed is None
    assert begun.expires_at == clock.now_ms() + 900_000
    assert begun.warnings == (_NO_LIVENESS,)


async def test_an_embedded_page_is_the_documented_iframe(
    serve: Serve, clock: clocks.Clock
) -> None:
    """No return address is sent, the camera is allowed, the widget's host is ours."""
    provider = starts.Provider(body=_QUOTED)
    begun = await _begun(
        provider,
        serve,
        clock,
        starts.embedded(language="ka", provider_params={"flags": {}}),
        widget_url="https://widget.identomat.com/",
        token_lifetime="1h",
    )

    assert begun.url is None
    assert begun.embed == (
        "<iframe\n"
        f'    src="https://widget.identomat.com/?session_token={_TOKEN}"\n'
        '    allow="camera">\n'
        "</iframe>"
    )
    assert provider.sent["flags"] == {"language": "ka"}
    assert begun.expires_at == clock.now_ms() + 3_600_000


async def test_no_setting_leaves_its_place_in_the_iframe(
    serve: Serve, clock: clocks.Clock
) -> None:
    """Whatever the widget's host holds is text in an attribute."""
    begun = await _begun(
        starts.Provider(body=_QUOTED),
        serve,
        clock,
        starts.embedded(),
        widget_url="https://a\"><script>'&.example",
    )

    assert begun.embed is not None
    assert 'src="https://a&quot;&gt;&lt;script&gt;&#x27;&amp;.example/?' in begun.embed


async def test_a_return_address_is_not_sent_for_a_page_that_is_embedded(
    serve: Serve, clock: clocks.Clock
) -> None:
    """The guide: leaving it out means to embed, so that a spare one is left out."""
    provider = starts.Provider(body=_QUOTED)
    request = starts.request(mode=model.BeginMode.EMBED)
    begun = await _begun(provider, serve, clock, request)

    assert provider.sent["flags"] == {}
    assert begun.url is None


@pytest.mark.parametrize(
    ("status", "kind", "answered"),
    [
        (204, errors.InvalidResponse, True),
        (400, errors.InvalidResponse, True),
        (401, errors.ProviderAuthFailed, True),
        (403, errors.ProviderAuthFailed, True),
        (404, errors.InvalidResponse, True),
        (429, errors.RateLimited, True),
        (503, errors.ProviderFault, True),
        (302, errors.InvalidResponse, True),
    ],
)
async def test_every_other_status_begins_nothing(
    serve: Serve,
    clock: clocks.Clock,
    status: int,
    kind: type[errors.FetchError],
    answered: bool,  # noqa: FBT001 -- a table
) -> None:
    """Failed answers carry no signature; that they came is told; one call is made."""
    provider = starts.Provider(status=status, headers={"Location": "/"})
    with pytest.raises(kind) as caught:
        await _begun(provider, serve, clock, secret_key=_SECRET)

    assert answered == caught.value.answered
    assert len(provider.calls) == 1


async def test_a_refusal_names_the_callers_fields(
    serve: Serve, clock: clocks.Clock
) -> None:
    """Flags by their place; what we set by the name that the caller has for it."""
    provider = starts.Provider(
        status=400,
        body=b'{"flags": {"brand_new": ["no"], "language": ["no"], "return_url": 1},'
        b' "company_key": ["no"], "steps": "no"}',
    )
    request = starts.request(
        language="ka", provider_params={"flags": {"brand_new": starts.MARKER}}
    )
    with pytest.raises(errors.InvalidBeginRequest) as caught:
        await _begun(provider, serve, clock, request)

    assert sorted(caught.value.problems) == [
        "language",
        "provider_params.flags.brand_new",
        "return_url",
    ]


async def test_nothing_listening_has_begun_nothing(clock: clocks.Clock) -> None:
    """Where no connection was made, the error says so, and tells no key or address."""
    beginner = start.SessionStarter("s", _settings(secret_key=_SECRET), clock)
    with pytest.raises(errors.ProviderUnreachable) as caught:
        await beginner.begin(starts.request())
    await beginner.close()

    found = "".join(traceback.format_exception(caught.value))
    assert caught.value.detail == "not_connected"
    assert [word for word in ("synthetic", "ticket", "127.0") if word in found] == []


def test_a_session_cannot_be_foretold(clock: clocks.Clock) -> None:
    """Identomat chooses the token."""
    assert start.SessionStarter("s", _settings(), clock).predict_session_id("b") is None


async def test_nothing_that_is_begun_is_printed(
    serve: Serve, clock: clocks.Clock
) -> None:
    """The address is a bearer: it is in no ``repr``."""
    begun = await _begun(starts.Provider(body=_QUOTED), serve, clock)

    assert "session_token" not in repr(begun)
