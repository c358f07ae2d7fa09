"""
Check the body of IDnow's ``start`` as the vendor documents it.

Source: API documentation (PDF, version 2016-02-15), chapters 3.2.8, 3.2.9 and 12, seen
2026-11-21. Of several errors the first is answered, with the field as its ``key``.
"""

import datetime as dt
import re
from collections.abc import Callable, Collection, Mapping
from typing import Any

import orjson

CUSTOM = ("custom1", "custom2", "custom3", "custom4", "custom5", "trackingid")
NUMBER = re.compile(r"[A-Za-z0-9_-]{1,255}")

_TEXTS = (
    *CUSTOM,
    "birthplace",
    "birthname",
    "city",
    "email",
    "firstname",
    "lastname",
    "mobilephone",
    "street",
    "streetnumber",
    "title",
    "zipcode",
)
_COUNTRY = re.compile(r"[A-Z]{2}")


class Refused(Exception):
    """The body is refused with *cause*, because of the field *key* if one is named."""

    def __init__(self, cause: str, key: str | None = None) -> None:
        super().__init__(cause)
        self.cause = cause
        self.key = key


def checked(body: bytes, extra: Collection[str]) -> dict[str, Any]:
    """
    Return the fields of a body whose every field is known and right.

    *extra* are fields that the account knows beyond the documented ones. Raises
    Refused.
    """
    try:
        given = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise Refused("UNPARSEABLE_JSON") from None
    if not isinstance(given, dict):
        raise Refused("UNPARSEABLE_JSON")
    for name, value in given.items():
        if name not in _RULES and name not in extra:
            raise Refused("UNRECOGNIZED_FIELD", name)
        if not _RULES.get(name, _anything)(value):
            raise Refused("BAD_REQUEST", name)
    return given


def _anything(_: object) -> bool:
    return True


def _text(value: object) -> bool:
    return isinstance(value, str)


def _day(value: object) -> bool:
    try:
        return isinstance(value, str) and bool(dt.date.fromisoformat(value))
    except ValueError:
        return False


def _country(value: object) -> bool:
    return isinstance(value, str) and _COUNTRY.fullmatch(value) is not None


def _gender(value: object) -> bool:
    return value in ("MALE", "FEMALE")


def _questions(value: object) -> bool:
    return isinstance(value, dict) and all(
        isinstance(answer, dict) and type(answer.get("value")) in {str, int}
        for answer in value.values()
    )


_RULES: Mapping[str, Callable[[object], bool]] = {
    **dict.fromkeys(_TEXTS, _text),
    "birthday": _day,
    "country": _country,
    "nationality": _country,
    "gender": _gender,
    "questions": _questions,
}
