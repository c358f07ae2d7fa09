"""Judge the metadata of a create call by the tables of the Flow Widget guide."""

import base64
import binascii
from collections.abc import Iterator, Mapping
from typing import Any

_ENTRIES = ("iin", "phone")


def wrong(metadata: object) -> list[str]:
    """Return the names of the fields that the guide would have otherwise."""
    if not isinstance(metadata, Mapping):
        return ["metadata"]
    return [f"metadata.{name}" for name in _wrong(metadata)]


def _wrong(metadata: Mapping[str, Any]) -> Iterator[str]:
    tables = {
        name: metadata.get(name, {}) for name in ("face2face", "edocument", "general")
    }
    strange = [name for name, table in tables.items() if not isinstance(table, Mapping)]
    if strange:
        yield from strange
        return
    if not _is_base64(tables["face2face"].get("photo1", "")):
        yield "face2face.photo1"
    if not isinstance(tables["general"].get("interchangeable_tech", []), list):
        yield "general.interchangeable_tech"
    document = tables["edocument"]
    skipped = document.get("skip_input", False)
    if not isinstance(skipped, bool):
        yield "edocument.skip_input"
    for name in _ENTRIES:
        yield from _wrong_entry(name, document.get(name, {}), skipped=skipped is True)


def _wrong_entry(name: str, entry: object, *, skipped: bool) -> Iterator[str]:
    """Yield what is wrong with one entry; to skip its input it must be fixed."""
    if not isinstance(entry, Mapping):
        yield f"edocument.{name}"
        return
    value, changeable = entry.get("value", ""), entry.get("changeable", True)
    if not isinstance(value, str) or (skipped and not value):
        yield f"edocument.{name}.value"
    if not isinstance(changeable, bool) or (skipped and changeable):
        yield f"edocument.{name}.changeable"


def _is_base64(photo: object) -> bool:
    if not isinstance(photo, str):
        return False
    try:
        base64.b64decode(photo, validate=True)
    except (binascii.Error, ValueError):
        return False
    return True
