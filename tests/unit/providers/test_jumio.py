"""Jumio: every row of the tables, ids that are pairs, and the hosts of a region."""

from typing import Any

import pytest

from tests.support import adapters
from worker import clock as clocks
from worker import errors, model
from worker.providers import jumio
from worker.providers.jumio import session_ids, tables

_ID = f"{adapters.UUID}.{adapters.OTHER_UUID}"
_GIVEN = {
    "environment": "test",
    "client_id": "client",
    "client_secret": "secret",
    "workflow_keys": [10164],
}


def _settings(**settings: object) -> jumio.Settings:
    return jumio.Settings.model_validate(_GIVEN | settings)


def _result(
    kind: object = "PASSED",
    status: object = "PROCESSED",
    *,
    settings: dict[str, object] | None = None,
    **changes: object,
) -> Any:  # noqa: ANN401 -- a result
    document = {
        "account": {"id": adapters.UUID},
        "workflow": {
            "id": adapters.OTHER_UUID,
            "status": status,
            "definitionKey": "10164",
            "userReference": "customer-17",
            "customerInternalReference": "order-17",
        },
        "decision": {"type": kind, "details": {"label": "OK"}},
        "completedAt": "2026-01-01T00:00:00.000Z",
    } | changes
    document = {key: value for key, value in document.items() if value is not None}
    adapter = jumio.Adapter("a", _settings(**settings or {}), clocks.SystemClock())
    answer = adapters.answer(document)
    return adapter.interpret(adapters.key(_ID), _ID, answer)


def _said(result: model.Result) -> tuple[str, str]:
    return result.verdict.outcome, result.verdict.reason


#: The page's table, written from it and not from the code.
_TYPES = {
    "PASSED": ("approved", "verified"),
    "WARNING": ("pending", "under_review"),
    "REJECTED": ("rejected", "declined"),
    "NOT_EXECUTED": ("rejected", "not_completed"),
}


@pytest.mark.parametrize("kind", sorted(tables.TYPES))
def test_each_type_means_what_the_page_says(kind: str) -> None:
    """The type decides; the score, whose thresholds are the customer's, does not."""
    for score in (-1.0, 0.0, 100.0):
        decision = {"type": kind, "details": {"label": kind}, "risk": {"score": score}}
        result = _result(decision=decision)
        assert _said(result) == _TYPES[kind]
        assert result.verdict.provider_status == kind
        assert result.verdict.provider_time == 1_767_225_600_000
        assert result.alarms == ()


@pytest.mark.parametrize("status", sorted(tables.STATUSES))
@pytest.mark.parametrize("kind", [*sorted(tables.TYPES), None])
def test_no_status_but_the_end_approves(status: str, kind: str | None) -> None:
    """What still runs or has lapsed contradicts a decision."""
    decision = None if kind is None else {"type": kind}
    result = _result(status=status, decision=decision)
    approved = (status, kind) == ("PROCESSED", "PASSED")
    assert (result.verdict.outcome == "approved") is approved
    if status in {"SESSION_EXPIRED", "TOKEN_EXPIRED"} and kind in {
        None,
        "NOT_EXECUTED",
    }:
        assert _said(result) == ("rejected", "not_completed")
        assert result.verdict.retryable
    elif status not in {"PROCESSED", "SESSION_EXPIRED", "TOKEN_EXPIRED"}:
        decided = kind in {"PASSED", "REJECTED"}
        expected = "unrecognised_result" if decided else "in_progress"
        assert _said(result) == ("pending", expected)


@pytest.mark.parametrize("word", ["passed", "PASSED ", "", True, 1, [], {}, "APPROVED"])
def test_any_other_word_is_pending_and_reported(word: object) -> None:
    """Another case, type or spelling approves nobody, as type or as status."""
    for result in (_result(word), _result(status=word)):
        assert _said(result) == ("pending", "unrecognised_result")
        assert result.alarms == (model.AlarmKind.UNRECOGNISED_RESULT,)


@pytest.mark.parametrize("label", [*sorted(tables.LABELS), "SOMETHING_NEW"])
@pytest.mark.parametrize("name", tables.CAPABILITIES)
def test_each_label_gives_its_reason(name: str, label: str) -> None:
    """Of a rejected capability; one that is not listed gives the capability's own."""
    decision = {"type": "REJECTED", "details": {"label": label}}
    given = {name: [{"decision": decision}]}
    result = _result("REJECTED", capabilities=given)
    known = label in tables.LABELS
    expected = tables.LABELS[label] if known else tables.DEFAULTS[name]
    assert result.verdict.reason is expected
    assert result.verdict.provider_reason == (label if known else "unlisted")
    passed = _result(capabilities=given)
    assert passed.alarms == (model.AlarmKind.CONTRADICTORY_RESULT,)
    assert passed.verdict.outcome == "pending"


