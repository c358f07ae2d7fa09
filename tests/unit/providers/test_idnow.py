"""IDnow: what its callbacks become, and what they claim."""

from typing import Any

import pytest

from worker import clock as clocks
from worker import errors, model
from worker.providers import idnow

_NUMBER = "IDN-x-83176070"


def _adapter(**settings: object) -> idnow.Adapter:
    given = {"environment": "test", "company_id": "ihrebank", "api_key": "synthetic"}
    return idnow.Adapter(
        "idnow", idnow.Settings.model_validate(given | settings), clocks.SystemClock()
    )


def _callback(
    document: dict[str, Any] | None, query: dict[str, str] | None = None
) -> model.VerifiedCallback:
    return model.VerifiedCallback(
        source="idnow",
        document=document,
        query=query or {},
        digest="0" * 64,
        received_at=0,
    )


def _identification(**process: object) -> dict[str, Any]:
    return {
        "identificationprocess": {"transactionnumber": _NUMBER} | process,
        "customdata": {"custom1": "ref-1", "trackingid": "track.1"},
    }


def _wake(document: dict[str, Any], **settings: object) -> model.WakeUp:
    normalised = _adapter(**settings).normalise(_callback(document))
    assert isinstance(normalised, model.WakeUp)
    return normalised


def _event(
    claim: dict[str, str | None], provider_time: int | None = None
) -> model.Event:
    return model.Event(
        event_id="e",
        type=model.EventType.CALLBACK_RECEIVED,
        environment=model.Environment.TEST,
        source="idnow",
        provider="idnow",
        session_id=_NUMBER.lower(),
        provider_session_id=_NUMBER,
        provider_time=provider_time,
        received_at=0,
        claim=claim,
    )


@pytest.mark.parametrize("wrapped", [False, True])
def test_both_forms_wake_with_the_words_of_the_table(*, wrapped: bool) -> None:
    """The number is folded, its spelling kept, and status, reason and time are told."""
    bare = _identification(
        result="ABORTED",
        reason="USER_LANGUAGE",
        identificationtime="2015-10-20T17:40:37+02:00",
    )

    wake = _wake({"identifications": [bare]} if wrapped else bare)

    assert wake == model.WakeUp(
        session_id="idn-x-83176070",
        provider_session_id=_NUMBER,
        provider_event="ABORTED",
        provider_time=1_445_355_637_000,
        claim={"result": "ABORTED", "reason": "USER_LANGUAGE"},
    )


@pytest.mark.parametrize("found", ["success", "Mr Specimen", 5, ["SUCCESS"], {"a": 1}])
def test_free_text_never_passes(found: object) -> None:
    """What is not in the table is only said to be unlisted."""
    wake = _wake(_identification(result=found, reason=found))

    assert wake.claim == {"result": "unlisted", "reason": "unlisted"}
    assert wake.provider_event == "unlisted"


@pytest.mark.parametrize("company", ["another", "", None, ["ihrebank"], 1])
@pytest.mark.parametrize("result", ["CANCELED", "FRAUD_SUSPICION_CONFIRMED", "SUCCESS"])
def test_another_companys_word_is_none(result: str, company: object) -> None:
    """Their transaction may have our number: it wakes, and its words are not ours."""
    wake = _wake(_identification(result=result, companyid=company))

    assert wake.claim["result"] == "unlisted"
    assert _adapter().claim(_event({**wake.claim})) is None


@pytest.mark.parametrize("reason", [None, ""])
def test_words_that_are_not_there_are_none(reason: object) -> None:
    """No result and no reason is no word at all."""
    wake = _wake(_identification(reason=reason))

    assert wake.claim == {"result": None, "reason": None}


@pytest.mark.parametrize(
    "found", [None, 5, "", "yesterday", "2015-10-20", "2015-10-20T17:40:37", "9" * 40]
)
def test_a_time_without_meaning_is_none(found: object) -> None:
    """Only a whole time with its offset is the provider's time."""
    assert _wake(_identification(identificationtime=found)).provider_time is None


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, None),
        ({"reference_field": "custom1"}, "ref-1"),
        ({"reference_field": "trackingid"}, "track.1"),
        ({"reference_field": "custom5"}, None),
        ({"reference_field": "custom1", "reference_pattern": "[0-9]+"}, None),
    ],
)
def test_the_reference_is_a_configured_field(
    settings: dict[str, str], expected: str | None
) -> None:
    """Only the named field, and only where all of it matches the pattern."""
    assert _wake(_identification(), **settings).reference == expected


