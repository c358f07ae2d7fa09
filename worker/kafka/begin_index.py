"""Hold what stands of every begin, by the order of the records; pure."""

import dataclasses
from collections.abc import Iterator

from worker import model

# Enough for any race; a thousand repeats must not make a begin heavy.
_SEEN_MAX = 16


@dataclasses.dataclass(slots=True)
class IndexEntry:
    """What stands of one begin: the attempt that counts; times in milliseconds."""

    intent: model.Intent
    #: when the broker took its first record
    since: int
    #: another record came after its own: compaction would keep that one
    superseded: bool = False
    #: the attempts whose records were taken, the last few
    seen: tuple[str, ...] = ()


class BeginIndex:
    """
    The begins of all sources, in memory: the same on every replica.

    Records of one key are taken in the order of their offsets, which alone decides:
    of several attempts the first one counts, until it has failed, or until it was
    registered longer than *window_ms* ago.
    """

    def __init__(self, *, window_ms: int) -> None:
        self._window_ms = window_ms
        self._standing: dict[str, IndexEntry] = {}

    def __len__(self) -> int:
        return len(self._standing)

    def get(self, key: str) -> IndexEntry | None:
        """Return what stands of the begin *key*."""
        return self._standing.get(key)

    def saw(self, intent: model.Intent) -> bool:
        """Return whether a record of the attempt *intent* was taken."""
        held = self._standing.get(intent.key)
        return held is not None and intent.attempt_id in held.seen

    def open(self) -> Iterator[model.Intent]:
        """Yield the attempts whose end is not recorded."""
        return (each.intent for each in self._standing.values() if each.intent.open)

    def every(self) -> list[model.Intent]:
        """Return the attempts that count, ended or not."""
        return [each.intent for each in self._standing.values()]

    def shadowed(self) -> list[model.Intent]:
        """Return the attempts whose last record is not the last one of their key."""
        return [each.intent for each in self._standing.values() if each.superseded]

    def older(self, than: int) -> list[model.Intent]:
        """Return the attempts, ended or not, that the broker took before *than*."""
        return [each.intent for each in self._standing.values() if each.since < than]

    def forget(self, key: str) -> None:
        """Hold nothing of *key* any longer."""
        self._standing.pop(key, None)

    def take(self, key: str, intent: model.Intent | None, at: int) -> None:
        """Take the next record of *key*, which the broker took at *at*."""
        held = self._standing.get(key)
        if intent is None:
            self._take_tombstone(key, held)
            return
        if held is None or self._counts(held, intent, at):
            held = self._standing[key] = IndexEntry(intent, at, seen=_seen(held))
        elif _continues(held.intent, intent):
            held.intent, held.superseded = intent, False
        else:
            held.superseded = intent != held.intent
        if intent.attempt_id not in held.seen:
            held.seen = (*held.seen, intent.attempt_id)[-_SEEN_MAX:]

    def _take_tombstone(self, key: str, held: IndexEntry | None) -> None:
        """Forget what has ended; what is under way was begun anew meanwhile."""
        if held is not None and held.intent.open:
            held.superseded = True
        else:
            self.forget(key)

    def _counts(self, held: IndexEntry, intent: model.Intent, at: int) -> bool:
        """Return whether *intent* is another attempt that counts from now on."""
        if intent.attempt_id == held.intent.attempt_id:
            return False
        match held.intent.stage:
            case model.BeginStage.INTENDED:
                # Where its own first record was compacted: then it had won before.
                earlier = held.since - intent.begun_at < self._window_ms
                return intent.stage is model.BeginStage.REGISTERED and earlier
            case model.BeginStage.REGISTERED:
                return not _failed(intent) and at - held.since >= self._window_ms
            case model.BeginStage.FAILED:
                return not _failed(intent)


def _seen(held: IndexEntry | None) -> tuple[str, ...]:
    return () if held is None else held.seen


def _failed(intent: model.Intent) -> bool:
    return intent.stage is model.BeginStage.FAILED


def _continues(held: model.Intent, intent: model.Intent) -> bool:
    """Return whether *intent* is a later word on the same attempt; a session stays."""
    if intent.attempt_id != held.attempt_id or intent.open:
        return False
    return not (held.stage is model.BeginStage.REGISTERED and _failed(intent))
