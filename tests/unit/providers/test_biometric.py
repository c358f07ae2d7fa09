"""Biometric.kz: what its callbacks become, and whose result is believed."""

import pathlib
from typing import Any

import orjson
import pydantic
import pytest

from worker import clock as clocks
from worker import errors, model
from worker.providers import biometric

_VECTORS = pathlib.Path(__file__).parents[2] / "vectors" / "biometric"
_SESSION = "3fa85f64-5717-4562-b3fc-2c963f66afa6"
_OTHER = "7c9e6679-7425-40de-944b-e07fc1f90ae7"
_MESSAGE = "0b9f6f0e-6f0a-4f57-9c39-6a1f0f1f7a04"
_KEY = model.SessionKey("biometric", _SESSION)

NO_SESSION_IDS = [
    pytest.param(value, id=repr(value)[:40])
    for value in (
        None,
        True,
        0,
        1.5,
        [],
        [_SESSION],
        {},
        {"id": _SESSION},
        "",
        f"{_SESSION}/",
        f"../{_SESSION}",
        f"{_SESSION[:-3]}/..",
        f"{_SESSION[:-3]}%2f",
        f"{_SESSION[:-1]}\0",
        f"{_SESSION}\0",
        f"{_SESSION}\n",
        f" {_SESSION}",
        _SESSION.replace("-", ""),
        f"{{{_SESSION}}}",
        _SESSION.replace("3", "\uff13"),
        _SESSION.replace("3", "\u0663"),
        _SESSION.replace("f", "\uff46"),
        _SESSION.replace("-", "\u2010"),
        "\ud800" + _SESSION[1:],
        "a" * 300,
        _SESSION * 9,
    )
]


def _adapter(**settings: object) -> biometric.Adapter:
    given = {"environment": "test", "flow_api_key": "synthetic-flow-key"} | settings
    return biometric.Adapter(
        "biometric", biometric.Settings.model_validate(given), clocks.SystemClock()
    )


def _callback(
    document: dict[str, Any] | None, query: dict[str, str] | None = None
) -> model.VerifiedCallback:
    return model.VerifiedCallback(
        source="biometric",
        document=document,
        query=query or {},
        digest="0" * 64,
        received_at=0,
    )


def _end(**changes: object) -> dict[str, Any]:
    envelope = {
        "id": _MESSAGE,
        "event": "flow.end",
        "session_id": _SESSION,
        "created": 1767225660,
        "data": {
            "session_result": {
                "status": "FINISHED",
                "session_id": _SESSION,
                "flow_session_result": True,
            }
        },
    }
    return envelope | changes


def _with_result(**changes: object) -> dict[str, Any]:
    return _end(data={"session_result": changes})


def _wake(document: dict[str, Any]) -> model.Wake:
    normalised = _adapter().normalise(_callback(document))
    assert isinstance(normalised, model.Wake)
    return normalised


def _event(claim: dict[str, str | None]) -> model.Event:
    return model.Event(
        event_id="e",
        type=model.EventType.CALLBACK_RECEIVED,
        environment=model.Environment.TEST,
        source="biometric",
        provider="biometric",
        session_id=_SESSION,
        provider_session_id=_SESSION,
        received_at=0,
        claim=claim,
    )


def _answer(document: object) -> model.Answer:
    return model.Answer(document=document, observed_at=7)


def _vectors(kind: str) -> list[Any]:
    found = [
        pytest.param(vector, id=path.stem)
        for path in sorted(_VECTORS.glob("*.json"))
        if (vector := orjson.loads(path.read_bytes()))["kind"] == kind
    ]
    assert found
    return found


@pytest.mark.parametrize("vector", _vectors("callback"))
def test_every_sample_callback_becomes_what_its_vector_says(
    vector: dict[str, Any],
) -> None:
    """Each sample callback is ignored or wakes with the words of the table."""
    adapter = _adapter()
    normalised = adapter.normalise(_callback(vector["document"]))
    expected = vector["expect"]
    if "ignored" in expected:
        assert model.Ignored(expected["ignored"]) == normalised
        return
    claimed = expected.pop("claimed")
    assert model.Wake(**expected) == normalised
    claim = adapter.claim(_event(expected["claim"]))
    assert claim is not None
    assert (model.ClaimKind.HINT, claimed) == (claim.kind, claim.verdict.outcome)


@pytest.mark.parametrize("vector", _vectors("result"))
def test_every_sample_result_becomes_what_its_vector_says(
    vector: dict[str, Any],
) -> None:
    """Each sample result gives the verdict and the alarms of its vector."""
    key = model.SessionKey("biometric", vector["session_id"])
    answer = _answer(vector["document"])
    expected = vector["expect"]
    if expected.get("error") == "not_ready":
        with pytest.raises(errors.NotReady):
            _adapter().interpret(key, key.session_id, answer)
        return
    result = _adapter().interpret(key, key.session_id, answer)
    told = {
        name: getattr(result.verdict, name) for name in expected if name != "alarms"
    }
    assert expected == told | {"alarms": list(result.alarms)}


