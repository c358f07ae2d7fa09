"""Biometric.kz: a begin as it goes over the wire, and where the person goes."""

import traceback
from collections.abc import Awaitable, Callable
from typing import Any

import orjson
import pytest

from tests.support import adapters, starts
from worker import clock as clocks
from worker import errors, model
from worker.providers import biometric
from worker.providers.biometric import start

Serve = Callable[[Any], Awaitable[str]]
_KEY = "synthetic-flow-key"
_ID = adapters.UUID
_BODY = orjson.dumps({"session_id": _ID, "technologies": ["LDHP", "F2F"]})


def _settings(base_url: str = "http://127.0.0.1:1", **more: object) -> Any:  # noqa: ANN401 -- settings
    given = {"environment": "test", "flow_api_key": _KEY, "base_url": base_url}
    return biometric.Settings.model_validate(given | more)


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
    "params",
    [
        {},
        {"metadata": {}},
        {"metadata": {"face2face": {"photo1": "YQ=="}}},
        {
            "metadata": {
                "edocument": {
                    "iin": {"value": "123456789012", "changeable": False},
                    "phone": {"value": "+1234567890"},
                },
                "general": {"interchangeable_tech": ["LDHP", "F2F"]},
            }
        },
    ],
)
async def test_a_begin_is_sent_as_documented(
    serve: Serve, clock: clocks.Clock, params: dict[str, Any]
) -> None:
    """The flow's key stands in the JSON body and nowhere else, metadata beside it."""
    provider = starts.Provider(body=_BODY)
    await _begun(provider, serve, clock, starts.request(provider_params=params))

    (call,) = provider.calls
    assert (call.method, call.raw_path) == ("POST", "/api/v1/flows/session/create/")
    assert call.content_type == "application/json"
    assert _KEY not in str(call.headers)
    assert {"api_key": _KEY, **params} == provider.sent


async def test_a_person_who_is_redirected_goes_to_the_hosted_flow(
    serve: Serve, clock: clocks.Clock
) -> None:
    """The ordered technologies come back; nobody knows how long the session lives."""
    begun = await _begun(starts.Provider(body=_BODY), serve, clock)

    assert begun == model.StartedSession(
        session_id=_ID,
        provider_session_id=_ID,
        url=f"https://remote.biometric.kz/flow/{_ID}",
        details={"technologies": ["LDHP", "F2F"]},
    )


async def test_the_hosted_flow_speaks_the_persons_language(
    serve: Serve, clock: clocks.Clock
) -> None:
    """A language is added to the address; the host is a setting."""
    begun = await _begun(
        starts.Provider(body=_BODY, status=201),
        serve,
        clock,
        starts.request(language="kz"),
        remote_url="https://remote.example/",
    )

    assert begun.url == f"https://remote.example/flow/{_ID}?locale=kz"


@pytest.mark.parametrize(("language", "locale"), [("en", "en"), (None, "ru")])
async def test_an_embedded_flow_is_the_documented_widget(
    serve: Serve, clock: clocks.Clock, language: str | None, locale: str
) -> None:
    """Container, script and start are as in the guide's final example."""
    begun = await _begun(
        starts.Provider(body=_BODY),
        serve,
        clock,
        starts.embedded(language=language),
    )

    assert begun.url is None
    assert begun.embed == (
        '<div id="flow-widget"></div>\n'
        '<script type="module" '
        'src="https://remote.biometric.kz/widget/flow-widget.umd.js"></script>\n'
        '<script type="module">\n'
        "    FlowWidget.startSession({\n"
        f"        id: '{_ID}',\n"
        "        selector: '#flow-widget',\n"
        f"        locale: '{locale}'\n"
        "    })\n"
        "</script>"
    )


async def test_no_setting_leaves_its_place_in_the_widget(
    serve: Serve, clock: clocks.Clock
) -> None:
    """Whatever the host of the script holds is text in an attribute."""
    begun = await _begun(
        starts.Provider(body=_BODY),
        serve,
        clock,
        starts.embedded(),
        remote_url="https://a\"><script>'&.example",
    )

    assert begun.embed is not None
    assert 'src="https://a&quot;&gt;&lt;script&gt;&#x27;&amp;.example/w' in begun.embed


async def test_the_widgets_language_is_the_sources(
    serve: Serve, clock: clocks.Clock
) -> None:
    """It must have one, so that a source has one for who names none."""
    begun = await _begun(
        starts.Provider(body=_BODY),
        serve,
        clock,
        starts.embedded(),
        widget_locale="kz",
    )

    assert begun.embed is not None
    assert "locale: 'kz'" in begun.embed


async def test_the_session_id_is_folded_and_its_spelling_kept(
    serve: Serve, clock: clocks.Clock
) -> None:
    """The person's address has the provider's spelling, our records the canonical."""
    body = orjson.dumps({"session_id": _ID.upper(), "technologies": []})
    begun = await _begun(starts.Provider(body=body), serve, clock)

    assert (begun.session_id, begun.provider_session_id) == (_ID, _ID.upper())
    assert begun.url is not None
    assert begun.url.endswith(f"/flow/{_ID.upper()}")


