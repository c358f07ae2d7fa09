"""Biometric.kz: what its callbacks become."""

from typing import Any

import pytest

from tests.support import adapters
from worker import clock as clocks
from worker import errors, model
from worker.providers import biometric

_SESSION, _OTHER = adapters.UUID, adapters.OTHER_UUID
_MESSAGE = "0b9f6f0e-6f0a-4f57-9c39-6a1f0f1f7a04"


def _adapter(**settings: object) -> biometric.Adapter:
    given = {"environment": "test", "flow_api_key": "synthetic-flow-key"} | settings
    return biometric.Adapter(
        "biometric", biometric.Settings.model_validate(given), clocks.SystemClock()
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


def _wake(document: dict[str, Any]) -> model.WakeUp:
    normalised = _adapter().normalise(adapters.callback(document))
    assert isinstance(normalised, model.WakeUp)
    return normalised


@pytest.mark.parametrize("event", ["flow.start", "technology.start", "technology.end"])
def test_other_known_events_are_ignored_whatever_they_hold(event: str) -> None:
    """An event that decides nothing is ignored, even when its rest is broken."""
    for document in ({"event": event}, _end(event=event), _end(event=event, id=[])):
        assert model.IgnoredCallback(event) == _adapter().normalise(
            adapters.callback(document)
        )


@pytest.mark.parametrize("event", [None, 1, [], {}, "flow.END", "flow.end\n", "x" * 99])
def test_an_unknown_event_with_a_session_wakes(event: object) -> None:
    """What is not in the table costs one fetch and is told as unlisted."""
    wake = _wake(_end(event=event))
    assert (wake.session_id, wake.provider_event) == (_SESSION, "unlisted")


@pytest.mark.parametrize("value", adapters.NO_UUIDS)
def test_what_is_no_session_id_is_unmappable(value: object) -> None:
    """Nothing but the text of a UUID becomes a session."""
    with pytest.raises(errors.UnmappableCallback) as caught:
        _adapter().normalise(adapters.callback(_end(session_id=value)))
    assert not caught.value.acknowledge


def test_an_unmappable_callback_tells_key_names_of_the_table_alone() -> None:
    """The dead letter gets known key names and a count, never a value."""
    document = {"event": "flow.end", "created": 1, "iin": "x", "phone": "y"}
    with pytest.raises(errors.UnmappableCallback) as caught:
        _adapter().normalise(adapters.callback(document))
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
        _adapter().normalise(adapters.callback(_with_result(session_id=inner)))


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
    assert (wake.claim, _adapter().claim(adapters.event("flow.end", {}))) == ({}, None)


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
    claim = _adapter().claim(
        adapters.event("flow.end", {"status": status, "flow_session_result": passed})
    )
    assert outcome == (claim and claim.verdict.outcome)
    assert claim is None or claim.kind is model.ClaimKind.HINT


def test_a_get_wakes_by_the_configured_query_key_alone() -> None:
    """A callback without a body names its session where the source says so."""
    adapter = _adapter(methods=("GET",), session_id_query="sid")
    wake = adapter.normalise(adapters.callback(None, {"sid": _SESSION.upper()}))
    assert isinstance(wake, model.WakeUp)
    assert (
        wake.session_id,
        wake.provider_event,
        wake.claim,
    ) == (_SESSION, "unlisted", {})
    for query in ({"id": _SESSION}, {"sid": f"{_SESSION}/"}, {}):
        with pytest.raises(errors.UnmappableCallback):
            adapter.normalise(adapters.callback(None, query))
    with pytest.raises(errors.UnmappableCallback):
        _adapter().normalise(adapters.callback(None, {"": _SESSION}))
