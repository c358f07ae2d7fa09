"""
IDnow: exactly what the documents call a success is approved.

What a success looks like is said again here, from the documents and not from our
tables: the vendor's API documentation (PDF, version 2016-02-15), chapters 12 (errors),
13.1.1 (results), 13.4 (the full sample) and 14 (callbacks, reasons), and, for signed
contracts, a public client (Solarisbank/idnow-client); all seen 2026-11-20.
"""

import re
from typing import Any

import pytest
from hypothesis import given, settings

from tests.support import documents
from worker import clock as clocks
from worker import errors, model
from worker.providers import idnow

_NUMBER = "AH73JK3LM"
_KEY = model.SessionKey("a", _NUMBER.lower())


def _adapter(product: str) -> idnow.Adapter:
    given_settings = {
        "environment": "test",
        "company_id": "ihrebank",
        "api_key": "synthetic",
        "product": product,
    }
    return idnow.Adapter(
        "a", idnow.Settings.model_validate(given_settings), clocks.SystemClock()
    )


_ADAPTERS = {product: _adapter(product) for product in ("ident", "esign")}
_SUCCESS: dict[str, Any] = {
    "identificationprocess": {
        "result": "SUCCESS",
        "agentname": "HMUELLER",
        "identificationtime": "2014-06-02T05:03:54Z",
        "type": "WEB",
        "transactionnumber": _NUMBER,
        "companyid": "ihrebank",
        "id": "IBA-H7GB6",
        "filename": "AH73JK3LM.zip",
        "href": "/api/v1/ihrebank/identifications/AH73JK3LM.zip",
    },
    "customdata": {"custom1": "2740332"},
    "userdata": {"birthday": {"value": "1983-05-22", "status": "CHANGE"}},
    "identificationdocument": {"number": {"value": None, "status": "REDACTION"}},
    "attachments": {"audiolog": "AH73JK3LM_audiolog.wav"},
}
_SIGNED = _SUCCESS | {"esigning": {"result": "SUCCESS", "sessionid": "s"}}
_WITHOUT_ERRORS = _SUCCESS | {"errors": []}
_LISTED: dict[str, Any] = {"identifications": [_SUCCESS]}
_CANCELED: dict[str, Any] = {
    "identificationprocess": {
        "result": "CANCELED",
        "reason": "DATA_APPLICATION_DATA",
        "companyid": "ihrebank",
        "transactionnumber": _NUMBER,
    },
}
_SAMPLES = (_SUCCESS, _SIGNED, _WITHOUT_ERRORS, _LISTED, _CANCELED)
_WORDS = (
    *("identificationprocess", "identifications", "result", "reason", "errors"),
    *("transactionnumber", "companyid", "esigning", "sessionid", "cause", "id"),
    *("SUCCESS", "SUCCESS_DATA_CHANGED", "SUCCESS_DATA_CHANGE", "REVIEW_PENDING"),
    *("FRAUD_SUSPICION_CONFIRMED", "CANCELED", "ABORTED", "USER_NO_ID", "ihrebank"),
    *(_NUMBER, _NUMBER.lower(), "OTHER", "IHREBANK", "DATA_ID_EXPIRED"),
)


def _is_success(document: object, product: str) -> bool:
    """Return whether *document*, perhaps with more in it, is a documented success."""
    if not isinstance(document, dict):
        return False
    one = document
    if "identifications" in document:
        listed = document["identifications"]
        if "identificationprocess" in document or not isinstance(listed, list):
            return False
        if len(listed) != 1 or not isinstance(listed[0], dict):
            return False
        one = listed[0]
    process = one.get("identificationprocess")
    return (
        isinstance(process, dict)
        and _is_ours(process)
        and process.get("result")
        in ("SUCCESS", "SUCCESS_DATA_CHANGED", "SUCCESS_DATA_CHANGE")
        # Chapter 14.5: a reason belongs to what was aborted or canceled.
        and process.get("reason") in (None, "")
        and all(each.get("errors") in (None, []) for each in (document, one))
        and _is_signed(one, product)
    )


def _is_ours(process: dict[str, Any]) -> bool:
    number = process.get("transactionnumber")
    return (
        process.get("companyid") == "ihrebank"
        and isinstance(number, str)
        and re.fullmatch(_NUMBER, number, re.IGNORECASE | re.ASCII) is not None
    )


def _is_signed(one: dict[str, Any], product: str) -> bool:
    """Return whether the contract is signed, where there is one to sign."""
    if "esigning" not in one:
        return product == "ident"
    signing = one["esigning"]
    return isinstance(signing, dict) and signing.get("result") == "SUCCESS"


@settings(max_examples=300, deadline=None)
@given(documents.near(_SAMPLES, _WORDS))
@pytest.mark.parametrize("product", ["ident", "esign"])
def test_a_result_is_approved_if_it_is_documented_so(
    product: str, document: object
) -> None:
    """Our table and the documents agree on every document, and raise one family."""
    answer = model.ProviderResponse(document=document, observed_at=7, origin="result")
    try:
        verdict = _ADAPTERS[product].interpret(_KEY, _NUMBER, answer).verdict
    except errors.FetchError:
        assert not _is_success(document, product)
    else:
        approved = verdict.outcome is model.Outcome.APPROVED
        assert _is_success(document, product) == approved


@settings(max_examples=150, deadline=None)
@given(documents.near([_SUCCESS, _SIGNED, _CANCELED], _WORDS))
@pytest.mark.parametrize("origin", ["pending", "aborted", "cancelled"])
def test_no_list_of_others_approves(origin: str, document: object) -> None:
    """Chapter 8.3.2: the lists that we read are of what has not succeeded."""
    answer = model.ProviderResponse(document=document, observed_at=7, origin=origin)
    try:
        verdict = _ADAPTERS["ident"].interpret(_KEY, _NUMBER, answer).verdict
    except errors.FetchError:
        return
    assert verdict.outcome is not model.Outcome.APPROVED
