"""Keep the events of sources that this worker does not know, until it knows them."""

from collections.abc import Container, Iterator

from worker import codec, model
from worker.pipeline import binding

#: One event; a larger one was written by no release of ours.
_EVENT_MAX_BYTES = 8_192


class Deferred:
    """
    A partition's deferred events, as they stand in its ledger; the oldest first.

    While a new source is rolled out, the ingress may know it before this worker does.
    What it accepted waits here: in the ledger, so that whoever owns the partition
    next finds it. The room is bounded, in events and in bytes: a source may be
    invented.
    """

    def __init__(self, held: dict[str, bytes], limits: binding.Limits) -> None:
        """Go on with *held*, the memory's, in which they are kept and forgotten."""
        self._limits = limits
        self._held = held
        self._bytes = sum(map(len, held.values()))

    def __len__(self) -> int:
        return len(self._held)

    def add(self, event: model.Event, offset: int, now: int) -> model.SessionKey | None:
        """Keep *event*, return the key of its record; None where there is no room."""
        value = codec.encode_deferred(event, now)
        room = self._limits.max_deferred_bytes - self._bytes
        full = len(self._held) >= self._limits.max_deferred or len(value) > room
        if full or len(value) > _EVENT_MAX_BYTES:
            return None
        key = model.SessionKey(codec.DEFERRED_PREFIX, f"{offset}:{event.event_id}")
        self._bytes += len(value) - len(self._held.get(str(key), b""))
        self._held[str(key)] = value
        return key

    def take_known(
        self, sources: Container[str]
    ) -> Iterator[tuple[model.SessionKey, model.Event]]:
        """Take the events whose source is one of *sources*, each with its key."""
        for key in sorted(self._held, key=_offset):
            event, _ = codec.read_deferred(self._held[key])
            if event.source in sources:
                yield self._forget(key), event

    def take_expired(self, now: int) -> Iterator[tuple[model.SessionKey, model.Event]]:
        """Take the events that have waited too long, each with its key."""
        for key in sorted(self._held, key=_offset):
            event, at = codec.read_deferred(self._held[key])
            if now - at >= self._limits.defer_ms:
                yield self._forget(key), event

    def any_source(self) -> str | None:
        """Return the source of an event that waits, if one does."""
        for value in self._held.values():
            return codec.read_deferred(value)[0].source
        return None

    def _forget(self, key: str) -> model.SessionKey:
        self._bytes -= len(self._held.pop(key))
        return model.SessionKey.parse(key)


def _offset(key: str) -> int:
    """Return the offset in a record's key: events are taken in their order."""
    return int(key.split(":")[1])
