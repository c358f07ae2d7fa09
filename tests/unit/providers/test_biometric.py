"""Biometric.kz: whose result is believed, and what a source needs."""

from typing import Any

import pydantic
import pytest

from tests.support import adapters
from worker import clock as clocks
from worker import errors, model
from worker.providers import biometric

_SESSION, _OTHER = adapters.UUID, adapters.OTHER_UUID


def _adapter(**settings: object) -> biometric.Adapter:
    given = {"environment": "test", "flow_api_key": "synthetic-flow-key"} | settings
    return biometric.Adapter(
        "biometric", biometric.Settings.model_validate(given), clocks.SystemClock()
    )


_GOOD = {
    "id": _SESSION,
    "status": "FINISHED",
    "flow_session_result": True,
    "liveness_result": {"result": True},
}


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
        _adapter().interpret(adapters.key(), _SESSION, adapters.answer(document))


@pytest.mark.parametrize("spelt", [_SESSION, _SESSION.upper()])
def test_the_sessions_own_result_is_used_in_either_case(spelt: str) -> None:
    """UUIDs are compared without regard to case; time and place of the answer stay."""
    document = _GOOD | {"id": spelt, "finished_at": "2026-01-01T00:01:00.500Z"}
    result = _adapter().interpret(adapters.key(), spelt, adapters.answer(document))
    assert (
        result.verdict.outcome,
        result.observed_at,
        result.verdict.provider_time,
    ) == (model.Outcome.APPROVED, 7, 1767225660500)


@pytest.mark.parametrize("document", [None, True, 1, "x", [], [_GOOD]])
def test_what_is_no_object_is_a_bad_answer(document: object) -> None:
    """A result must be an object."""
    with pytest.raises(errors.InvalidResponse):
        _adapter().interpret(adapters.key(), _SESSION, adapters.answer(document))


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
