"""iDenfy: every row of the tables, and what makes a result final."""

from collections.abc import Mapping
from typing import Any

import pytest

from tests.support import adapters
from worker import clock as clocks
from worker import errors, model
from worker.providers import idenfy
from worker.providers.idenfy import tables

_DOCUMENT: dict[str, Any] = {
    "scanRef": adapters.UUID,
    "clientId": "customer-17",
    "status": "APPROVED",
    "autoDocument": "DOC_VALIDATED",
    "autoFace": "FACE_MATCH",
    "manualDocument": "DOC_VALIDATED",
    "manualFace": "FACE_MATCH",
    "fraudTags": [],
    "mismatchTags": [],
}
_GIVEN = {"environment": "test", "api_key": "k", "api_secret": "s"}


def _adapter(**settings: object) -> idenfy.Adapter:
    configured = idenfy.Settings.model_validate(_GIVEN | settings)
    return idenfy.Adapter("a", configured, clocks.SystemClock())


def _result(
    settings: Any = None,  # noqa: ANN401 -- settings
    **changes: Any,  # noqa: ANN401 -- JSON
) -> Any:  # noqa: ANN401 -- a result
    document = {k: v for k, v in (_DOCUMENT | changes).items() if v != "absent"}
    answer = adapters.answer(document)
    return _adapter(**settings or {}).interpret(adapters.key(), adapters.UUID, answer)


def _said(result: model.Result) -> tuple[str, str]:
    return result.verdict.outcome, result.verdict.reason


#: The page's table, written from it and not from the code.
_STATUSES = {
    "APPROVED": ("approved", "verified"),
    "DENIED": ("rejected", "declined"),
    "SUSPECTED": ("pending", "under_review"),
    "REVIEWING": ("pending", "under_review"),
    "ACTIVE": ("pending", "in_progress"),
    "EXPIRED": ("rejected", "not_completed"),
}


@pytest.mark.parametrize("status", sorted(tables.STATUSES))
def test_each_status_means_what_the_page_says(status: str) -> None:
    """Deleted and archived data is a session that iDenfy no longer has."""
    if status not in _STATUSES:
        with pytest.raises(errors.SessionNotFound):
            _result(status=status)
        return
    result = _result(status=status)
    assert _said(result) == _STATUSES[status]
    assert result.verdict.provider_status == status
    assert result.alarms == ()


@pytest.mark.parametrize("status", ["approved", "APPROVED ", "", True, 1, [], {}])
def test_any_other_status_is_pending_and_reported(status: object) -> None:
    """Another case, type or spelling approves nobody."""
    result = _result(status=status)
    assert _said(result) == ("pending", "unrecognised_result")
    assert result.alarms == (model.AlarmKind.UNRECOGNISED_RESULT,)


@pytest.mark.parametrize(
    ("field", "table"), [("Document", tables.DOCUMENTS), ("Face", tables.FACES)]
)
def test_each_word_of_a_check_gives_its_reason(
    field: str, table: Mapping[str, model.Reason | None]
) -> None:
    """The reviewer's word counts; no other word of that check approves."""
    for word, reason in table.items():
        denied = _result(status="DENIED", **{f"manual{field}": word})
        assert denied.verdict.reason == (reason or model.Reason.DECLINED), word
        assert denied.verdict.provider_reason == (word if reason else None)
        approved = _result(**{f"manual{field}": word})
        good = word in {"DOC_VALIDATED", "FACE_MATCH"}
        assert (approved.verdict.outcome == "approved") is good, word
        assert good or approved.alarms == (model.AlarmKind.CONTRADICTORY_RESULT,)


@pytest.mark.parametrize(
    ("field", "table"),
    [("fraudTags", tables.FRAUD_TAGS), ("mismatchTags", tables.MISMATCH_TAGS)],
)
def test_each_tag_gives_its_reason_and_approves_nobody(
    field: str, table: Mapping[str, model.Reason]
) -> None:
    """A tag on an approval needs the setting; fraud is flagged."""
    for word, reason in table.items():
        assert _result(status="DENIED", **{field: [word]}).verdict.reason is reason
        tagged = _result(**{field: [word]})
        assert _said(tagged) == ("pending", "under_review")
        fraud = reason is model.Reason.FRAUD
        assert (model.Flag.FRAUD_SUSPECTED in tagged.verdict.flags) is fraud
        resolved = _result({"approve_with_tags": True}, **{field: [word]})
        assert resolved.verdict.outcome == "approved"