@pytest.mark.parametrize("event", ["flow.start", "technology.start", "technology.end"])
def test_other_known_events_are_ignored_whatever_they_hold(event: str) -> None:
    """An event that decides nothing is ignored, even when its rest is broken."""
    for document in ({"event": event}, _end(event=event), _end(event=event, id=[])):
        assert model.Ignored(event) == _adapter().normalise(_callback(document))


@pytest.mark.parametrize("event", [None, 1, [], {}, "flow.END", "flow.end\n", "x" * 99])
def test_an_unknown_event_with_a_session_wakes(event: object) -> None:
    """What is not in the table costs one fetch and is told as unlisted."""
    wake = _wake(_end(event=event))
    assert (wake.session_id, wake.provider_event) == (_SESSION, "unlisted")


@pytest.mark.parametrize("value", NO_SESSION_IDS)
def test_what_is_no_session_id_is_unmappable(value: object) -> None:
    """Nothing but the text of a UUID becomes a session."""
    with pytest.raises(errors.UnmappableCallback) as caught:
        _adapter().normalise(_callback(_end(session_id=value)))
    assert not caught.value.acknowledge


def test_an_unmappable_callback_tells_key_names_of_the_table_alone() -> None:
    """The dead letter gets known key names and a count, never a value."""
    document = {"event": "flow.end", "created": 1, "iin": "x", "phone": "y"}
    with pytest.raises(errors.UnmappableCallback) as caught:
        _adapter().normalise(_callback(document))
    assert (
        caught.value.known_keys,
        caught.value.other_keys,
    ) == (("created", "event"), 2)


def test_a_session_id_is_folded_and_its_spelling_kept() -> None:
    """The session is known in lower case and asked for as the provider spells it."""
    wake = _wake(_end(session_id=_SESSION.upper(), id=_MESSAGE.upper()))
    assert (_SESSION, _SESSION.upper(), _MESSAGE) == (
        wake.session_id,
        wake.provider_session_id,
        wake.provider_event_id,
    )


@pytest.mark.parametrize("inner", [_OTHER, "", 1, [], {}, False, f"{_SESSION}\n"])
def test_two_sessions_in_one_message_are_unmappable(inner: object) -> None:
    """A result of another session inside the envelope is refused."""
    with pytest.raises(errors.UnmappableCallback):
        _adapter().normalise(_callback(_with_result(session_id=inner)))


@pytest.mark.parametrize("inner", [_SESSION, _SESSION.upper(), None])
def test_the_same_session_twice_is_one(inner: str | None) -> None:
    """The inner id may be missing or spelt in another case."""
    assert _wake(_with_result(session_id=inner)).session_id == _SESSION


@pytest.mark.parametrize("value", [None, 1, "", "x", [], "0" * 36, f"{_MESSAGE}\n"])
def test_a_message_id_that_is_no_uuid_is_no_event_id(value: object) -> None:
    """Only a UUID may drop a repeat without a fetch."""
    assert _wake(_end(id=value)).provider_event_id is None


@pytest.mark.parametrize(
    "created", [None, True, "1767225660", 1.5, -1, 10**12, 10**30, [], {}]
)
def test_a_time_that_is_none_is_left_out(created: object) -> None:
    """A time of another type or outside the calendar is as if it were not there."""
    assert _wake(_end(created=created)).provider_time is None


def test_a_time_is_told_in_milliseconds() -> None:
    """Whole seconds become milliseconds, up to the last one of the calendar."""
    assert _wake(_end(created=0)).provider_time == 0
    assert _wake(_end(created=253402300799)).provider_time == 253402300799000


@pytest.mark.parametrize(
    ("held", "claim"),
    [
        ({"status": "FINISHED", "flow_session_result": True}, ("FINISHED", "true")),
        ({"status": "FAILED", "flow_session_result": False}, ("FAILED", "false")),
        ({"status": "PROGRESS"}, ("PROGRESS", None)),
        ({"status": "finished", "flow_session_result": "true"}, ("unlisted", None)),
        ({"status": ["FINISHED"], "flow_session_result": 1}, ("unlisted", None)),
        ({"status": None, "flow_session_result": 0}, (None, None)),
        ({"liveness_result": {"result": True}}, (None, None)),
    ],
)
def test_a_callback_carries_words_of_the_table_alone(
    held: dict[str, Any], claim: tuple[str | None, str | None]
) -> None:
    """Whatever the body holds, only listed words leave it."""
    expected = {"status": claim[0], "flow_session_result": claim[1]}
    assert expected == _wake(_with_result(**held)).claim


