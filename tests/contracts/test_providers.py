"""What every provider of the registry must have and hold to."""

import asyncio
import pathlib
from typing import Any

import hypothesis
import orjson
import pytest
from hypothesis import strategies as st

from tests.support import provider_json
from worker import clock as clocks
from worker import errors, model, ports, providers
from worker.devkit import simulators
from worker.settings import sources

_VECTORS = pathlib.Path(__file__).parents[1] / "vectors"
_NAMES = sorted(providers.REGISTRY)
_KINDS = {"begin", "callback", "create", "error", "login", "result", "settings"}


def _vectors(name: str, kind: str) -> list[tuple[str, dict[str, Any]]]:
    paths = sorted((_VECTORS / name).glob("*.json"))
    read = [(path.stem, orjson.loads(path.read_bytes())) for path in paths]
    return [(stem, vector) for stem, vector in read if vector["kind"] == kind]


def _settings(name: str, **changes: object) -> sources.Source:
    (_, vector) = _vectors(name, "settings")[0]
    entry = providers.REGISTRY[name]
    return entry.settings_type.model_validate(
        {"provider": name} | vector["settings"] | changes
    )


def _adapter(name: str, **changes: object) -> ports.Provider:
    settings = _settings(name, **changes)
    return providers.REGISTRY[name].build("source", settings, clocks.SystemClock())


def _callback(
    document: dict[str, Any] | None, query: dict[str, str] | None = None
) -> model.VerifiedCallback:
    return model.VerifiedCallback(
        source="source",
        document=document,
        query=query or {},
        digest="0" * 64,
        received_at=0,
    )


def _event(name: str, wake: model.WakeUp) -> model.Event:
    return model.Event(
        event_id="event",
        type=model.EventType.CALLBACK_RECEIVED,
        environment=model.Environment.TEST,
        source="source",
        provider=name,
        received_at=0,
        **wake._asdict(),
    )


def _all(kind: str) -> list[Any]:
    return [
        pytest.param(name, vector, id=f"{name}-{stem}")
        for name in _NAMES
        for stem, vector in _vectors(name, kind)
    ]


@pytest.mark.parametrize("name", _NAMES)
def test_a_provider_is_complete(name: str) -> None:
    """Settings, a simulator, vectors of callbacks and results: nothing is missing."""
    entry = providers.REGISTRY[name]
    settings = _settings(name)

    assert entry.name == name
    assert settings.provider == name
    assert settings.default_authenticate
    assert settings.base_url.startswith("https://")
    account = simulators.Account(source="source", settings=settings)
    assert simulators.find(name).build(account).name == name
    assert _vectors(name, "callback")
    assert _vectors(name, "result")


@pytest.mark.parametrize("name", _NAMES)
def test_what_is_listed_can_be_proven(name: str) -> None:
    """A provider's own authenticators need what its entry says of them."""
    entry = providers.REGISTRY[name]
    listed = _settings(name).default_authenticate

    assert ("hmac_body" in listed) <= (entry.signature is not None)
    assert ("body_key" in listed) <= (entry.body_key is not None)
    assert set(listed) != {"ip_allow"}


@pytest.mark.parametrize("name", _NAMES)
def test_no_vector_is_of_an_unknown_kind(name: str) -> None:
    """A vector that no test reads would prove nothing."""
    paths = (_VECTORS / name).glob("*.json")

    assert {orjson.loads(path.read_bytes())["kind"] for path in paths} <= _KINDS


def test_the_folders_are_those_of_the_registry() -> None:
    """No vectors of a provider that is not there, no simulator either."""
    assert {path.name for path in _VECTORS.iterdir()} >= set(_NAMES)


@pytest.mark.parametrize(("name", "vector"), _all("callback"))
def test_every_sample_callback_is_normalised_as_expected(
    name: str, vector: dict[str, Any]
) -> None:
    """Each callback vector becomes what its expectation says, and claims no more."""
    adapter = _adapter(name, **vector.get("settings", {}))
    raw = vector.get("raw")
    document = orjson.loads(raw) if raw else vector["document"]
    body_key = providers.REGISTRY[name].body_key
    if document is not None and body_key is not None:
        document.pop(body_key, None)
    expect = dict(vector["expect"])
    callback = _callback(document, vector.get("query"))
    if "unmappable" in expect:
        with pytest.raises(errors.UnmappableCallback) as caught:
            adapter.normalise(callback)
        assert list(caught.value.known_keys) == expect["unmappable"]
        return

    match adapter.normalise(callback):
        case model.IgnoredCallback(word):
            assert {"ignored": word} == expect
        case model.ForwardedMessage(word, body):
            assert {"message": word} == expect
            assert body == document
        case model.WakeUp() as wake:
            claim = adapter.claim(_event(name, wake))
            claimed = None if claim is None else claim.verdict.outcome
            assert expect.pop("claimed", claimed) == claimed
            if "reason" in expect:
                assert claim is not None
                assert expect.pop("reason") == claim.verdict.reason
            assert {field: getattr(wake, field) for field in expect} == expect


