"""
Check what a caller says of a person to be identified by IDnow, before it is sent.

Source: the vendor's API documentation (PDF, version 2016-02-15), chapters 3.2.8 and
3.2.9, seen 2026-11-21. It gives types and alphabets but no lengths: those are ours.
"""

import datetime as dt
import re
from collections.abc import Collection, Mapping
from typing import Any

from worker.providers import _start

QUESTIONS = "questions"

_MOST_BYTES = 64 << 10
_TEXT_MAX = 255
_ANSWER_MAX = 1000
_QUESTIONS_MAX = 100
_QUESTION_KEY = re.compile(r"[A-Za-z0-9_.-]{1,100}")
_NUMBER = re.compile(r"[+0-9 ()/.-]*")  # no name, but perhaps a telephone number
# What JavaScript and most JSON parsers still hold exactly.
_INTEGER_MAX = (1 << 53) - 1
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_OLDEST_YEAR = 1900


def check(
    problems: _start.Problems,
    params: Mapping[str, Any],
    *,
    reserved: Collection[str],
    extra: Collection[str],
) -> None:
    """
    Note every parameter that IDnow would refuse.

    *reserved* are fields that we fill, *extra* those that the account knows beyond
    the documented ones. IDnow refuses what it does not know (``UNRECOGNIZED_FIELD``,
    chapter 12), and so do we.
    """
    rules = {**dict.fromkeys(extra, _plain), **RULES, **dict.fromkeys(reserved, _ours)}
    problems.closed(_start.PARAMS, params, rules | {QUESTIONS: _start.check_any})
    if QUESTIONS in params:
        _check_questions(problems, params[QUESTIONS])
    problems.bounded(params, _MOST_BYTES)


def named(key: object, params: Mapping[str, Any]) -> str | None:
    """Return what the caller calls the field that IDnow's *key* names, if we sent it.

    Whether they name a question with ``questions.`` before it is not documented.
    """
    if not isinstance(key, str):
        return None
    if key in params:
        return f"{_start.PARAMS}.{key}"
    question = key.removeprefix(f"{QUESTIONS}.")
    if question in params.get(QUESTIONS, ()):
        return f"{_start.PARAMS}.{QUESTIONS}.{question}"
    return None


def _check_questions(problems: _start.Problems, asked: object) -> None:
    """Check the pre-defined answers: ``{"question": {"value": …}}``."""
    where = f"{_start.PARAMS}.{QUESTIONS}"
    if not isinstance(asked, Mapping) or len(asked) > _QUESTIONS_MAX:
        problems.add(
            where,
            f"must be an object of at most {_QUESTIONS_MAX} questions, each an object"
            " that holds value",
        )
        return
    for key, answer in asked.items():
        if not _QUESTION_KEY.fullmatch(key) or _NUMBER.fullmatch(key):
            problems.add(where, "holds a key that is no name of letters, digits, _ . -")
        else:
            problems.check(f"{where}.{key}", answer, _answer)


def _answer(answer: object) -> str | None:
    """Refuse what is no ``{"value": text or integer}``."""
    if not isinstance(answer, Mapping) or set(answer) != {"value"}:
        return "must be an object that holds value, and nothing else"
    value = answer["value"]
    if isinstance(value, bool):
        # Chapter 3.2.9: RADIO_BOOLEAN is "stored as integer (0 = false, 1 = true)".
        return "must be 0 or 1 where the question is one of yes and no"
    if isinstance(value, int):
        return _integer(value)
    if not isinstance(value, str) or len(value) > _ANSWER_MAX or not _lines(value):
        return f"must be an integer, or a text of at most {_ANSWER_MAX} characters"
    return None


def _lines(value: str) -> bool:
    """Return whether *value* is text, perhaps of several lines."""
    return re.sub(r"[\n\r\t]", "", value).isprintable()


def _ours(value: object) -> str:  # noqa: ARG001 -- a rule
    return "is filled by us for this source: leave it out"


def line(value: object) -> str | None:
    """Refuse what is no text of one line, of 1 to 255 characters."""
    if isinstance(value, str) and value.strip() and len(value) <= _TEXT_MAX:
        # Neither half characters, which no UTF-8 holds, nor what moves the pen.
        if value.isprintable():
            return None
        return "must be a text without control characters"
    return f"must be a text of 1 to {_TEXT_MAX} characters"


def _date(value: object) -> str | None:
    """Refuse what is no day of the calendar from 1900 on."""
    try:
        if isinstance(value, str) and _DATE.fullmatch(value):
            known = dt.date.fromisoformat(value).year >= _OLDEST_YEAR
            return None if known else f"must be a day from {_OLDEST_YEAR} on"
    except ValueError:
        pass
    return "must be a day of the calendar such as 1975-12-20"


def _plain(value: object) -> str | None:
    """Refuse what is neither a text of one line, an integer, nor true or false."""
    if isinstance(value, bool):
        return None
    return _integer(value) if isinstance(value, int) else line(value)


def _integer(value: int) -> str | None:
    if abs(value) > _INTEGER_MAX:
        return f"must be an integer of at most {_INTEGER_MAX} either way"
    return None


_COUNTRY = _start.text(r"[A-Z]{2}", "a country as two capital letters, such as DE")
#: The documented fields; all of them are optional.
RULES: Mapping[str, _start.Rule] = {
    "birthday": _date,
    "birthplace": line,
    "birthname": line,
    "city": line,
    "country": _COUNTRY,
    # Use these "to pass your own IDs, tags etc.".
    "custom1": line,
    "custom2": line,
    "custom3": line,
    "custom4": line,
    "custom5": line,
    "trackingid": line,
    "email": _start.text(r"[^\s@]{1,64}@[^\s@]{1,189}", "an e-mail address"),
    "firstname": line,
    "gender": _start.one_of("MALE", "FEMALE"),
    "lastname": line,
    # "If no country code is given, 0049 is assumed": both spellings are theirs.
    "mobilephone": _start.text(
        r"\+?[0-9][0-9 ()/.-]{3,28}[0-9]", "a telephone number of 5 to 30 digits"
    ),
    "nationality": _COUNTRY,
    "street": line,
    "streetnumber": line,
    "title": line,
    "zipcode": line,
}