@pytest.mark.parametrize("custom", [None, [], "ref-1", {"custom1": ["ref-1"]}])
def test_a_reference_of_another_type_is_none(custom: object) -> None:
    """No text, no reference."""
    document = _identification() | {"customdata": custom}

    assert _wake(document, reference_field="custom1").reference is None


@pytest.mark.parametrize(
    "number",
    [
        None,
        True,
        0,
        [],
        [_NUMBER],
        {"id": _NUMBER},
        "",
        "a/b",
        "..",
        "a%2fb",
        "a\0",
        f"{_NUMBER}\n",
        f" {_NUMBER}",
        "a.b",
        "\u212a",  # the Kelvin sign folds into k
        "\u017f",  # the long s folds into s
        "\u0130",
        "\u0663",
        "\ud800",
        "a" * 256,
    ],
    ids=ascii,
)
def test_no_transaction_number_is_unmappable(number: object) -> None:
    """What is not the documented alphabet is not folded, quoted or cut."""
    document = _identification(transactionnumber=number) | {"planted": "secret"}
    with pytest.raises(errors.UnmappableCallback) as caught:
        _adapter().normalise(_callback(document))

    assert caught.value.known_keys == ("customdata", "identificationprocess")
    assert caught.value.other_keys == 1


def test_the_longest_number_is_fine() -> None:
    """255 characters are allowed."""
    assert len(_wake(_identification(transactionnumber="A" * 255)).session_id) == 255


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"identificationprocess": None},
        {"identificationprocess": []},
        {"identificationprocess": _NUMBER},
        {"transactionnumber": _NUMBER},
        {"identifications": []},
        {"identifications": [_identification(), _identification()]},
        {"identifications": [None]},
        {"identifications": _identification()},
        {"identifications": [_identification()], **_identification()},
        {"identifications": [{"identifications": [_identification()]}]},
    ],
    ids=range(11),
)
def test_other_shapes_are_unmappable(document: dict[str, Any]) -> None:
    """Neither a bare identification nor a list of exactly one."""
    with pytest.raises(errors.UnmappableCallback):
        _adapter().normalise(_callback(document))


def test_a_get_names_its_transaction_in_the_query() -> None:
    """Without a body the configured parameter counts, and no other."""
    adapter = _adapter(session_id_query="tx")

    wake = adapter.normalise(_callback(None, {"tx": _NUMBER, "result": "SUCCESS"}))

    assert wake == model.WakeUp(
        session_id=_NUMBER.lower(),
        provider_session_id=_NUMBER,
        provider_event="unlisted",
        claim={"result": None, "reason": None},
    )
    for query in ({}, {"number": _NUMBER}, {"tx": "a/b"}):
        with pytest.raises(errors.UnmappableCallback):
            adapter.normalise(_callback(None, query))
    with pytest.raises(errors.UnmappableCallback):
        _adapter().normalise(_callback(None, {"tx": _NUMBER}))


@pytest.mark.parametrize(
    ("status", "reason", "expected", "retryable"),
    [
        ("CANCELED", "DATA_ID_EXPIRED", "document_expired", True),
        ("CANCELLED", "DATA_APPLICATION_DATA", "data_mismatch", False),
        ("CANCELED", None, "declined", False),
        ("CANCELED", "unlisted", "declined", False),
        ("FRAUD_SUSPICION_CONFIRMED", None, "fraud", False),
    ],
)
def test_what_is_withdrawn_is_claimed(
    status: str, reason: str | None, expected: str, *, retryable: bool
) -> None:
    """A withdrawal and a confirmed fraud stand, flagged, if the result is gone."""
    claim = _adapter().claim(_event({"result": status, "reason": reason}, 5))

    assert claim is not None
    assert claim.kind is model.ClaimKind.UNCONFIRMED
    assert claim.verdict.outcome is model.Outcome.REJECTED
    assert claim.verdict.flags == (model.Flag.UNCONFIRMED,)
    assert (claim.verdict.reason, claim.verdict.retryable) == (expected, retryable)
    assert (claim.verdict.provider_status, claim.verdict.provider_time) == (status, 5)


@pytest.mark.parametrize(
    "status",
    [
        "SUCCESS",
        "SUCCESS_DATA_CHANGED",
        "SUCCESS_DATA_CHANGE",
        "REVIEW_PENDING",
        "FRAUD_SUSPICION_PENDING",
        "CHECK_PENDING",
        "ABORTED",
        "unlisted",
        None,
    ],
)
def test_nothing_else_is_claimed(status: str | None) -> None:
    """No callback approves, and no preliminary word stands by itself."""
    assert _adapter().claim(_event({"result": status, "reason": None})) is None
    assert _adapter().claim(_event({})) is None
