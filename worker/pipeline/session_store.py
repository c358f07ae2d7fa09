"""Hold a partition's sessions in memory, and the heap of what is due."""

import collections
import heapq
import itertools
from typing import NamedTuple

from worker import codec, ledger, model
from worker.pipeline import backlog

#: What has so long to wait is kept as bytes until then.
_PARKED_FROM_MS = 60_000
_NO_SESSION = f"{codec.DEFERRED_PREFIX}:"
#: so few entries of what has ended cost nothing
_HEAP_SLACK = 1_000


class _Parked(NamedTuple):
    """What is known of an open session without decoding it."""

    due_at: int | None
    #: when it was first heard of, None where what stands is final
    pending_since: int | None


class SessionStore:
    """
    A partition's sessions: those at work as values, all others as their record's bytes.

    Ended sessions are the many: their bytes are what the ledger's topic holds, made
    once, and decoded only when something comes for them. So are those of sessions
    that wait long: for a deadline, a registration, a recheck. *version* is the
    ledger's that is written; whatever version is found is kept until its session
    changes.
    """

    def __init__(self, version: int = 1) -> None:
        self._version = version
        self._working: dict[model.SessionKey, ledger.Session] = {}
        self._parked: dict[model.SessionKey, _Parked] = {}
        #: the parked ones and the ended ones
        self._resting: dict[str, bytes] = {}
        #: those that wait to be registered, and those that were never answered
        self.held = backlog.Backlog()
        self.unanswered = backlog.Backlog()
        #: how many of both are among the working ones
        self._strangers = 0
        self._heap: list[tuple[int, int, model.SessionKey]] = []
        self._order = itertools.count()
        #: records of the ledger that are no sessions: events that wait
        self.deferred: dict[str, bytes] = {}

    def __len__(self) -> int:
        return len(self._working) + len(self._resting)

    def __contains__(self, key: model.SessionKey) -> bool:
        return key in self._working or str(key) in self._resting

    @property
    def working(self) -> int:
        """Return how many sessions are in flight, or due within a minute."""
        return len(self._working)

    @property
    def busy(self) -> int:
        """Return how many of them are answered, registered or asked for."""
        return len(self._working) - self._strangers

    @property
    def open(self) -> int:
        """Return how many sessions have something still to be done."""
        return len(self._working) + len(self._parked)

    def busiest(self) -> str:
        """Return the source that most of the busy sessions are of; empty: none."""
        counts = collections.Counter(
            key.source for key in self._working if not self._is_stranger(key)
        )
        return max(counts, key=counts.__getitem__, default="")

    def is_flying(self, key: model.SessionKey) -> bool:
        """Return whether the session's fetch has started."""
        session = self._working.get(key)
        return session is not None and session.flight is not None

    def load(self, key: str, value: bytes | None) -> None:
        """Take one record of the ledger, in the ledger's order; later ones win."""
        # No source's name begins like this.
        held = self.deferred if key.startswith(_NO_SESSION) else self._resting
        if value is None:
            held.pop(key, None)
        else:
            held[key] = value

    def finish_restore(self, now: int) -> list[model.SessionKey]:
        """
        Make what was loaded ready for work; return the sessions that are due.

        Those found in flight are due at once.

        Raises errors.UnknownVersion for a record of a newer version.
        """
        found = []
        maybe = [kv for kv in self._resting.items() if codec.has_open_state(kv[1])]
        for text, value in maybe:
            stored = codec.read_session(value)
            if not stored.open:
                continue
            key = model.SessionKey.parse(text)
            session = ledger.after_restart(stored)
            if session.due_at is not None and session.due_at <= now:
                found.append(key)
            if session is not stored or not (
                _waits_long(session) or session.unanswered
            ):
                self.put(key, session)
                continue
            self._park(key, session)
            self._schedule(key, None)
        return found

    def get(self, key: model.SessionKey) -> ledger.Session | None:
        """Return the session's state, or None where nothing is known of it."""
        session = self._working.get(key)
        if session is not None:
            return session
        value = self._resting.get(str(key))
        return None if value is None else codec.read_session(value)

    def fresh_since(self, key: model.SessionKey, now: int) -> int:
        """Return from when on the answer of the session's fetch has to be."""
        session = self.get(key)
        if session is None or session.fresh_since is None:
            return now
        # A session's time may be ahead of a clock that was put back.
        return min(session.fresh_since, now)

    def encoded(self, key: model.SessionKey) -> bytes | None:
        """Return the session's state as the ledger keeps it; None: it is forgotten."""
        session = self._working.get(key)
        if session is not None:
            return codec.encode_session(session, self._version)
        text = str(key)
        return self._resting.get(text) or self.deferred.get(text)

    def put(self, key: model.SessionKey, session: ledger.Session | None) -> bool:
        """
        Keep the session's state, and when it is due.

        Returns whether it was unanswered before and is not any more.
        """
        before = self._due(key)
        worked = self._working.get(key)
        unanswered = key in self.unanswered.sizes
        if worked is not None:
            self._strangers -= unanswered or key in self.held.sizes
        if session is None:
            self._forget(key)
            return unanswered
        if not session.open:
            self._forget(key)
            self._store_encoded(key, session)
            return unanswered
        if _waits_long(session):
            self._working.pop(key, None)
            self._store_encoded(key, session)
            self._park(key, session)
        else:
            if worked is None:
                self._resting.pop(str(key), None)
                self._parked.pop(key, None)
            self._working[key] = session
            self._strangers += self._sort(key, session)
        self._schedule(key, before)
        return unanswered and key not in self.unanswered.sizes

    def _forget(self, key: model.SessionKey) -> None:
        self._working.pop(key, None)
        self._parked.pop(key, None)
        self._resting.pop(str(key), None)
        self.held.discard(key)
        self.unanswered.discard(key)

    def _store_encoded(self, key: model.SessionKey, session: ledger.Session) -> None:
        value = codec.encode_session(session, self._version)
        # A copy: what orjson 3.13 returns keeps its buffer of 4 KiB for as long as it
        # lives (measured 2026-11-21).
        self._resting[str(key)] = bytes(memoryview(value))

    def _park(self, key: model.SessionKey, session: ledger.Session) -> None:
        """Keep what has to be known of a session whose bytes are kept."""
        since = None if session.final else session.first_seen_at
        self._parked[key] = _Parked(session.due_at, since)
        self._sort(key, session)

    def _sort(self, key: model.SessionKey, session: ledger.Session) -> bool:
        """Keep note of what an open session waits for; return whether it waits."""
        held = session.unregistered_cause is not None
        unanswered = not held and session.unanswered
        if held:
            self.held.put(key, session)
        elif key in self.held.sizes:
            self.held.discard(key)
        if unanswered:
            self.unanswered.put(key, session)
        elif key in self.unanswered.sizes:
            self.unanswered.discard(key)
        return held or unanswered

    def _is_stranger(self, key: model.SessionKey) -> bool:
        return key in self.unanswered or key in self.held

    def _schedule(self, key: model.SessionKey, before: int | None) -> None:
        """Remember when the session is due, unless it is when it was *before*."""
        at = self._due(key)
        if at is not None and at != before:
            heapq.heappush(self._heap, (at, next(self._order), key))
            if len(self._heap) > 2 * self.open + _HEAP_SLACK:
                self._rebuild_heap()

    def _rebuild_heap(self) -> None:
        """
        Leave out what has ended or is due at another time.

        Sessions that end long before they are due would pile up here otherwise.
        """
        found: dict[model.SessionKey, tuple[int, int, model.SessionKey]] = {}
        for at, place, key in self._heap:
            if self._due(key) == at and (key not in found or place < found[key][1]):
                found[key] = (at, place, key)
        self._heap = list(found.values())
        heapq.heapify(self._heap)

    def reschedule(self, key: model.SessionKey) -> None:
        """Bring *key* up again when it is due."""
        self._schedule(key, None)

    def due(self, now: int) -> list[model.SessionKey]:
        """Take the sessions whose fetch may start by *now*; each is brought up once."""
        found = []
        while self._heap and self._heap[0][0] <= now:
            at, _, key = heapq.heappop(self._heap)
            if self._due(key) == at:
                found.append(key)
        return found

    def _due(self, key: model.SessionKey) -> int | None:
        session = self._working.get(key)
        if session is not None:
            return _when(session)
        parked = self._parked.get(key)
        return None if parked is None else parked.due_at

    def next_due(self) -> int | None:
        """Return when the next session is due, or earlier; None where none is."""
        return self._heap[0][0] if self._heap else None

    def open_by_source(self) -> dict[str, list[int | None]]:
        """Return by source when each open session was first seen; None for a final."""
        found = collections.defaultdict[str, list[int | None]](list)
        for key, parked in self._parked.items():
            found[key.source].append(parked.pending_since)
        for key, session in self._working.items():
            found[key.source].append(None if session.final else session.first_seen_at)
        return found

    def ended_keys(self) -> list[model.SessionKey]:
        """Return the keys of the ended sessions, as of now."""
        keys = (model.SessionKey.parse(text) for text in self._resting)
        return [key for key in keys if key not in self._parked]

    def open_keys(self) -> list[model.SessionKey]:
        """Return the keys of the sessions that are open now."""
        return [*self._working, *self._parked]


def _waits_long(session: ledger.Session) -> bool:
    """Return whether an open session has nothing to do for a while, by its own time."""
    due_at = session.due_at
    return (
        session.flight is None
        and due_at is not None
        and due_at - session.updated_at >= _PARKED_FROM_MS
    )


def _when(session: ledger.Session) -> int | None:
    """
    Return when *session* is due by the clock: 0 for at once.

    A clock that was ahead and is right again does not put a wake-up off: what is due
    by the session's own time is due.
    """
    due = session.due_at
    return 0 if due is not None and due <= session.updated_at else due
