"""Plaid: every row of the table, callbacks, and how keys and attempts are fetched."""

from typing import Any

import pytest

from tests.support import adapters
from worker import clock as clocks
from worker import errors, model, policy
from worker.devkit import simulators
from worker.providers import plaid

_ID = "idv_52xR9LKo77r1Np"


def _settings(**changes: object) -> plaid.Settings:
    given = {"environment": "test", "client_id": "c1", "client_secret": "s" * 30}
    return plaid.Settings.model_validate(given | changes)


def _adapter(**changes: object) -> plaid.Adapter:
    return plaid.Adapter("a", _settings(**changes), clocks.SystemClock())


def _result(**document: Any) -> model.Result:  # noqa: ANN401 -- JSON
    answer = adapters.answer({"id": _ID} | document)
    return _adapter().interpret(adapters.key(_ID), _ID, answer)


@pytest.mark.parametrize(
    ("status", "outcome", "reason", "retryable"),
    [
        ("active", "pending", "in_progress", False),
        ("success", "approved", "verified", False),
        ("failed", "rejected", "declined", False),
        ("expired", "rejected", "not_completed", True),
        ("canceled", "rejected", "not_completed", True),
        ("pending_review", "pending", "under_review", False),
    ],
)
def test_every_status(
    status: str, outcome: str, reason: str, *, retryable: bool
) -> None:
    """Each documented status has its decision."""
    verdict = _result(status=status).verdict

    assert (verdict.outcome, verdict.reason) == (outcome, reason)
    assert verdict.retryable is retryable
    assert verdict.provider_status == status


@pytest.mark.parametrize("status", [None, 1, True, [], {}, "Success", "success ", ""])
def test_anything_else_is_pending(status: object) -> None:
    """A word, case or type outside the table approves nobody, and is reported."""
    result = _result(status=status)

    assert result.verdict.outcome is model.Outcome.PENDING
    assert result.verdict.reason is model.Reason.UNRECOGNISED_RESULT
    assert result.alarms == (model.AlarmKind.UNRECOGNISED_RESULT,)


@pytest.mark.parametrize(
    ("step", "reason"),
    [
        ("risk_check", "fraud"),
        ("watchlist_screening", "screening_hit"),
        ("selfie_check", "biometric_failed"),
        ("documentary_verification", "document_invalid"),
        ("kyc_check", "data_mismatch"),
    ],
)
@pytest.mark.parametrize("word", ["failed", "manually_rejected"])
def test_a_failed_step_is_the_reason(step: str, reason: str, word: str) -> None:
    """The gravest step that failed says why; with success it is a contradiction."""
    steps = {"kyc_check": "failed", step: word}

    verdict = _result(status="failed", steps=steps).verdict
    assert (verdict.outcome, verdict.reason) == ("rejected", reason)
    assert verdict.provider_reason == step
    contradiction = _result(status="success", steps=steps)
    assert contradiction.verdict.outcome is model.Outcome.PENDING
    assert contradiction.alarms == (model.AlarmKind.CONTRADICTORY_RESULT,)


@pytest.mark.parametrize("document", [{}, {"id": None}, {"id": _ID.lower()}])
def test_a_result_of_another_attempt_is_refused(document: dict[str, Any]) -> None:
    """Ids are case sensitive, and must be the one asked for."""
    answer = adapters.answer({"status": "success"} | document)

    with pytest.raises(errors.ResultMismatch):
        _adapter().interpret(adapters.key(_ID), _ID, answer)


def test_callbacks() -> None:
    """Attempts wake, other products are ignored, and no id is unmappable."""
    adapter = _adapter()
    named = {"webhook_type": "IDENTITY_VERIFICATION", "identity_verification_id": _ID}

    wake = adapter.normalise(adapters.callback(named | {"webhook_code": "NEW"}))
    assert isinstance(wake, model.WakeUp)
    assert (wake.session_id, wake.provider_event) == (_ID, policy.UNLISTED)
    other = adapter.normalise(adapters.callback({"webhook_type": "ITEM"}))
    assert other == model.IgnoredCallback(policy.UNLISTED)
    for wrong in (None, 1, "idv_", "idv_../x", "inq_52xR9", f"{_ID}\n"):
        document = named | {"identity_verification_id": wrong}
        with pytest.raises(errors.UnmappableCallback):
            adapter.normalise(adapters.callback(document))


async def test_attempts_and_keys_are_fetched() -> None:
    """The simulated provider answers with them, and refuses another account."""
    account = simulators.Account(source="a", settings=_settings())
    simulator = simulators.find("plaid").build(account)
    served = await simulators.serve(simulator)
    adapter = _adapter(base_url=served.base_url)
    stranger = _adapter(base_url=served.base_url, client_secret="t" * 30)
    try:
        session_id = simulator.add(simulators.Scenario(), reference="customer-1")
        key = adapters.key(session_id)
        answer = await adapter.fetch(key, session_id)
        result = adapter.interpret(key, session_id, answer)
        [callback] = simulator.callbacks(session_id)
        token = callback.headers["Plaid-Verification"]
        [public] = await adapter.verification_keys(lambda _: [token])
        with pytest.raises(errors.SessionNotFound):
            await adapter.fetch(adapters.key(_ID), _ID)
        with pytest.raises(errors.SessionNotFound):
            await adapter.fetch(adapters.key("x"), "x")
        with pytest.raises(errors.ProviderAuthFailed):
            await stranger.fetch(key, session_id)
        with pytest.raises(errors.ProviderAuthFailed):
            await stranger.verification_keys(lambda _: [token])
        with pytest.raises(errors.AuthenticationError):
            await adapter.verification_keys(lambda _: ["a.b.c"])
    finally:
        await adapter.close()
        await stranger.close()
        await served.close()

    assert result.verdict.outcome is model.Outcome.APPROVED
    assert result.reference == "customer-1"
    assert len(public) == 64