@pytest.mark.parametrize(
    "data", [None, 1, "x", [], {}, {"session_result": []}, {"session_result": {}}]
)
def test_an_end_without_a_result_still_wakes(data: object) -> None:
    """The wake-up needs the session alone; there is no hint then."""
    wake = _wake(_end(data=data))
    assert (wake.claim, _adapter().claim(_event({}))) == ({}, None)


@pytest.mark.parametrize(
    ("status", "passed", "outcome"),
    [
        ("FINISHED", "true", "approved"),
        ("FINISHED", "false", "rejected"),
        ("FAILED", "false", "rejected"),
        ("FAILED", "true", "pending"),
        ("FINISHED", None, "pending"),
        ("unlisted", "true", "pending"),
        (None, "true", "pending"),
        ("PROGRESS", "true", None),
        ("PROGRESS", None, None),
        (None, None, None),
    ],
)
def test_a_callback_is_a_hint_and_no_more(
    status: str | None, passed: str | None, outcome: str | None
) -> None:
    """The unsigned words suggest an outcome; where they suggest none there is none."""
    claim = _adapter().claim(_event({"status": status, "flow_session_result": passed}))
    assert outcome == (claim and claim.verdict.outcome)
    assert claim is None or claim.kind is model.ClaimKind.HINT


def test_a_get_wakes_by_the_configured_query_key_alone() -> None:
    """A callback without a body names its session where the source says so."""
    adapter = _adapter(methods=("GET",), session_id_query="sid")
    wake = adapter.normalise(_callback(None, {"sid": _SESSION.upper()}))
    assert isinstance(wake, model.Wake)
    assert (
        wake.session_id,
        wake.provider_event,
        wake.claim,
    ) == (_SESSION, "unlisted", {})
    for query in ({"id": _SESSION}, {"sid": f"{_SESSION}/"}, {}):
        with pytest.raises(errors.UnmappableCallback):
            adapter.normalise(_callback(None, query))
    with pytest.raises(errors.UnmappableCallback):
        _adapter().normalise(_callback(None, {"": _SESSION}))


_GOOD = {"id": _SESSION, "status": "FINISHED", "flow_session_result": True}


@pytest.mark.parametrize(
    "document",
    [
        {name: value for name, value in _GOOD.items() if name != "id"},
        {"session_id": _SESSION} | {"status": "FINISHED", "flow_session_result": True},
        _GOOD | {"id": _OTHER},
        _GOOD | {"id": "session_id"},
        _GOOD | {"id": None},
        _GOOD | {"id": [_SESSION]},
        _GOOD | {"id": f"{_SESSION}\n"},
        _GOOD | {"session_id": _OTHER},
        _GOOD | {"session_id": None},
    ],
)
def test_another_sessions_result_is_a_mismatch(document: dict[str, Any]) -> None:
    """A result that does not say that it is this session's is not used."""
    with pytest.raises(errors.ResultMismatch):
        _adapter().interpret(_KEY, _SESSION, _answer(document))


@pytest.mark.parametrize("spelt", [_SESSION, _SESSION.upper()])
def test_the_sessions_own_result_is_used_in_either_case(spelt: str) -> None:
    """UUIDs are compared without regard to case; time and place of the answer stay."""
    document = _GOOD | {"id": spelt, "finished_at": "2026-01-01T00:01:00.500Z"}
    result = _adapter().interpret(_KEY, spelt, _answer(document))
    assert (
        result.verdict.outcome,
        result.observed_at,
        result.verdict.provider_time,
    ) == (model.Outcome.APPROVED, 7, 1767225660500)


@pytest.mark.parametrize("document", [None, True, 1, "x", [], [_GOOD]])
def test_what_is_no_object_is_a_bad_answer(document: object) -> None:
    """A result must be an object."""
    with pytest.raises(errors.BadAnswer):
        _adapter().interpret(_KEY, _SESSION, _answer(document))


@pytest.mark.parametrize("key", ["", " ", "a\nb", "a ", "clé", "\udc80", 5, None])
def test_a_key_that_cannot_be_sent_is_refused_at_start(key: object) -> None:
    """The key stands in a query: it must be plain text, and the refusal hides it."""
    with pytest.raises(pydantic.ValidationError) as caught:
        _adapter(flow_api_key=key)
    assert caught.value.errors()[0]["loc"] == ("flow_api_key",)


def test_the_defaults_are_those_of_the_guide() -> None:
    """A source needs its key and its environment, and nothing is believed unasked."""
    settings = biometric.Settings.model_validate(
        {"environment": "live", "flow_api_key": "synthetic-flow-key"}
    )
    assert settings.authenticators == ("signed_url",)
    assert settings.base_url == "https://kyc.biometric.kz"
    assert settings.fetches
    assert not settings.approve_without_status
    assert "synthetic-flow-key" not in repr(settings)
