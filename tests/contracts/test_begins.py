"""What every provider's begin must send, answer and refuse, by its vectors."""

import contextlib
import dataclasses
import pathlib
import urllib.parse
from collections.abc import AsyncIterator
from typing import Any

import orjson
import pytest
from aiohttp import web

from tests.support import provider_json
from worker import clock as clocks
from worker import errors, model, ports, providers
from worker.settings import sources

_VECTORS = pathlib.Path(__file__).parents[1] / "vectors"
_NAMES = sorted(providers.REGISTRY)
#: what a token endpoint is asked for, and what it responds to everybody
_GRANT = b"grant_type=client_credentials"
_TOKEN = {"access_token": "synthetic-access-token", "expires_in": 3600}
_STARTING = [name for name in _NAMES if providers.REGISTRY[name].build_starter]
_BEGIN_ID = "6f1d0c9e5b212b7f6a3491d04c578a4e"


def _vectors(name: str, kind: str) -> list[tuple[str, dict[str, Any]]]:
    paths = sorted((_VECTORS / name).glob("*.json"))
    read = [(path.stem, orjson.loads(path.read_bytes())) for path in paths]
    return [(stem, vector) for stem, vector in read if vector["kind"] == kind]


def _all() -> list[Any]:
    return [
        pytest.param(name, vector, id=f"{name}-{stem}")
        for name in _NAMES
        for stem, vector in _vectors(name, "begin")
    ]


def _settings(name: str, **changes: object) -> sources.Source:
    (_, vector) = _vectors(name, "settings")[0]
    given = {"provider": name} | vector["settings"] | changes
    return providers.REGISTRY[name].settings_type.model_validate(given)


def _beginner(name: str, **changes: object) -> ports.SessionStarter:
    entry = providers.REGISTRY[name]
    return entry.starter("source", _settings(name, **changes), clocks.SystemClock())


def _request(**changes: Any) -> model.BeginRequest:  # noqa: ANN401 -- JSON
    given: dict[str, Any] = {
        "source": "source",
        "begin_id": _BEGIN_ID,
        "reference": "order-17",
        "mode": "redirect",
    } | changes
    if given["mode"] == model.BeginMode.REDIRECT:
        given.setdefault("return_address", "https://kyc.example.com/return/source/t")
    return model.BeginRequest(**given | {"mode": model.BeginMode(given["mode"])})


@dataclasses.dataclass
class _Heard:
    """What the served provider was sent."""

    requests: list[dict[str, Any]] = dataclasses.field(default_factory=list)
    address: str = ""


def _body(content_type: str, sent: bytes) -> Any:  # noqa: ANN401 -- JSON
    if content_type == "application/x-www-form-urlencoded":
        return urllib.parse.parse_qs(sent.decode(), strict_parsing=True)
    return orjson.loads(sent) if sent else None


@contextlib.asynccontextmanager
async def _provider(status: int, body: bytes) -> AsyncIterator[_Heard]:
    """Serve one answer for every path."""
    heard = _Heard()

    async def handler(request: web.Request) -> web.Response:
        sent = await request.read()
        if _GRANT in sent:  # of OAuth 2.0: no call of the session start
            return web.json_response(_TOKEN)
        heard.requests.append(
            {
                "method": request.method,
                "path": request.path_qs,
                "headers": dict(request.headers),
                "body": _body(request.content_type, sent),
            }
        )
        return web.Response(status=status, body=body, content_type="application/json")

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handler)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    heard.address = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield heard
    finally:
        await runner.cleanup()


def _filled(value: Any, **words: str) -> Any:  # noqa: ANN401 -- JSON
    """Return *value* with ``{base_url}`` and the like replaced at every depth."""
    if isinstance(value, str):
        for word, text in words.items():
            value = value.replace(f"{{{word}}}", text)
        return value
    if isinstance(value, dict):
        return {key: _filled(inner, **words) for key, inner in value.items()}
    if isinstance(value, list):
        return [_filled(inner, **words) for inner in value]
    return value


