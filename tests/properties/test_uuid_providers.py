"""Biometric.kz and id beyond: whatever the JSON, nothing unknown is approved."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support import adapters
from worker import clock as clocks
from worker import errors, model
from worker.providers import biometric, idbeyond

_SESSION = adapters.UUID
_ENOUGH = settings(max_examples=300, deadline=None)

_BIOMETRIC = biometric.Adapter(
    "a",
    biometric.Settings.model_validate({"environment": "test", "flow_api_key": "k"}),
    clocks.SystemClock(),
)


def _idbeyond(result: str) -> idbeyond.Adapter:
    given_settings = {"environment": "test", "api_key": "k", "result": result}
    return idbeyond.Adapter(
        "a", idbeyond.Settings.model_validate(given_settings), clocks.SystemClock()
    )


_BY_CALLBACK, _BY_FETCH = _idbeyond("callback"), _idbeyond("fetch")

_WORDS = st.sampled_from(
    [
        "FINISHED",
        "FAILED",
        "PROGRESS",
        "approved",
        "rejected",
        "pending_review",
        "none",
        "INVALID",
        "PENDING",
        "LDHP",
        "F2F",
        "GBDFL",
        "NO_CAM",
        "Mask Attack",
        "flow.end",
        "flow.start",
        "verification.completed",
        "verification.extraction",
        _SESSION,
        _SESSION.upper(),
        adapters.OTHER_UUID,
        "2026-04-23T18:55:15.817Z",
    ]
)
_KEYS = st.sampled_from(
    [
        "id",
        "event",
        "session_id",
        "sessionId",
        "verificationSessionId",
        "created",
        "timestamp",
        "data",
        "session_result",
        "status",
        "flow_session_result",
        "flow_session_failure_reasons",
        "failure_reason",
        "technologies",
        "code",
        "liveness_result",
        "face2face_result",
        "gbdfl_result",
        "new_result",
        "result",
        "type",
        "detail",
        "decision",
        "reviewStatus",
        "metadata",
        "kyc_reference",
        "finished_at",
    ]
)
_SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | _WORDS
    | st.text(max_size=5)
)
_JSON = st.recursive(
    _SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(_KEYS | st.text(max_size=5), inner, max_size=5)
    ),
    max_leaves=15,
)
_OBJECTS = st.dictionaries(_KEYS | st.text(max_size=5), _JSON, max_size=8)
#: Near an approval: the right heads, and anything else around and over them.
_NEAR_BIOMETRIC = st.builds(
    lambda head, over: head | over,
    st.just({"id": _SESSION, "status": "FINISHED", "flow_session_result": True}),
    _OBJECTS,
)
_NEAR_IDBEYOND = st.builds(
    lambda head, over: head | over,
    st.just({"sessionId": _SESSION, "decision": "approved"}),
    _OBJECTS,
)


def _verdict(adapter: Any, document: object) -> model.Verdict | None:  # noqa: ANN401 -- either
    """Return the verdict on *document*; None for the one family of errors."""
    answer = adapters.answer(document)
    try:
        result: model.Result = adapter.interpret(adapters.key(), _SESSION, answer)
    except errors.FetchError:
        return None
    return result.verdict


def _is_documented_approval(document: dict[str, Any]) -> bool:
    """Say again, in other words, what a passed flow looks like."""
    parts = [
        value
        for name, value in document.items()
        if name.endswith("_result") and name != "flow_session_result"
    ]
    return (
        document["status"] == "FINISHED"
        and document["flow_session_result"] is True
        and not document.get("flow_session_failure_reasons")
        and isinstance(document.get("technologies", []), list)
        and all(part is None or isinstance(part, dict) for part in parts)
        and all((part or {}).get("result", True) is True for part in parts)
        and all((part or {}).get("failure_reason") is None for part in parts)
    )


@_ENOUGH
@given(_OBJECTS | _NEAR_BIOMETRIC | _JSON)
def test_biometric_approves_the_documented_shape_alone(document: Any) -> None:  # noqa: ANN401 -- any JSON
    """Any answer is a verdict or a FetchError, an approval only if documented."""
    verdict = _verdict(_BIOMETRIC, document)
    if verdict is not None and verdict.outcome is model.Outcome.APPROVED:
        assert _is_documented_approval(document)
        assert document["id"].lower() == _SESSION


@_ENOUGH
@given(_OBJECTS | _NEAR_IDBEYOND | _JSON)
def test_idbeyond_approves_the_documented_pair_alone(document: Any) -> None:  # noqa: ANN401 -- any JSON
    """Any answer is a verdict or a FetchError, an approval only if documented."""
    verdict = _verdict(_BY_FETCH, document)
    if verdict is not None and verdict.outcome is model.Outcome.APPROVED:
        assert document["decision"] == "approved"
        assert document.get("reviewStatus", "approved") == "approved"


@_ENOUGH
@given(_OBJECTS)
def test_any_object_is_mapped_or_unmappable(document: dict[str, Any]) -> None:
    """A callback of any content wakes, is ignored, or is unmappable; no other error."""
    head = {"session_id": _SESSION, "verificationSessionId": _SESSION}
    for adapter in (_BIOMETRIC, _BY_CALLBACK, _BY_FETCH):
        for given_document in (document, head | document, document | head):
            try:
                normalised = adapter.normalise(adapters.callback(given_document))
            except errors.UnmappableCallback:
                continue
            if isinstance(normalised, model.IgnoredCallback):
                continue
            assert isinstance(normalised, model.WakeUp)
            assert normalised.session_id in {_SESSION, adapters.OTHER_UUID}


@_ENOUGH
@given(_JSON, _JSON)
def test_a_signed_claim_approves_the_documented_pair_alone(
    decision: object, review: object
) -> None:
    """Whatever types the two words have, only the documented pair is an approval."""
    document = {
        "event": "verification.completed",
        "verificationSessionId": _SESSION,
        "decision": decision,
        "reviewStatus": review,
    }
    wake = _BY_CALLBACK.normalise(adapters.callback(document))
    assert isinstance(wake, model.WakeUp)
    claim = _BY_CALLBACK.claim(adapters.event(wake.provider_event, dict(wake.claim)))
    assert claim is not None
    approved = (decision, review) == ("approved", "approved")
    assert approved == (claim.verdict.outcome is model.Outcome.APPROVED)
