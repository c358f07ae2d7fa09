"""Describe an exception by its classes and locations, never by its message."""

import sys
from collections.abc import Iterator, MutableMapping
from typing import Any

from worker import errors

_FRAMES_MAX = 12
_CHAIN_MAX = 8

EventDict = MutableMapping[str, Any]


def describe(_logger: object, _method: str, line: EventDict) -> EventDict:
    """Put class, reason and places of an exception in place of the exception."""
    given = line.pop("exc_info", None)
    if given is True:
        given = sys.exc_info()[1]
    if isinstance(given, tuple):
        given = given[1]
    if isinstance(given, BaseException):
        line.update(description(given))
    return line


def description(failure: BaseException) -> dict[str, str]:
    """Describe *failure* without its message, which may contain personal data."""
    known = {"error": type(failure).__name__, "trace": " < ".join(_places(failure))}
    if isinstance(failure, errors.KycError):
        known["reason"] = failure.reason
    if causes := [type(cause).__name__ for cause in _causes(failure)]:
        known["causes"] = " < ".join(causes)
    return known


def exception_location(failure: BaseException) -> str:
    """Return class and innermost place of *failure*; its message may hold anything."""
    place = failure.__traceback__
    while place is not None and place.tb_next is not None:
        place = place.tb_next
    name = type(failure).__name__
    if place is None:
        return name
    module = place.tb_frame.f_globals.get("__name__", "?")
    return f"{name} in {module}:{place.tb_lineno}"


def _places(failure: BaseException) -> list[str]:
    """Return where *failure* was raised and passed, innermost first."""
    places = []
    step = failure.__traceback__
    while step is not None:
        name = step.tb_frame.f_globals.get("__name__", "?")
        places.append(f"{name}:{step.tb_lineno} {step.tb_frame.f_code.co_name}")
        step = step.tb_next
    return places[::-1][:_FRAMES_MAX]


def _causes(failure: BaseException) -> Iterator[BaseException]:
    """Yield what led to *failure*, and the members of a group, a few at most."""
    waiting = [failure]
    seen: set[int] = set()
    while waiting and len(seen) < _CHAIN_MAX:
        each = waiting.pop(0)
        if id(each) in seen:
            continue
        seen.add(id(each))
        if each is not failure:
            yield each
        if isinstance(each, BaseExceptionGroup):
            waiting.extend(each.exceptions)
        if each.__cause__ is not None:
            waiting.append(each.__cause__)
        elif each.__context__ is not None and not each.__suppress_context__:
            waiting.append(each.__context__)
