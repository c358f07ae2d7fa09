"""
Hold what comes in: callbacks, what they mean, and the events they become.

What there is one of for each callback is a tuple, made in a third of the time that a
frozen dataclass takes.
"""

import dataclasses
import types
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from worker.model import enums

_NONE: Mapping[str, Any] = types.MappingProxyType({})


class SessionKey(NamedTuple):
    """A session's identity: the source is part of it."""

    source: str
    session_id: str

    def __str__(self) -> str:
        """Return the key of every record of this session."""
        return f"{self.source}:{self.session_id}"

    @classmethod
    def parse(cls, text: str) -> "SessionKey":
        """Return the key that *text* spells; source names hold no colon."""
        source, _, session_id = text.partition(":")
        return cls(source, session_id)


class Callback(NamedTuple):
    """A request at the webhook endpoint, not yet believed; bodies stay out of repr."""

    source: str
    method: str
    #: those that are looked at: lower-case names, repeats in the order received
    headers: tuple[tuple[str, str], ...]
    body: bytes
    token: str | None = None
    query: Mapping[str, str] = _NONE
    remote: str | None = None
    received_at: int = 0

    def __repr__(self) -> str:
        """Return nothing of what was sent."""
        return f"Callback({self.source!r}, received_at={self.received_at})"


class VerifiedCallback(NamedTuple):
    """
    A callback that every authenticator of its source has passed.

    *document* is the parsed body, less ``callbackApiKey``, or None for a GET.
    Built by the ingress's verification alone.
    """

    source: str
    document: dict[str, Any] | None
    query: Mapping[str, str]
    #: SHA-256 of the body as signed (less the body key), hex
    digest: str
    received_at: int

    def __repr__(self) -> str:
        """Return nothing of what was sent."""
        return f"VerifiedCallback({self.source!r}, received_at={self.received_at})"


class WakeUp(NamedTuple):
    """What a provider's table made of a verified callback: look at this session."""

    session_id: str  #: canonical
    provider_session_id: str  #: as the provider spelt it
    provider_event: str  #: their word if our table has it, else ``unlisted``
    provider_event_id: str | None = None  #: only where the provider promises one
    provider_time: int | None = None
    reference: str | None = None
    #: of the session's beginning, where the provider echoes it
    begin_id: str | None = None
    #: the words of the provider's table that the callback held; no free text
    claim: Mapping[str, str | None] = _NONE


@dataclasses.dataclass(frozen=True, slots=True)
class IgnoredCallback:
    """
    An authentic message that decides nothing; answered 200 ``ignored``.

    A provider that checks who owns the URL gets ``{"challenge": …}`` with its own
    *challenge* instead.
    """

    provider_event: str
    challenge: str | None = dataclasses.field(default=None, repr=False)


@dataclasses.dataclass(frozen=True, slots=True)
class ForwardedMessage:
    """A one-time message that must be delivered (Identomat); stored nowhere."""

    provider_event: str
    document: dict[str, Any] = dataclasses.field(repr=False)


Normalised = WakeUp | IgnoredCallback | ForwardedMessage


class Event(NamedTuple):
    """One record of ``kyc.events``."""

    event_id: str
    type: enums.EventType
    environment: enums.Environment
    source: str
    provider: str
    session_id: str
    provider_session_id: str
    received_at: int
    provider_event: str = "unlisted"
    provider_event_id: str | None = None
    provider_time: int | None = None
    reference: str | None = None
    #: of the session's beginning; on a return or a callback it is to be compared
    begin_id: str | None = None
    #: when the provider lets the session end, on a registration
    expires_at: int | None = None
    digest: str | None = None
    claim: Mapping[str, str | None] = _NONE
    traceparent: str | None = None

    @property
    def key(self) -> SessionKey:
        """Return the session's identity."""
        return SessionKey(self.source, self.session_id)


#: A larger record does not wait for a later release: it is a dead letter at once.
UNREAD_MAX_BYTES = 8_192
_HEADER_BYTES = 16


@dataclasses.dataclass(slots=True, kw_only=True)
class UnreadRecord:
    """A record of a later ``schema_version``, as it stands in the event topic."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None = dataclasses.field(repr=False)
    headers: Iterable[tuple[str, bytes | None]] = ()

    @property
    def size_bytes(self) -> int:
        """Return about how many bytes it takes, with so many for each header."""
        held = len(self.key or b"") + len(self.value or b"")
        for name, value in self.headers:
            held += len(name.encode()) + len(value or b"") + _HEADER_BYTES
        return held
