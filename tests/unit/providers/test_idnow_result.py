"""IDnow: what an identification means, and whose it is."""

from typing import Any

import pytest

from worker import clock as clocks
from worker import errors, model
from worker.providers import idnow

_KEY = model.SessionKey("idnow", "ah73jk3lm")
_TIME = 1_401_685_434_000
_NOT_SIGNED: tuple[object, ...] = (
    None,
    {},
    [],
    "SUCCESS",
    {"result": "FAILED"},
    {"result": "success"},
    {"result": ["SUCCESS"]},
)


def _identification(**process: object) -> dict[str, Any]:
    return {
        "identificationprocess": {
            "transactionnumber": "AH73JK3LM",
            "companyid": "ihrebank",
            "identificationtime": "2014-06-02T05:03:54Z",
            "result": "SUCCESS",
        }
        | process
    }


def _interpret(
    document: object, *, origin: str = "result", **settings: object
) -> model.Result:
    given = {"environment": "test", "company_id": "ihrebank", "api_key": "synthetic"}
    adapter = idnow.Adapter(
        "idnow", idnow.Settings.model_validate(given | settings), clocks.SystemClock()
    )
    answer = model.ProviderResponse(document=document, observed_at=7, origin=origin)
    return adapter.interpret(_KEY, "AH73JK3LM", answer)


@pytest.mark.parametrize(
    ("status", "outcome", "reason", "flags"),
    [
        ("SUCCESS", "approved", "verified", ()),
        ("SUCCESS_DATA_CHANGED", "approved", "verified", ("data_changed",)),
        ("SUCCESS_DATA_CHANGE", "approved", "verified", ("data_changed",)),
        ("FRAUD_SUSPICION_CONFIRMED", "rejected", "fraud", ()),
        ("REVIEW_PENDING", "pending", "under_review", ("likely_approved",)),
        ("FRAUD_SUSPICION_PENDING", "pending", "under_review", ("fraud_suspected",)),
        ("CHECK_PENDING", "pending", "under_review", ()),
        ("ABORTED", "pending", "resubmission_requested", ()),
        ("CANCELED", "rejected", "declined", ()),
        ("CANCELLED", "rejected", "declined", ()),
    ],
)
def test_every_status_has_its_verdict(
    status: str, outcome: str, reason: str, flags: tuple[str, ...]
) -> None:
    """The rows of the status table, with the provider's word and time."""
    result = _interpret(_identification(result=status))

    verdict = result.verdict
    assert (verdict.outcome, verdict.reason, verdict.flags) == (outcome, reason, flags)
    assert (verdict.provider_status, verdict.provider_time) == (status, _TIME)
    assert verdict.provider_reason is None
    assert (result.alarms, result.observed_at) == ((), 7)


@pytest.mark.parametrize(
    ("status", "found"),
    [
        ("success", "unlisted"),
        ("SUCCESS ", "unlisted"),
        ("SUCCESS\n", "unlisted"),
        ("APPROVED", "unlisted"),
        ("", "unlisted"),
        (True, "unlisted"),
        (["SUCCESS"], "unlisted"),
        ({"SUCCESS": 1}, "unlisted"),
        (None, None),
    ],
)
def test_an_unknown_status_is_pending(status: object, found: str | None) -> None:
    """Anything outside of the table is pending and told, its text is not."""
    result = _interpret(_identification(result=status))

    assert result.verdict.reason is model.Reason.UNRECOGNISED_RESULT
    assert result.verdict.provider_status == found
    assert result.alarms == (model.AlarmKind.UNRECOGNISED_RESULT,)


@pytest.mark.parametrize("status", ["SUCCESS", "SUCCESS_DATA_CHANGED"])
@pytest.mark.parametrize(
    ("reason", "origin"),
    [("DATA_ID_EXPIRED", "result"), (["x"], "result"), (None, "cancelled"),
     (None, "aborted"), (None, "pending")],
)  # fmt: skip
def test_a_contradicted_success_is_pending(
    status: str, reason: object, origin: str
) -> None:
    """A success with a reason to withdraw, or in a list of others, is not believed."""
    document = _identification(result=status, reason=reason)

    result = _interpret(document, origin=origin)

    assert result.verdict.reason is model.Reason.UNRECOGNISED_RESULT
    assert result.verdict.provider_status == status
    assert result.alarms == (model.AlarmKind.CONTRADICTORY_RESULT,)


def test_an_empty_reason_is_none() -> None:
    """An empty text next to a success says nothing."""
    result = _interpret(_identification(reason=""))

    assert result.verdict.outcome is model.Outcome.APPROVED