@pytest.mark.parametrize("name", _NAMES)
def test_a_session_start_has_vectors(name: str) -> None:
    """
    A provider that starts sessions has vectors of good and bad answers in both modes.

    One that does not has none.
    """
    expected = [vector["expect"] for _, vector in _vectors(name, "begin")]

    if providers.REGISTRY[name].build_starter is None:
        assert not expected
        return
    for key in ("url", "refused", "error"):
        assert any(expect.get(key) for expect in expected), key
    embeds = [
        vector["expect"]
        for _, vector in _vectors(name, "begin")
        if vector["request"].get("mode") == model.BeginMode.EMBED
    ]
    assert any(expect.get("embed") or expect.get("refused") for expect in embeds)


@pytest.mark.parametrize(("name", "vector"), _all())
async def test_every_sample_begin_is_sent_and_read_as_expected(
    name: str, vector: dict[str, Any]
) -> None:
    """What goes out, what comes back, or what is refused is what the vector says."""
    answer = vector["answer"]
    body = answer["raw"].encode() if "raw" in answer else None
    request = _request(**vector["request"])
    async with _provider(
        answer["status"], orjson.dumps(answer.get("document")) if body is None else body
    ) as heard:
        changes = vector.get("settings", {}) | {"base_url": heard.address}
        beginner = _beginner(name, **changes)
        words = {"base_url": heard.address}
        if (number := beginner.predict_session_id(request.begin_id)) is not None:
            words["foretold"] = number
        found: dict[str, Any] = {}
        try:
            begun = await beginner.begin(request)
        except errors.InvalidBeginRequest as refused:
            found["refused"] = refused.problems
        except errors.FetchError as error:
            found["error"] = error.reason
            found["detail"] = error.detail
            found["answered"] = error.answered
        else:
            found = dataclasses.asdict(begun)
        await beginner.close()

    expect = _filled(vector["expect"], **words)
    assert {key: _plain(found.get(key)) for key in expect} == expect
    if "error" not in expect and "refused" not in expect:
        assert "error" not in found
    # A start that is refused before anything is sent says "requests": 0.
    assert len(heard.requests) == vector.get("requests", 1)
    sent = _filled(vector.get("sent", {}), **words)
    headers = sent.pop("headers", {})
    for key, value in headers.items():
        assert heard.requests[0]["headers"][key] == value
    assert {key: heard.requests[0][key] for key in sent} == sent


def _plain(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value


@pytest.mark.parametrize("mode", model.BeginMode)
@pytest.mark.parametrize("name", _STARTING)
def test_any_parameters_pass_or_are_refused_by_name(
    name: str, mode: model.BeginMode
) -> None:
    """No parameters crash the check, and what is refused holds no value of them."""
    starter = _beginner(name)
    for params in provider_json.objects():
        problems = {"": ""}
        with provider_json.shown(params):
            try:
                starter.check(_request(provider_params=params, mode=mode))
            except errors.InvalidBeginRequest as refused:
                problems = refused.problems

            assert problems
            for field, sentence in problems.items():
                assert field.isascii()
                assert sentence.isascii()


@pytest.mark.parametrize(
    "body",
    [b"", b"null", b"[]", b"{}", b"<html>", b"1", b'""', b'{"ok":true}', b"\xff", b"{"],
)
@pytest.mark.parametrize("name", _STARTING)
async def test_what_is_no_answer_leaves_the_begin_in_doubt(
    name: str, body: bytes
) -> None:
    """A 200 without what is needed may have started a session: it is in doubt."""
    async with _provider(200, body) as heard:
        beginner = _beginner(name, base_url=heard.address)
        params = dict(providers.REGISTRY[name].sample_start_parameters)
        with pytest.raises(errors.BeginInDoubt) as caught:
            await beginner.begin(_request(provider_params=params))
        await beginner.close()

    assert not caught.value.answered
    assert caught.value.__context__ is None


@pytest.mark.parametrize("name", _STARTING)
async def test_closing_a_beginner_twice_is_fine(name: str) -> None:
    """One that never began can be closed, again and again."""
    beginner = _beginner(name)
    await beginner.close()
    await beginner.close()