@pytest.mark.parametrize("session_id", adapters.NO_UUIDS)
async def test_an_answer_without_a_session_leaves_the_begin_in_doubt(
    serve: Serve, clock: clocks.Clock, session_id: object
) -> None:
    """Whatever is no UUID could leave its place in an address or a script."""
    try:
        body = orjson.dumps({"session_id": session_id, "technologies": []})
    except TypeError:
        body = b'{"session_id": "\\ud800"}'
    with pytest.raises(errors.BeginInDoubt) as caught:
        await _begun(starts.Provider(body=body), serve, clock)

    assert (caught.value.detail, caught.value.answered) == ("no_session_id", False)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"[]",
        f'"{_ID}"'.encode(),
        b"{}",
        b'{"detail": "' + starts.MARKER.encode() + b'"}',
        _BODY[:-1],
        b"\xff",
    ],
)
async def test_an_answer_that_is_no_object_leaves_the_begin_in_doubt(
    serve: Serve, clock: clocks.Clock, body: bytes
) -> None:
    """And nothing of it is told."""
    with pytest.raises(errors.BeginInDoubt) as caught:
        await _begun(starts.Provider(body=body), serve, clock)

    found = "".join(traceback.format_exception(caught.value))
    assert caught.value.__context__ is None
    assert starts.MARKER not in found


@pytest.mark.parametrize(
    "technologies",
    [None, "LDHP", {}, [1], ["LDHP", None], ["<b>"], ["x" * 33], ["A"] * 51, [["A"]]],
    ids=range(9),
)
async def test_technologies_that_are_none_do_not_end_a_begin(
    serve: Serve, clock: clocks.Clock, technologies: object
) -> None:
    """The session is there: a part of their order would be worse than none."""
    body = orjson.dumps({"session_id": _ID, "technologies": technologies})
    begun = await _begun(starts.Provider(body=body), serve, clock)

    assert begun.details == {}


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (204, errors.InvalidResponse),
        (400, errors.InvalidResponse),
        (403, errors.ProviderAuthFailed),
        (404, errors.InvalidResponse),
        (429, errors.RateLimited),
        (503, errors.ProviderFault),
    ],
)
async def test_every_other_status_begins_nothing(
    serve: Serve, clock: clocks.Clock, status: int, kind: type[errors.FetchError]
) -> None:
    """It is said that an answer came, and one call is made."""
    provider = starts.Provider(status=status, body=b'{"detail": "no"}')
    with pytest.raises(kind) as caught:
        await _begun(provider, serve, clock)

    assert caught.value.answered
    assert not isinstance(caught.value, errors.BeginInDoubt)
    assert len(provider.calls) == 1


async def test_a_refusal_names_the_callers_fields(
    serve: Serve, clock: clocks.Clock
) -> None:
    """By their whole path, and never with a value or a word of theirs."""
    value = "123456789012"
    body = {
        "metadata": {"edocument": {"iin": {"value": [f"{value} {starts.MARKER}"]}}},
        "api_key": ["no"],
    }
    provider = starts.Provider(status=400, body=orjson.dumps(body))
    request = starts.request(
        provider_params={"metadata": {"edocument": {"iin": {"value": value}}}}
    )
    with pytest.raises(errors.InvalidBeginRequest) as caught:
        await _begun(provider, serve, clock, request)

    found = "".join(traceback.format_exception(caught.value))
    assert caught.value.problems == {
        "provider_params.metadata.edocument.iin.value": "is refused by the provider"
    }
    assert [word for word in (value, starts.MARKER, _KEY) if word in found] == []


async def test_a_begin_that_is_checked_too_late_is_not_sent(
    serve: Serve, clock: clocks.Clock
) -> None:
    """What check refuses begin refuses too."""
    provider = starts.Provider(body=_BODY)
    with pytest.raises(errors.InvalidBeginRequest):
        await _begun(provider, serve, clock, starts.request(provider_params={"a": 1}))

    assert provider.calls == []


async def test_nothing_listening_has_begun_nothing(clock: clocks.Clock) -> None:
    """No connection, no session; and neither key nor photo is told."""
    beginner = start.SessionStarter("s", _settings(), clock)
    params = {"metadata": {"face2face": {"photo1": "cGxhbnRlZA=="}}}
    with pytest.raises(errors.ProviderUnreachable) as caught:
        await beginner.begin(starts.request(provider_params=params))
    await beginner.close()
    found = "".join(traceback.format_exception(caught.value))
    assert caught.value.detail == "not_connected"
    assert [word for word in (_KEY, "cGxh", "127.0") if word in found] == []


def test_a_session_cannot_be_foretold(clock: clocks.Clock) -> None:
    """Biometric.kz chooses the session id."""
    assert start.SessionStarter("s", _settings(), clock).predict_session_id("b") is None