def test_fraud_comes_before_every_other_reason() -> None:
    """Whatever else is wrong, fraud is final and not retryable."""
    result = _result(
        status="DENIED", manualDocument="DOC_EXPIRED", fraudTags=["DUPLICATE_FACE"]
    )
    assert result.verdict.reason is model.Reason.FRAUD
    assert result.verdict.provider_reason == "DUPLICATE_FACE"
    assert not result.verdict.retryable


@pytest.mark.parametrize("status", ["APPROVED", "DENIED"])
@pytest.mark.parametrize(
    ("final", "manual", "reviewed", "decided"),
    [
        (True, "", True, True),
        (True, "DOC_VALIDATED", False, True),
        (False, "DOC_VALIDATED", False, False),
        ("true", "DOC_VALIDATED", False, False),
        (None, "DOC_VALIDATED", False, False),
        ("absent", "DOC_VALIDATED", True, True),
        ("absent", "", True, False),
        ("absent", None, True, False),
        ("absent", "", False, True),
    ],
)
def test_only_what_is_final_decides(
    status: str,
    final: object,
    manual: object,
    reviewed: bool,  # noqa: FBT001 -- a parameter of the table above
    decided: bool,  # noqa: FBT001 -- a parameter of the table above
) -> None:
    """``final`` where there is one, else the reviewer's word, else the setting."""
    settings: dict[str, bool] = {
        "review_successful": reviewed,
        "review_failed": reviewed,
    }
    result = _result(
        settings,
        status=status,
        final=final,
        manualDocument=manual,
        manualFace=manual and "FACE_MATCH",
    )
    assert result.verdict.final is decided


@pytest.mark.parametrize(
    "changes",
    [
        {"fraudTags": None},
        {"mismatchTags": "absent"},
        {"fraudTags": {"0": "x"}},
        {"manualDocument": "DOC_SOMETHING"},
        {"manualFace": 1},
        {"manualFace": ["FACE_MATCH"]},
    ],
)
def test_an_approval_of_another_shape_is_pending(changes: dict[str, object]) -> None:
    """Missing lists, unknown words and other types approve nobody."""
    result = _result(**changes)
    assert _said(result) == ("pending", "unrecognised_result")
    assert result.alarms == (model.AlarmKind.UNRECOGNISED_RESULT,)


@pytest.mark.parametrize("face", ["FACE_NOT_CHECKED", "", None])
def test_a_face_is_needed_unless_only_documents_are_checked(face: object) -> None:
    """``product`` says what a session checks."""
    found = {"autoFace": face, "manualFace": face}
    assert _result(**found).verdict.outcome == "pending"
    assert _result({"product": "document"}, **found).verdict.outcome == "approved"


@pytest.mark.parametrize("spelling", adapters.NO_UUIDS)
def test_a_result_that_is_not_this_session_s_is_refused(spelling: object) -> None:
    """Another id, or none, is no result."""
    with pytest.raises(errors.ResultMismatch):
        _result(scanRef=spelling)
    with pytest.raises(errors.UnmappableCallback):
        _adapter().normalise(adapters.callback({"scanRef": spelling}))


def test_the_reference_is_read_unless_it_is_switched_off() -> None:
    """``clientId`` is the company's own id."""
    assert _result().reference == "customer-17"
    assert _result({"reference_field": None}).reference is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("api_key", "a:b"),
        ("api_key", ""),
        ("api_secret", "a\n"),
        ("ui_url", "http://ui.idenfy.com"),
        ("ui_url", "https://ui.idenfy.com/path"),
        ("product", "IDENTIFICATION"),
        ("reference_field", "externalRef"),
    ],
)
def test_settings_that_cannot_be_used_are_refused(name: str, value: object) -> None:
    """Each would fail later, or be read as something else."""
    with pytest.raises(ValueError, match=name):
        idenfy.Settings.model_validate(_GIVEN | {name: value})
