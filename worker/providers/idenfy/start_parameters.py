"""
Check what a caller passes on to iDenfy, before it is sent.

Source: the vendor's OpenAPI description and the page kyc/generate-token, seen
2026-12-01. Bounds without a source are ours.
"""

from collections.abc import Mapping
from typing import Any

from worker.providers import _start

RETURN_URLS = ("successUrl", "errorUrl", "unverifiedUrl")

#: "ASCII characters available", "max length 100".
CLIENT_ID = _start.text(r"[!-~](?:[ -~]{0,98}[!-~])?", "at most 100 ASCII characters")
LOCALE = _start.text(r"[A-Za-z]{2}(?:[-_][A-Za-z]{2,4})?", "a language such as en")

_MOST_BYTES = 16 << 10
_NAME = _start.text(r"[^\d~!@#$%^*()_+={}\[\]|:;\",<>/?]{1,100}", "a name, no digits")
_DATE = _start.text(r"\d{4}-\d{2}-\d{2}", "a date YYYY-MM-DD")
_COUNTRY = _start.text(r"[A-Za-z]{2}", "a country of two letters")
_NUMBER = _start.text(r"[!-~](?:[ -~]{0,48}[!-~])?", "at most 50 ASCII characters")
_KEY = _start.text(r"[!-~]{1,255}", "a plain text without spaces")

_SWITCHES = (
    "generateDigitString",
    "showInstructions",
    "questionnaireRequired",
    "verifyEmail",
    "verifyPhone",
    "verifyBank",
    "verifyAddress",
    "checkAml",
    "checkCriminal",
    "checkLiveness",
    "checkFaceBlacklist",
    "checkDocFaceBlacklist",
    "checkPersonBlacklist",
    "checkDuplicateFaces",
    "checkDuplicateDocFaces",
    "checkDuplicatePersonalData",
    "checkDriverLicense",
    "checkLid",
    "checkIpProxy",
    "autoAmlMonitoring",
    "nfcRequired",
    "nfcOptional",
    "utilityBill",
)


def _integer(least: int, most: int) -> _start.Rule:
    """Return the rule for an integer between two bounds."""

    def rule(value: object) -> str | None:
        plain = isinstance(value, int) and not isinstance(value, bool)
        if plain and least <= int(str(value)) <= most:
            return None
        return f"must be an integer from {least} to {most}"

    return rule


def _countries(value: object) -> str | None:
    """Accept one country or a list: the two descriptions of the field differ."""
    if isinstance(value, list):
        return _start.texts(r"[A-Za-z]{2}", "countries of two letters")(value)
    return _COUNTRY(value)


def _ours(value: object) -> str:  # noqa: ARG001 -- a rule
    return "is set by us: leave it out"


def _of_source(value: object) -> str:  # noqa: ARG001 -- a rule
    return "is a setting of the source: leave it out"


_RULES: Mapping[str, _start.Rule] = {
    "firstName": _NAME,
    "lastName": _NAME,
    "dateOfBirth": _DATE,
    "dateOfExpiry": _DATE,
    "dateOfIssue": _DATE,
    "nationality": _COUNTRY,
    "personalNumber": _NUMBER,
    "documentNumber": _NUMBER,
    "sex": _start.one_of("M", "F"),
    "address": _start.text(r"[^\x00-\x1f]{1,255}", "a text of one line"),
    "country": _countries,
    "documents": _start.texts(r"[A-Z_]{1,40}", "document types"),
    "expiryTime": _integer(1, 2_592_000),
    "sessionLength": _integer(60, 3600),
    "ageLimit": _integer(1, 150),
    "ageMax": _integer(1, 150),
    "questionnaire": _KEY,
    "theme": _KEY,
    "riskAssessmentProfile": _KEY,
    **dict.fromkeys(_SWITCHES, _start.boolean),
    **dict.fromkeys(("clientId", "personScanRef", *RETURN_URLS, "locale"), _ours),
    # A session with an address of its own may be signed with another key.
    "callbackUrl": _ours,
    **dict.fromkeys(("tokenType", "reviewSuccessful", "reviewFailed"), _of_source),
}


def check(problems: _start.Problems, params: Mapping[str, Any]) -> None:
    """Note every parameter that cannot be passed on."""
    problems.closed(_start.PARAMS, params, _RULES)
    problems.bounded(params, _MOST_BYTES)