@pytest.mark.parametrize(("name", "vector"), _all("result"))
def test_every_sample_result_is_interpreted_as_expected(
    name: str, vector: dict[str, Any]
) -> None:
    """Each result vector maps to the verdict, reference and alarms that it names."""
    adapter = _adapter(name, **vector.get("settings", {}))
    session_id = vector["session_id"]
    answer = model.ProviderResponse(
        document=vector["document"],
        observed_at=7,
        origin=vector.get("origin", "result"),
    )
    expect = dict(vector["expect"])
    key = model.SessionKey("source", session_id)
    if "error" in expect:
        with pytest.raises(errors.FetchError) as caught:
            adapter.interpret(key, session_id, answer)
        assert expect["error"] == caught.value.reason
        return

    result = adapter.interpret(key, session_id, answer)

    assert result.observed_at == 7
    assert expect.pop("alarms") == list(result.alarms)
    assert expect.pop("reference", result.reference) == result.reference
    flags = list(result.verdict.flags)
    assert expect.pop("flags", flags) == flags
    assert {field: getattr(result.verdict, field) for field in expect} == expect


@pytest.mark.parametrize("name", _NAMES)
def test_normalise_knows_one_error_only(name: str) -> None:
    """Any object is mapped or unmappable, and what is mapped is bounded and plain."""
    adapter = _adapter(name)
    for document in provider_json.objects():
        with provider_json.shown(document):
            _check_normalise(name, adapter, document)


def _check_normalise(
    name: str, adapter: ports.Provider, document: dict[str, Any]
) -> None:
    unmapped = None
    normalised: model.Normalised | None = None
    try:
        normalised = adapter.normalise(_callback(document))
    except errors.UnmappableCallback as error:
        unmapped = error

    if unmapped is not None:
        assert unmapped.known_keys == tuple(sorted(unmapped.known_keys))
        assert len(unmapped.known_keys) + unmapped.other_keys == len(document)
    if isinstance(normalised, model.WakeUp):
        assert normalised.session_id.isascii()
        assert 0 < len(normalised.session_id) <= 255
        assert normalised.session_id.isprintable()
        claim = adapter.claim(_event(name, normalised))
        assert claim is None or isinstance(claim, model.Claim)


@pytest.mark.parametrize("name", _NAMES)
def test_no_arbitrary_result_is_approved(name: str) -> None:
    """Any JSON value is pending, rejected or a FetchError; it is never an approval."""
    adapter = _adapter(name)
    for document in provider_json.values():
        with provider_json.shown(document):
            _check_not_approved(name, adapter, document)


def _check_not_approved(name: str, adapter: ports.Provider, document: object) -> None:
    session_id = _vectors(name, "result")[0][1]["session_id"]
    key = model.SessionKey("source", session_id)
    try:
        result = adapter.interpret(
            key, session_id, model.ProviderResponse(document=document, observed_at=0)
        )
    except errors.FetchError:
        return

    approved = result.verdict.outcome is model.Outcome.APPROVED
    assert not approved or _says_approved(name, document)


def _says_approved(name: str, document: object) -> bool:
    """Return whether the draw happens to be the provider's plain word of approval."""
    match name, document:
        case "identomat", {"result": "approved"}:
            return True
        case "idbeyond", {"decision": "approved"}:
            return True
        case _:
            return False


@pytest.mark.parametrize("name", _NAMES)
@hypothesis.given(data=st.data())
@hypothesis.settings(max_examples=50)
def test_a_sample_that_is_changed_crashes_nothing(
    name: str, data: st.DataObject
) -> None:
    """A documented result with one value replaced maps, or is a FetchError."""
    vectors = _vectors(name, "result")
    _, vector = vectors[data.draw(st.integers(0, len(vectors) - 1))]
    adapter = _adapter(name, **vector.get("settings", {}))
    document = _with_one_changed(vector["document"], data)
    session_id = vector["session_id"]
    try:
        result = adapter.interpret(
            model.SessionKey("source", session_id),
            session_id,
            model.ProviderResponse(document=document, observed_at=0),
        )
    except errors.FetchError:
        return

    assert isinstance(result, model.Result)


def _with_one_changed(
    value: Any,  # noqa: ANN401 -- JSON
    data: st.DataObject,
) -> Any:  # noqa: ANN401 -- JSON
    """Return *value* with one value, at any depth, replaced by an arbitrary one."""
    keys = list(value) if isinstance(value, dict) else range(len(value))
    if not keys:
        return data.draw(provider_json.VALUES)
    key = data.draw(st.sampled_from(keys))
    changed = value.copy()
    nested = isinstance(value[key], dict | list)
    if nested and data.draw(st.booleans()):
        changed[key] = _with_one_changed(value[key], data)
    else:
        changed[key] = data.draw(provider_json.VALUES)
    return changed


@pytest.mark.parametrize("name", _NAMES)
async def test_closing_twice_is_fine(name: str) -> None:
    """An adapter that never fetched can be closed, again and again."""
    adapter = _adapter(name)
    await adapter.close()
    await asyncio.wait_for(adapter.close(), 1)
