"""Read single fields of a provider's object, of whatever type they turn out to be."""

import re
from collections.abc import Collection, Mapping
from typing import Any

from worker import clock, errors
from worker.settings import types

# Spelt out: classes such as \d and flags that fold case let other letters in.
_UUID = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
#: what a text that cannot be read was replaced with: two such ids may differ
_UNREADABLE = "\ufffd"
_YEAR_10000_MS = 253_402_300_800_000
# As the schemas of the records have them.
_REFERENCE_MAX = 255
_IDENTIFIER = re.compile(r"[!-~]{1,255}")


def canonical_uuid(value: object) -> str | None:
    """Return *value* in lower case if it is the text of a UUID, else None."""
    if isinstance(value, str) and _UUID.fullmatch(value):
        return value.lower()
    return None


def identifier(value: object) -> str | None:
    """Return *value* if it is a text that may be a session id in a record."""
    if isinstance(value, str) and _IDENTIFIER.fullmatch(value):
        return value
    return None


def unix_seconds_ms(value: object) -> int | None:
    """Return whole Unix seconds as milliseconds, None for any other value."""
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return _within_calendar(value * 1000)


def rfc3339_ms(value: object) -> int | None:
    """Return an RFC 3339 text as milliseconds since the epoch, else None."""
    if not isinstance(value, str) or not value.isascii():
        return None
    try:
        at_ms = clock.parse_rfc3339(value)
    except (ValueError, OverflowError):
        return None
    return _within_calendar(at_ms)


def _within_calendar(at_ms: int) -> int | None:
    """Return *at_ms* if a record can hold it: from 1970 to the year 9999."""
    return at_ms if 0 <= at_ms < _YEAR_10000_MS else None


def table(document: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Return the object under *name*, an empty one where there is none."""
    value = document.get(name)
    return value if isinstance(value, dict) else {}


def reference(value: object, pattern: str) -> str | None:
    """
    Return the company's own id if all of it matches *pattern*, else None.

    Also None beyond what a record holds, whatever the pattern allows.
    """
    if not isinstance(value, str) or not 0 < len(value) <= _REFERENCE_MAX:
        return None
    if _UNREADABLE in value:
        return None
    return value if re.fullmatch(pattern, value, re.ASCII) else None


def unmappable_callback(
    document: Mapping[str, Any] | None,
    known: Collection[str],
    *,
    acknowledge: bool = False,
) -> errors.UnmappableCallback:
    """Return the error that names the *known* keys that were there, and no value."""
    keys = set(document or ())
    return errors.UnmappableCallback(
        tuple(sorted(keys.intersection(known))),
        len(keys.difference(known)),
        acknowledge=acknowledge,
    )


def sendable(secret: types.Secret) -> types.Secret:
    """
    Return *secret* if it can stand in a query or a header as it is.

    Raises ValueError, a sentence for the person who configures.
    """
    if secret.withheld:
        return secret
    text = secret.reveal()
    if not (text.isascii() and text.isprintable() and text == text.strip() != ""):
        raise ValueError("must be printable ASCII, without space around it")
    return secret
