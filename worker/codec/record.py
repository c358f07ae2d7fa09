"""Hold what goes onto a topic, and the refusal of what comes from one."""

import dataclasses
from typing import ClassVar


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One Kafka record, less its topic and partition; a None value is a tombstone."""

    key: bytes
    value: bytes | None
    headers: list[tuple[str, bytes]] = dataclasses.field(default_factory=list)

    @property
    def size_bytes(self) -> int:
        """Return the bytes of key, value and headers, without Kafka's framing."""
        held = len(self.key) + len(self.value or b"")
        for name, value in self.headers:
            held += len(name) + len(value)
        return held


class MalformedRecord(ValueError):
    """
    A record that no release of ours wrote; *field* is what is wrong with it.

    The message holds a field's name out of our schemas, never a value. The caller
    dead-letters such a record where others may write (``kyc.events``).
    """

    reason: ClassVar[str] = "malformed_record"

    def __init__(self, field: str) -> None:
        super().__init__(f"malformed record: {field}")
        self.field = field


class FieldTooLong(MalformedRecord):
    """A record one of whose fields holds more than its schema allows."""

    reason: ClassVar[str] = "field_too_long"
