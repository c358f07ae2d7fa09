"""
Check and complete what a begin asks of Identomat: a configuration, or flags and steps.

Developer guide (two editions), seen 2026-11-21. The list of flags that we have is cut
short: flags beyond it are passed on, with a warning.
"""

import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

from worker import model
from worker.providers import _start

_PARAMS_BYTES = 64 << 10
_STEPS_MAX = 50
_LANGUAGE = _start.text(r"[a-z]{2}(-[A-Za-z]{2,4})?", "a language such as en")
_WORDS = _start.texts(r"[a-z][a-z0-9_-]{0,63}", "words such as passport")
_CONFIG_ID = _start.text(
    r"[A-Za-z0-9._:-]{1,128}", "a text of 1 to 128 letters, digits, dots and dashes"
)
_BOOLEANS = (
    "liveness",
    "allow_general_document_capture",
    "allow_general_document_upload",
    "skip_agreement",
    "skip_document",
    "skip_face",
    "allow_document_upload",
    "allow_face_upload",
    "allow_face_doc_upload",
    "require_face_document",
    "disable_document_capture",
    "skip_desktop",
    "capture_double_page_passport",
    "require_email_check",
    "require_email",
    "require_phone_number_check",
    "require_phone_number",
)
#: however it is spelt: ``return_url``, ``returnUrl``
_RETURN_URL = re.compile(r"return[_-]?ur[il]", re.ASCII | re.IGNORECASE)
#: what the guide asks for beside custom steps: else those steps come twice
_WITH_STEPS = ("skip_document", "skip_face")
_GENERAL = ("allow_general_document_capture", "allow_general_document_upload")
_FLAG_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}", re.ASCII)
_FLAGS = f"{_start.PARAMS}.flags"


def _ours(_: object) -> str:
    """Refuse a value: who chose it would be sent the token."""
    return "cannot be given here: the request's return_url says where the person goes"


_RULES: Mapping[str, _start.Rule] = MappingProxyType(
    {
        "return_url": _ours,
        "language": _LANGUAGE,
        "document_types": _WORDS,
        "document_countries": _start.texts(r"[A-Z]{3}", "country codes such as DEU"),
        "general_document_types": _WORDS,
        **dict.fromkeys(_BOOLEANS, _start.boolean),
    }
)


def checked(request: model.BeginRequest) -> tuple[str, ...]:
    """
    Return warnings about a request.

    Raises errors.BeginRefused, which names every field that is wrong.
    """
    problems = _start.Problems()
    params = request.provider_params
    problems.bounded(params, _PARAMS_BYTES)
    problems.closed(
        _start.PARAMS,
        params,
        {"config_id": _CONFIG_ID, "flags": _start.check_any, "steps": _steps},
    )
    unknown: tuple[str, ...] = ()
    if "flags" in params:
        unknown = problems.table(_FLAGS, params["flags"], _RULES)
    if any(map(_RETURN_URL.fullmatch, unknown)):
        problems.add(f"{_FLAGS}.return_url", _ours(unknown))
    if not all(_FLAG_NAME.fullmatch(name) for name in unknown):
        problems.add(_FLAGS, "must have names of lower-case letters, digits and _")
    _check_inside(problems, params)
    _check_ways(problems, params)
    _check_person(problems, request)
    problems.refuse()
    return tuple(_warnings(params, unknown))


def _check_inside(problems: _start.Problems, params: Mapping[str, Any]) -> None:
    """Check that nowhere inside of a flag or a step is said where the person goes."""
    flags, steps = params.get("flags"), params.get("steps")
    for where, value in (
        (_FLAGS, list(flags.values()) if isinstance(flags, Mapping) else None),
        (f"{_start.PARAMS}.steps", steps),
    ):
        if any(map(_RETURN_URL.fullmatch, _names(value))):
            problems.add(f"{where}.return_url", _ours(value))


def _names(value: object) -> Iterator[str]:
    """Yield the names of all members that *value* has, however deep."""
    left = [value]
    while left:
        match left.pop():
            case Mapping() as table:
                yield from map(str, table)
                left.extend(table.values())
            case list() as values:
                left.extend(values)
            case _:
                pass


def _check_ways(problems: _start.Problems, params: Mapping[str, Any]) -> None:
    """Check that there is one way only to say what is to be done."""
    for name in ("flags", "steps"):
        if "config_id" in params and name in params:
            problems.add(
                f"{_start.PARAMS}.{name}",
                "cannot be given beside config_id, which has its own",
            )


def _check_person(problems: _start.Problems, request: model.BeginRequest) -> None:
    """Check how the person goes, comes back, and is spoken to."""
    if request.mode is model.BeginMode.REDIRECT and request.return_address is None:
        problems.add(_start.RETURN_URL, "is needed for the person to come back")
    if request.language is None:
        return
    problems.check(_start.LANGUAGE, request.language, _LANGUAGE)
    flags = request.provider_params.get("flags")
    if isinstance(flags, dict) and "language" in flags:
        problems.add(f"{_FLAGS}.language", "is given twice: language says it too")


def _steps(value: object) -> str | None:
    """Accept a list of steps; what is inside of one is not documented."""
    if not isinstance(value, list) or not 0 < len(value) <= _STEPS_MAX:
        return f"must be a list of 1 to {_STEPS_MAX} steps"
    return None if all(map(_is_step, value)) else "must hold names or objects only"


def _is_step(step: object) -> bool:
    if isinstance(step, str):
        return re.fullmatch(r"[a-z][a-z0-9_-]{0,63}", step, re.ASCII) is not None
    return isinstance(step, dict) and step != {}


def _warnings(params: Mapping[str, Any], unknown: tuple[str, ...]) -> Iterator[str]:
    """Yield a sentence for each thing that may not be meant so."""
    flags = params.get("flags", {})
    for name in sorted(unknown):
        yield f"{_FLAGS}.{name} is no flag known here: passed on unchecked"
    for name in _WITH_STEPS if "steps" in params else ():
        if flags.get(name) is False:
            yield f"{_FLAGS}.{name} should be true with steps, or a step comes twice"
    if "general_document_types" in flags and not any(map(flags.get, _GENERAL)):
        yield (
            f"{_FLAGS}.general_document_types does nothing without"
            " allow_general_document_capture or allow_general_document_upload"
        )


def complete(params: Mapping[str, Any]) -> dict[str, Any]:
    """Return the caller's flags, with those that custom steps need."""
    defaults = dict.fromkeys(_WITH_STEPS, True) if "steps" in params else {}
    given: dict[str, Any] = params.get("flags", {})
    return defaults | given


def of_request(request: model.BeginRequest) -> dict[str, Any]:
    """Return the flags that the request itself stands for."""
    flags: dict[str, Any] = {}
    # Guide: leaving return_url out means to embed in an iframe.
    if request.mode is model.BeginMode.REDIRECT:
        flags["return_url"] = request.return_address
    if request.language is not None:
        flags["language"] = request.language
    return flags


def sent(request: model.BeginRequest) -> dict[str, str]:
    """Return what the caller calls each field that was sent."""
    fields = {name: f"{_start.PARAMS}.{name}" for name in request.provider_params}
    flags = request.provider_params.get("flags", {})
    fields |= {f"flags.{name}": f"{_FLAGS}.{name}" for name in flags}
    if request.mode is model.BeginMode.REDIRECT:
        fields["flags.return_url"] = _start.RETURN_URL
    if request.language is not None:
        fields["flags.language"] = _start.LANGUAGE
    return fields
