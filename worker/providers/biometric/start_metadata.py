"""
Check the metadata of a Biometric.kz session before it is sent.

It is personal: a photo, an identification number, a phone. Flow Widget guide,
section 3, seen 2026-11-21; the tables there are taken as complete.
"""

import base64
import binascii
from collections.abc import Mapping
from typing import Any

from worker import model
from worker.providers import _start
from worker.providers.biometric import settings

METADATA = f"{_start.PARAMS}.metadata"
_E_DOCUMENT = f"{METADATA}.edocument"
_ENTRIES = ("iin", "phone")
#: beside a photo
_MOST_BYTES = 16 << 10
_TECHNOLOGIES = _start.texts(r"[A-Z][A-Z0-9]{0,15}", "codes such as F2F")
_LOCALE = _start.one_of("ru", "en", "kz")
# The guide gives no shapes: twelve digits are the law's, and its samples agree.
_VALUES = {
    "iin": _start.text(r"[0-9]{12}", "a text of 12 digits"),
    "phone": _start.text(r"\+?[0-9]{7,15}", "a text of 7 to 15 digits, + before them"),
}


def check(request: model.BeginRequest, settings: settings.Settings) -> None:
    """Raise errors.BeginRefused, which names every field that is wrong, or pass."""
    problems = _start.Problems()
    params = request.provider_params
    most = _MOST_BYTES + _base64_length(settings.max_photo_bytes)
    problems.bounded(params, most)
    problems.closed(_start.PARAMS, params, {"metadata": _start.check_any})
    if request.language is not None:
        problems.check(_start.LANGUAGE, request.language, _LOCALE)
    if "metadata" in params:
        _check_metadata(problems, params["metadata"], settings.max_photo_bytes)
    problems.refuse()


def _check_metadata(
    problems: _start.Problems, metadata: object, most_bytes: int
) -> None:
    """Check the tables of the three technologies there are metadata for."""
    tables: dict[str, Mapping[str, _start.Rule]] = {
        "face2face": {"photo1": _photo(most_bytes)},
        "general": {"interchangeable_tech": _TECHNOLOGIES},
        "edocument": {
            "skip_input": _start.boolean,
            **dict.fromkeys(_ENTRIES, _start.check_any),
        },
    }
    problems.closed(METADATA, metadata, dict.fromkeys(tables, _start.check_any))
    if not isinstance(metadata, Mapping):
        return
    for name in tables.keys() & metadata.keys():
        problems.closed(f"{METADATA}.{name}", metadata[name], tables[name])
    if isinstance(metadata.get("edocument"), Mapping):
        _check_document(problems, metadata["edocument"])


def _check_document(problems: _start.Problems, document: Mapping[str, Any]) -> None:
    """Check what is known of the person, and that input is skipped rightly."""
    for name in _ENTRIES:
        if name in document:
            rules = {"value": _VALUES[name], "changeable": _start.boolean}
            problems.closed(f"{_E_DOCUMENT}.{name}", document[name], rules)
    if document.get("skip_input") is True:
        _check_skipped(problems, document)


def _check_skipped(problems: _start.Problems, document: Mapping[str, Any]) -> None:
    """
    Check the three conditions of the guide's case 1.

    Both values, both not changeable; a missing ``changeable`` means true.
    """
    for name in _ENTRIES:
        entry = document.get(name, {})
        if not isinstance(entry, Mapping):
            continue  # said already
        if "value" not in entry:
            problems.add(f"{_E_DOCUMENT}.{name}.value", "is needed with skip_input")
        if entry.get("changeable") is not False:
            problems.add(
                f"{_E_DOCUMENT}.{name}.changeable", "must be false with skip_input"
            )


def _photo(most_bytes: int) -> _start.Rule:
    """Return the rule for a photo in plain base64, at most *most_bytes* decoded."""

    def rule(value: object) -> str | None:
        wrong = "must be a photo in base64: padded, without line breaks or data: before"
        if not isinstance(value, str) or not value:
            return wrong
        if len(value) > _base64_length(most_bytes):
            return f"must be a photo of at most {most_bytes} bytes"
        try:
            photo = base64.b64decode(value, validate=True)
        except (binascii.Error, ValueError):
            return wrong
        if len(photo) > most_bytes:
            return f"must be a photo of at most {most_bytes} bytes"
        return None

    return rule


def _base64_length(size_bytes: int) -> int:
    return -(-size_bytes // 3) * 4


def build_metadata(request: model.BeginRequest) -> dict[str, str]:
    """Return what the caller calls each field that was sent, all levels of it."""
    return dict(_named("metadata", request.provider_params.get("metadata")))


def _named(path: str, value: object) -> list[tuple[str, str]]:
    if value is None:
        return []
    inner = value.items() if isinstance(value, Mapping) else ()
    return [
        (path, f"{_start.PARAMS}.{path}"),
        *(pair for name, each in inner for pair in _named(f"{path}.{name}", each)),
    ]