def test_the_label_of_the_decision_itself_comes_first() -> None:
    """A rule set may name the cause; only fraud elsewhere is worse."""
    decision = {"type": "REJECTED", "details": {"label": "BLURRED"}}
    other = {"type": "REJECTED", "details": {"label": "NO_MATCH"}}
    given = {"similarity": [{"decision": other}]}
    result = _result(decision=decision, capabilities=given)
    assert result.verdict.provider_reason == "BLURRED"
    fraud = {"type": "REJECTED", "details": {"label": "FAKE"}}
    result = _result(
        decision=decision, capabilities=given | {"imageChecks": [{"decision": fraud}]}
    )
    assert result.verdict.reason is model.Reason.FRAUD


@pytest.mark.parametrize("key", ["6", None, 6, ["10164"], "010164", ""])
def test_a_workflow_that_was_not_asked_for_approves_nobody(key: object) -> None:
    """A liveness check alone is no identity."""
    workflow = {
        "id": adapters.OTHER_UUID,
        "status": "PROCESSED",
        "definitionKey": key,
    }
    result = _result(workflow=workflow)
    assert _said(result) == ("pending", "unrecognised_result")
    workflow["definitionKey"] = 10164
    assert _result(workflow=workflow).verdict.outcome == "approved"


@pytest.mark.parametrize("spelling", adapters.NO_UUIDS)
def test_a_result_must_name_account_and_workflow(spelling: object) -> None:
    """Another id of either kind, or none, is no result, and no callback."""
    workflow = {"id": spelling, "status": "PROCESSED", "definitionKey": "10164"}
    for changes in ({"account": {"id": spelling}}, {"workflow": workflow}):
        with pytest.raises(errors.ResultMismatch):
            _result(**changes)
    adapter = jumio.Adapter("a", _settings(), clocks.SystemClock())
    for account, execution in (
        (spelling, adapters.UUID),
        (adapters.UUID, spelling),
    ):
        document = {"account": {"id": account}, "workflowExecution": {"id": execution}}
        with pytest.raises(errors.UnmappableCallback):
            adapter.normalise(adapters.callback(document))


@pytest.mark.parametrize(
    "spelling",
    [
        adapters.UUID,
        f"{adapters.UUID}.",
        f".{adapters.UUID}",
        f"{adapters.UUID}/{adapters.UUID}",
        f"{_ID}.{adapters.UUID}",
        f"{_ID}\n",
        None,
        7,
        [_ID],
    ],
)
def test_only_a_pair_of_uuids_is_a_session(spelling: object) -> None:
    """A workflow execution without its account cannot be asked about."""
    assert session_ids.canonical(spelling) is None
    assert session_ids.canonical(_ID.upper()) == _ID


@pytest.mark.parametrize(
    ("field", "reference"),
    [
        ("userReference", "customer-17"),
        ("customerInternalReference", "order-17"),
        (None, None),
    ],
)
def test_the_reference_is_read_where_the_setting_says(
    field: str | None, reference: str | None
) -> None:
    """Both fields are the company's."""
    assert _result(settings={"reference_field": field}).reference == reference


def test_the_hosts_of_a_region_belong_together() -> None:
    """Tokens and sessions are those of the retrieval host, unless set."""
    settings = _settings(base_url="https://retrieval.emea-1.jumio.ai")
    assert settings.token_host == "https://auth.emea-1.jumio.ai"
    assert settings.start_host == "https://account.emea-1.jumio.ai"
    settings = _settings(auth_url="https://auth.example.com")
    assert settings.token_host == "https://auth.example.com"
    local = _settings(base_url="http://127.0.0.1:1")
    assert local.token_host == local.start_host == "http://127.0.0.1:1"
    with pytest.raises(ValueError, match="auth_url"):
        _settings(base_url="https://jumio.example.com")
    _settings(
        base_url="https://jumio.example.com",
        auth_url="https://a.example.com",
        account_url="https://b.example.com",
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("client_id", "a:b"),
        ("client_secret", ""),
        ("auth_url", "http://auth.jumio.ai"),
        ("account_url", "https://account.jumio.ai/api"),
        ("workflow_keys", []),
        ("workflow_keys", ["x"]),
        ("token_lifetime", "4m"),
        ("token_lifetime", "61d"),
        ("user_agent", "a\nb"),
        ("reference_field", "reportingCriteria"),
    ],
)
def test_settings_that_cannot_be_used_are_refused(name: str, value: object) -> None:
    """Each would fail later, or be read as something else."""
    with pytest.raises(ValueError, match=name):
        _settings(**{name: value})
