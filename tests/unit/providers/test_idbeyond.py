"""id beyond: what a callback becomes."""

from typing import Any

import pytest

from tests.support import adapters
from worker import clock as clocks
from worker import errors, model
from worker.providers import idbeyond

_SESSION = adapters.UUID
_COMPLETED = "verification.completed"


def _settings(**settings: object) -> idbeyond.Settings:
    given = {"environment": "test", "api_key": "sk_test_synthetic"} | settings
    return idbeyond.Settings.model_validate(given)


def _adapter(**settings: object) -> idbeyond.Adapter:
    return idbeyond.Adapter("a", _settings(**settings), clocks.SystemClock())


def _completed(**changes: object) -> dict[str, Any]:
    return {"event": _COMPLETED, "verificationSessionId": _SESSION} | changes


def _wake(document: dict[str, Any], **settings: object) -> model.WakeUp:
    normalised = _adapter(**settings).normalise(adapters.callback(document))
    assert isinstance(normalised, model.WakeUp)
    return normalised


@pytest.mark.parametrize("vector", adapters.vectors("idbeyond", "callback"))
def test_every_sample_signature_is_the_documented_one(vector: dict[str, Any]) -> None:
    """The scheme signs as documented, and verifies hex in either case."""
    scheme, key = idbeyond.SIGNATURE, vector["secret"].encode()
    assert scheme.header == "X-Verification-Signature"
    body = vector["raw"].encode()
    assert vector["signature"] == scheme.sign(key, body)
    spelt = vector["signature"].upper()
    assert scheme.match([b"another", key], [spelt], body) == 1
    with pytest.raises(errors.AuthenticationError):
        scheme.match([key], [spelt], body + b"\n")


@pytest.mark.parametrize("rest", [{}, {"verificationSessionId": []}, {"decision": 1}])
def test_an_extraction_is_ignored_whatever_it_holds(rest: dict[str, Any]) -> None:
    """Its payload is not documented and decides nothing, in either mode."""
    document = _completed(event="verification.extraction") | rest
    for result in ("callback", "fetch"):
        normalised = _adapter(result=result).normalise(adapters.callback(document))
        assert model.IgnoredCallback("verification.extraction") == normalised


@pytest.mark.parametrize(
    "event", [None, 1, [], {}, "verification.Completed", f"{_COMPLETED}\n", "x" * 99]
)
def test_an_unknown_event_is_acknowledged_or_wakes(event: object) -> None:
    """Where the callback is the verdict it has no use; where we fetch it wakes."""
    document = _completed(event=event, decision="approved")
    with pytest.raises(errors.UnmappableCallback) as caught:
        _adapter().normalise(adapters.callback(document))
    assert caught.value.acknowledge
    wake = _wake(document, result="fetch")
    assert (wake.session_id, wake.provider_event) == (_SESSION, "unlisted")


@pytest.mark.parametrize("result", ["callback", "fetch"])
@pytest.mark.parametrize("event", [_COMPLETED, "verification.new"])
@pytest.mark.parametrize("value", adapters.NO_UUIDS)
def test_what_is_no_session_id_is_unmappable(
    value: object, event: str, result: str
) -> None:
    """Nothing but the text of a UUID becomes a session, and it is not acknowledged."""
    document = _completed(event=event, verificationSessionId=value)
    with pytest.raises(errors.UnmappableCallback) as caught:
        _adapter(result=result).normalise(adapters.callback(document))
    assert not caught.value.acknowledge


def test_a_callback_without_a_session_id_tells_its_key_names_alone() -> None:
    """Without a session, or without a body at all, no value leaves."""
    document = {"event": _COMPLETED, "externalUserId": "u", "name": "x"}
    for given, known, other in (
        (document, ("event", "externalUserId"), 1),
        (None, (), 0),
    ):
        with pytest.raises(errors.UnmappableCallback) as caught:
            _adapter().normalise(adapters.callback(given))
        assert (known, other) == (caught.value.known_keys, caught.value.other_keys)


@pytest.mark.parametrize("result", ["callback", "fetch"])
def test_a_completion_without_a_session_is_not_sent_again(result: str) -> None:
    """Their schema lets it out: it is a dead letter at once, not at every retry."""
    document = {"event": _COMPLETED, "externalUserId": "u", "decision": "approved"}
    with pytest.raises(errors.UnmappableCallback) as caught:
        _adapter(result=result).normalise(adapters.callback(document))
    assert caught.value.acknowledge


