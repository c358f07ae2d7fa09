"""Keep the events that this worker cannot take, until a worker can."""

from collections.abc import Iterator
from typing import NamedTuple

from worker import codec, model
from worker.pipeline import source_runtime

#: One event; a larger one was written by no release of ours.
_EVENT_MAX_BYTES = 8_192
#: A record of model.UNREAD_MAX_BYTES, as the ledger keeps it.
_UNREAD_MAX_BYTES = 12_288


class DeferredEvent(NamedTuple):
    """One deferred event: its record's key, what it is, and since when it waits."""

    key: str
    what: model.Event | model.UnreadRecord
    at: int


class DeferredEvents:
    """
    A partition's deferred events, as they stand in its ledger; the oldest first.

    While a new source is rolled out, the ingress may know it before this worker does;
    while a new release is, the ingress may write a ``schema_version`` that only the
    next worker reads. What was accepted waits here: in the ledger, so that whoever
    owns the partition next finds it. The room is bounded, in events and in bytes:
    a source, or a version, may be invented.
    """

    def __init__(self, held: dict[str, bytes], limits: source_runtime.Limits) -> None:
        """Go on with *held*, the memory's, in which they are kept and forgotten."""
        self._limits = limits
        self._held = held
        self._bytes = sum(map(len, held.values()))
        #: how many of them are records of a later ``schema_version``
        self.unread = sum(map(codec.is_unread, held.values()))

    def __len__(self) -> int:
        return len(self._held)

    def add(
        self, what: model.Event | model.UnreadRecord, offset: int, at: int
    ) -> model.SessionKey | None:
        """Keep *what*, return the key of its record; None where there is no room."""
        value = codec.encode_deferred(what, at)
        unread = isinstance(what, model.UnreadRecord)
        name = "unread" if isinstance(what, model.UnreadRecord) else what.event_id
        room = self._limits.max_deferred_bytes - self._bytes
        full = len(self._held) >= self._limits.max_deferred or len(value) > room
        if full or len(value) > (_UNREAD_MAX_BYTES if unread else _EVENT_MAX_BYTES):
            return None
        key = model.SessionKey(codec.DEFERRED_PREFIX, f"{offset}:{name}")
        if str(key) in self._held:
            self.remove(str(key))
        self._bytes += len(value)
        self.unread += unread
        self._held[str(key)] = value
        return key

    def waiting(self) -> Iterator[DeferredEvent]:
        """Return all that wait, in the order of their offsets."""
        for key in sorted(self._held, key=offset_of):
            yield DeferredEvent(key, *codec.read_deferred(self._held[key]))

    def expired(self, now: int) -> Iterator[DeferredEvent]:
        """Return those that have waited too long, or may not wait any more."""
        for waiting in self.waiting():
            if (
                now - waiting.at >= self._limits.defer_ms
                or not self._limits.max_deferred
            ):
                yield waiting

    def any_source(self) -> str | None:
        """Return the source of an event that waits for it, if one does."""
        for value in self._held.values():
            if codec.is_unread(value):
                continue
            what, _ = codec.read_deferred(value)
            return what.source if isinstance(what, model.Event) else None
        return None

    def remove(self, key: str) -> model.SessionKey:
        """Forget what waits under *key*; return the key of the tombstone."""
        value = self._held.pop(key)
        self._bytes -= len(value)
        self.unread -= codec.is_unread(value)
        return model.SessionKey.parse(key)


def offset_of(key: str) -> int:
    """Return the offset in a record's key: events are taken in their order."""
    return int(key.split(":")[1])
