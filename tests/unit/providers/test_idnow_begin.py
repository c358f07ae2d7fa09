"""IDnow: a begin as it goes over the wire, and the number that it is begun under."""

import re
from collections.abc import Awaitable, Callable
from typing import Any

import pydantic
import pytest

from tests.support import starts
from worker import clock as clocks
from worker import errors, model
from worker.providers import idnow
from worker.providers.idnow import start

Serve = Callable[[Any], Awaitable[str]]
_KEY = "synthetic-api-key"
_ANSWER = b'{"id":"IBA-H5FD8"}'


def _settings(**settings: object) -> idnow.Settings:
    given = {"environment": "test", "company_id": "ihrebank", "api_key": _KEY}
    return idnow.Settings.model_validate(given | settings)


def _beginner(
    source: str = "source",
    **settings: Any,  # noqa: ANN401 -- settings
) -> start.SessionStarter:
    return start.SessionStarter(source, _settings(**settings), clocks.SystemClock())


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


# -- the number


def test_a_number_is_a_session_id_of_ours() -> None:
    """Of their alphabet and length, and folded already."""
    beginner = _beginner()
    adapter = idnow.Adapter("source", _settings(), clocks.SystemClock())
    number = beginner.predict_session_id("b1")

    assert number is not None
    assert re.fullmatch(r"kyc-[a-z2-7]{32}", number)
    assert number == adapter.canonical(number)
    assert number == adapter.canonical(number.upper())


def test_a_number_follows_from_the_begin_id_and_a_secret() -> None:
    """The same for the same, and another for any other; nobody else can tell it."""
    found = {
        _beginner().predict_session_id("b1"),
        _beginner().predict_session_id("b2"),
        _beginner("another").predict_session_id("b1"),
        _beginner(api_key="another").predict_session_id("b1"),
        _beginner(number_secret="n" * 32).predict_session_id("b1"),
        _beginner(number_secret="m" * 32).predict_session_id("b1"),
    }

    assert len(found) == 6
    assert _beginner().predict_session_id("b1") == _beginner().predict_session_id("b1")
    keys = [
        _beginner(number_secret="n" * 32, api_key=key).predict_session_id("b1")
        for key in (_KEY, "new")
    ]
    assert keys[0] == keys[1]


async def test_what_was_foretold_is_begun(serve: Serve) -> None:
    """The number in the path, in the answer, and before: one and the same."""
    provider = starts.Provider(status=201, body=_ANSWER)
    begun = await _begun(provider, serve)
    number = _beginner().predict_session_id("b" * 43)

    assert (number, number) == (begun.session_id, begun.provider_session_id)
    (call,) = provider.calls
    assert call.path == f"/api/v1/ihrebank/identifications/{number}/start"
    assert call.headers["X-API-KEY"] == _KEY


# -- what is sent, and what comes of it


async def test_the_reference_stands_where_the_source_says(serve: Serve) -> None:
    """In its field, and nowhere where there is none."""
    for field, expected in (("custom3", {"custom3": "customer-17"}), (None, {})):
        provider = starts.Provider(status=201, body=_ANSWER)
        await _begun(provider, serve, reference_field=field)
        assert expected == provider.sent


async def test_a_language_is_sent_where_the_account_takes_one(serve: Serve) -> None:
    """Else it is told that it was not."""
    request = starts.request(language="de-AT")
    provider = starts.Provider(status=201, body=_ANSWER)
    begun = await _begun(provider, serve, request, language_field="preferredLang")
    assert provider.sent == {"preferredLang": "de-AT"}
    assert begun.warnings == ()

    provider = starts.Provider(status=201, body=_ANSWER)
    begun = await _begun(provider, serve, request)
    assert provider.sent == {}
    (warning,) = begun.warnings
    assert warning.startswith("language is not passed on")


@pytest.mark.parametrize(
    ("settings", "address"),
    [
        ({}, "https://go.idnow.de"),
        ({"base_url": "https://gateway.test.idnow.de"}, "https://go.test.idnow.de"),
        (
            {"base_url": "https://gateway.online-ident.ch"},
            "https://go.online-ident.ch",
        ),
        ({"start_url": "https://ident.ihrebank.de"}, "https://ident.ihrebank.de"),
        ({"base_url": "http://127.0.0.1:7"}, "http://127.0.0.1:7"),
        ({"base_url": "https://ident.ihrebank.de"}, None),
    ],
)
def test_the_pages_stand_beside_the_gateway(
    settings: dict[str, str], address: str | None
) -> None:
    """Each data centre has its pair of hosts; a white-label one has to be told."""
    assert address == _settings(**settings).pages
    refused: dict[str, str] = {}
    try:
        _beginner(**settings).check(starts.request())
    except errors.InvalidBeginRequest as error:
        refused = error.problems
    assert (address is None) == ("source" in refused)


async def test_an_iframe_is_given_to_be_embedded(serve: Serve) -> None:
    """The documented snippet with the long link of an embedded identification."""
    begun = await _begun(
        starts.Provider(status=201, body=_ANSWER),
        serve,
        starts.embedded(),
    )
    assert begun.url is None
    assert begun.embed is not None
    assert f'/ihrebank/identifications/{begun.session_id}/identification/start"' in (
        begun.embed
    )
    assert 'allow="camera; microphone"' in begun.embed


def test_everything_wrong_is_told_at_once_and_nothing_is_sent() -> None:
    """Parameters, reference, language, and what the source lacks."""
    request = starts.request(
        reference="",
        language="german",
        provider_params={"firstname": "", "custom1": "x", "lang": "de", "zip": 1},
    )
    beginner = _beginner(
        reference_field="custom1",
        language_field="lang",
        base_url="https://ident.ihrebank.de",
    )
    with pytest.raises(errors.InvalidBeginRequest) as caught:
        beginner.check(request)

    params = [
        f"provider_params.{name}" for name in ("custom1", "firstname", "lang", "zip")
    ]
    assert sorted(caught.value.problems) == ["language", *params, "reference", "source"]


async def test_a_begin_checks_by_itself(serve: Serve) -> None:
    """Whoever forgets to check sends nothing either."""
    provider = starts.Provider(status=201, body=_ANSWER)
    with pytest.raises(errors.InvalidBeginRequest):
        await _begun(provider, serve, starts.request(provider_params={"zip": 1}))
    assert provider.calls == []


# -- settings


@pytest.mark.parametrize(
    "settings",
    [
        {"start_url": "http://ident.example.com"},
        {"start_url": "https://ident.example.com/x"},
        {"start_url": "ident.example.com"},
        {"start_url": "https://go.test.idnow.de", "environment": "live"},
        {"number_secret": "short"},
        {"language_field": "preferred lang"},
        {"language_field": ""},
        {"begin_fields": ["a b"]},
        {"begin_fields": [""]},
        {"begin_fields": ["900101300123"]},
    ],
)
def test_settings_that_cannot_be_used_are_refused(settings: dict[str, Any]) -> None:
    """Addresses, secrets and names, before anybody begins anything."""
    with pytest.raises(pydantic.ValidationError):
        _settings(**settings)
