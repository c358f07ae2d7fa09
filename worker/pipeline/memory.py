"""Hold a partition's sessions in memory, and the heap of what is due."""

import heapq
import itertools

from worker import codec, ledger, model


class Memory:
    """
    A partition's sessions: open ones as values, ended ones as their record's bytes.

    Ended sessions are the many: their bytes are what the ledger's topic holds, made
    once, and decoded only when something comes for them. *version* is the ledger's
    that is written; whatever version is found is kept until its session changes.
    """

    def __init__(self, version: int = 1) -> None:
        self._version = version
        self._open: dict[model.SessionKey, ledger.Session] = {}
        self._ended: dict[str, bytes] = {}
        self._heap: list[tuple[int, int, model.SessionKey]] = []
        self._order = itertools.count()

    def __len__(self) -> int:
        return len(self._open) + len(self._ended)

    @property
    def open(self) -> int:
        """Return how many sessions have something still to be done."""
        return len(self._open)

    def load(self, key: str, value: bytes | None) -> None:
        """Take one record of the ledger, in the ledger's order; later ones win."""
        if value is None:
            self._ended.pop(key, None)
        else:
            self._ended[key] = value

    def settle(self, now: int) -> list[model.SessionKey]:
        """
        Make what was loaded ready for work; return the sessions that are due.

        Those found in flight are due at once.

        Raises errors.UnknownVersion for a record of a newer version.
        """
        found = []
        maybe = [kv for kv in self._ended.items() if codec.may_be_open(kv[1])]
        for text, value in maybe:
            session = codec.read_session(value)
            if not session.open:
                continue
            key = model.SessionKey.parse(text)
            session = ledger.recovered(session)
            if session.due_at is not None and session.due_at <= now:
                found.append(key)
            del self._ended[text]
            self.put(key, session)
        return found

    def get(self, key: model.SessionKey) -> ledger.Session | None:
        """Return the session's state, or None where nothing is known of it."""
        session = self._open.get(key)
        if session is not None:
            return session
        value = self._ended.get(str(key))
        return None if value is None else codec.read_session(value)

    def encoded(self, key: model.SessionKey) -> bytes | None:
        """Return the session's state as the ledger keeps it; None: it is forgotten."""
        session = self._open.get(key)
        if session is not None:
            return codec.encode_session(session, self._version)
        return self._ended.get(str(key))

    def put(self, key: model.SessionKey, session: ledger.Session | None) -> None:
        """Keep the session's state, and when it is due."""
        if session is None or not session.open:
            self._open.pop(key, None)
            if session is None:
                self._ended.pop(str(key), None)
            else:
                value = codec.encode_session(session, self._version)
                # A copy: what orjson 3.13 returns keeps its buffer of 4 KiB for as
                # long as it lives (measured 2026-11-21).
                self._ended[str(key)] = bytes(memoryview(value))
            return
        before = self._open.get(key)
        if before is None:
            self._ended.pop(str(key), None)
        self._open[key] = session
        at = _when(session)
        if at is not None and (before is None or _when(before) != at):
            heapq.heappush(self._heap, (at, next(self._order), key))

    def remind(self, key: model.SessionKey) -> None:
        """Bring *key* up again when it is due."""
        session = self._open.get(key)
        at = None if session is None else _when(session)
        if at is not None:
            heapq.heappush(self._heap, (at, next(self._order), key))

    def due(self, now: int) -> list[model.SessionKey]:
        """Take the sessions whose fetch may start by *now*; each is brought up once."""
        found = []
        while self._heap and self._heap[0][0] <= now:
            at, _, key = heapq.heappop(self._heap)
            session = self._open.get(key)
            if session is not None and _when(session) == at:
                found.append(key)
        return found

    def next_due(self) -> int | None:
        """Return when the next session is due, or earlier; None where none is."""
        return self._heap[0][0] if self._heap else None

    def oldest_pending(self) -> int | None:
        """Return when the oldest open session that is not final was first seen."""
        waiting = (s.first_seen_at for s in self._open.values() if not s.final)
        return min(waiting, default=None)

    def ended_keys(self) -> list[model.SessionKey]:
        """Return the keys of the ended sessions, as of now."""
        return [model.SessionKey.parse(text) for text in self._ended]

    def open_keys(self) -> list[model.SessionKey]:
        """Return the keys of the sessions that are open now."""
        return list(self._open)


def _when(session: ledger.Session) -> int | None:
    """
    Return when *session* is due by the clock: 0 for at once.

    A clock that was ahead and is right again does not put a wake-up off: what is due
    by the session's own time is due.
    """
    due = session.due_at
    return 0 if due is not None and due <= session.updated_at else due
