"""Hold a record of the event topic that this release cannot read."""

import dataclasses
from collections.abc import Iterable

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