@pytest.mark.parametrize("name", ["sessionId", "session_id"])
@pytest.mark.parametrize("other", [adapters.OTHER_UUID, None, "", 1, [_SESSION]])
def test_a_callback_that_names_two_sessions_is_of_none(
    name: str, other: object
) -> None:
    """All names of a session in one callback must agree, and it is not acknowledged."""
    with pytest.raises(errors.UnmappableCallback) as caught:
        _wake(_completed(**{name: other}))
    assert not caught.value.acknowledge
    assert _wake(_completed(**{name: _SESSION.upper()})).session_id == _SESSION


def test_a_session_id_is_folded_and_its_spelling_kept() -> None:
    """The session is known in lower case; the provider's own spelling stays."""
    wake = _wake(_completed(verificationSessionId=_SESSION.upper()))
    assert (_SESSION, _SESSION.upper(), None) == (
        wake.session_id,
        wake.provider_session_id,
        wake.provider_event_id,
    )


@pytest.mark.parametrize(
    ("timestamp", "at_ms"),
    [
        ("1970-01-01T00:00:01Z", 1000),
        ("1970-01-01T01:00:00.001+01:00", 1),
        ("2026-04-23T18:55:15.817Z", 1776970515817),
        ("9999-12-31T23:59:59.999Z", 253402300799999),
        ("1969-12-31T23:59:59Z", None),
        ("9999-12-31T23:59:59-01:00", None),
        ("0001-01-01T00:00:00+23:59", None),
        ("2026-04-23T18:55:15", None),
        ("2026-13-23T18:55:15Z", None),
        ("\u0662026-04-23T18:55:15Z", None),
        ("2026-04-23\u20ac18:55:15Z", None),
        ("", None),
        ("now", None),
        (1776970515, None),
        (True, None),
        ([], None),
        (None, None),
    ],
)
def test_a_timestamp_is_taken_if_it_is_one(timestamp: object, at_ms: object) -> None:
    """What is no RFC 3339 time of our calendar is as if it were not there."""
    assert at_ms == _wake(_completed(timestamp=timestamp)).provider_time


@pytest.mark.parametrize(
    ("metadata", "reference"),
    [
        ({"kyc_reference": "order-17"}, "order-17"),
        ({"kyc_reference": "a" * 64}, "a" * 64),
        ({"kyc_reference": "a" * 65}, None),
        ({"kyc_reference": "900101300123"}, None),
        ({"kyc_reference": "a@example.com"}, None),
        ({"kyc_reference": "order-17\n"}, None),
        ({"kyc_reference": "\uff4frder-17"}, None),
        ({"kyc_reference": ["order-17"]}, None),
        ({"kyc_reference": 17}, None),
        ({"other": "order-17"}, None),
        (["kyc_reference"], None),
        ("order-17", None),
        (None, None),
    ],
)
def test_the_reference_comes_from_the_metadata(
    metadata: object, reference: str | None
) -> None:
    """Only a text that fits the source's pattern is the company's own id."""
    assert reference == _wake(_completed(metadata=metadata)).reference


@pytest.mark.parametrize(
    ("rest", "reference"),
    [
        ({}, "user-9"),
        ({"metadata": {}}, "user-9"),
        ({"metadata": {"campaign": "q3"}}, "user-9"),
        ({"metadata": {"kyc_reference": "order-17"}}, "order-17"),
        ({"metadata": {"kyc_reference": None}}, None),
        ({"metadata": {"kyc_reference": "not fit"}}, None),
        ({"externalUserId": "a@example.com"}, None),
        ({"externalUserId": 9}, None),
    ],
)
def test_the_user_is_the_reference_where_metadata_has_none(
    rest: dict[str, object], reference: str | None
) -> None:
    """What stands in metadata is this session's own; else the user is who it is."""
    document = _completed(externalUserId="user-9") | rest
    assert reference == _wake(document).reference
    assert _wake(document, reference_field=None).reference is None
    assert _wake(document, reference_field="").reference is None


def test_the_reference_s_key_is_a_setting() -> None:
    """A company may have put its id under a key of its own, or nowhere."""
    document = _completed(metadata={"kyc_reference": "a1", "order": "b2"})
    assert _wake(document, reference_field="order").reference == "b2"
    assert _wake(document, reference_field=None).reference is None