@pytest.mark.parametrize(
    ("origin", "reason", "status"),
    [
        ("pending", "in_progress", None),
        ("aborted", "resubmission_requested", "ABORTED"),
        ("cancelled", "declined", "CANCELED"),
    ],
)
def test_a_list_is_a_word_where_the_entry_has_none(
    origin: str, reason: str, status: str | None
) -> None:
    """Without a result of its own an entry is what its list says."""
    verdict = _interpret(_identification(result=None), origin=origin).verdict

    assert (verdict.reason, verdict.provider_status) == (reason, status)


@pytest.mark.parametrize(
    ("product", "esigning", "reason", "alarms"),
    [
        ("esign", {"result": "SUCCESS", "sessionid": "s"}, "verified", 0),
        ("ident", {"result": "SUCCESS"}, "verified", 0),
        ("ident", ..., "verified", 0),
        ("esign", ..., "in_progress", 0),
        *(
            (product, esigning, "unrecognised_result", 1)
            for product in ("ident", "esign")
            for esigning in _NOT_SIGNED
        ),
    ],
)
def test_a_signature_that_is_due_or_begun_must_be_made(
    product: str, esigning: object, reason: str, alarms: int
) -> None:
    """Present and no success is pending in both products, missing in one of them."""
    document = _identification()
    if esigning is not ...:
        document["esigning"] = esigning

    result = _interpret(document, product=product)

    approved = reason == "verified"
    assert (result.verdict.outcome is model.Outcome.APPROVED) is approved
    assert (result.verdict.reason, len(result.alarms)) == (reason, alarms)


@pytest.mark.parametrize("status", ["FRAUD_SUSPICION_CONFIRMED", "CANCELED"])
def test_a_rejection_needs_no_signature(status: str) -> None:
    """Who was rejected has nothing to sign."""
    verdict = _interpret(_identification(result=status), product="esign").verdict

    assert verdict.outcome is model.Outcome.REJECTED


@pytest.mark.parametrize(
    "process",
    [
        {"companyid": None},
        {"companyid": "another"},
        {"companyid": "IHREBANK"},
        {"companyid": ["ihrebank"]},
        {"transactionnumber": None},
        {"transactionnumber": "OTHER"},
        {"transactionnumber": "AH73JK3LM "},
        {"transactionnumber": ["AH73JK3LM"]},
        {"transactionnumber": "AH73J\u212a3LM"},
    ],
    ids=ascii,
)
@pytest.mark.parametrize("origin", ["result", "cancelled"])
def test_another_ones_result_is_refused(
    process: dict[str, object], origin: str
) -> None:
    """Company and transaction must be there and be ours, wherever it was found."""
    with pytest.raises(errors.ResultMismatch):
        _interpret(_identification(**process), origin=origin)


def test_a_result_that_does_not_say_whose_it_is_is_refused() -> None:
    """Absence of the binding is an error, not a permission."""
    with pytest.raises(errors.ResultMismatch):
        _interpret({"identificationprocess": {"result": "SUCCESS"}})
    with pytest.raises(errors.ResultMismatch):
        _interpret({"userdata": {}})


@pytest.mark.parametrize("document", [{}, {"identificationprocess": {}}])
def test_an_empty_result_is_not_ready(document: dict[str, Any]) -> None:
    """What is still being made is asked for again."""
    with pytest.raises(errors.NotReady):
        _interpret(document)


@pytest.mark.parametrize(
    "document",
    [None, [], "SUCCESS", {"identifications": []}, {"identifications": {}}],
)
def test_other_shapes_are_bad_answers(document: object) -> None:
    """No object, or a list of none or several, is no result."""
    with pytest.raises(errors.InvalidResponse):
        _interpret(document)


@pytest.mark.parametrize(
    "found", [[{"cause": "SECURITY_VIOLATION"}], [{"cause": None}], [None], {}, "x", 0]
)
@pytest.mark.parametrize("wrapped", [False, True])
def test_a_result_beside_errors_is_none(found: object, *, wrapped: bool) -> None:
    """What lists errors is no result, even if one stands beside them."""
    document = _identification()
    inside = {"identifications": [document | {"errors": found}]}
    for each in (inside, {"identifications": [document], "errors": found}):
        with pytest.raises(errors.InvalidResponse):
            _interpret(each if wrapped else document | {"errors": found})


@pytest.mark.parametrize("found", [None, []])
def test_no_errors_are_none(found: object) -> None:
    """An empty list of errors says nothing."""
    result = _interpret(_identification() | {"errors": found})

    assert result.verdict.outcome is model.Outcome.APPROVED


def test_the_reference_comes_with_the_result() -> None:
    """The configured field of the fetched data, if it matches."""
    document = _identification() | {"customdata": {"custom2": "ref-2"}}

    assert _interpret(document, reference_field="custom2").reference == "ref-2"
    assert _interpret(document, reference_field="custom1").reference is None
    assert _interpret(document).reference is None
