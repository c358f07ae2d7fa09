"""Find the session whose result kills the process."""

import asyncio
import dataclasses
from collections.abc import Iterable

from worker import model
from worker.pipeline import session_store

_SURVIVED_MAX = 10_000


class PoisonPillRegistry:
    """
    Lets one suspect at a time be mapped in this process, all partitions included.

    Whose result this process has survived is no suspect to it any more: a partition
    that is started again and again for another reason (a commit that fails) must not
    have its sessions quarantined by and by.
    """

    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self._survived: set[model.SessionKey] = set()
        self._counts: dict[int, int] = {}

    def counted(self, partition: int) -> int:
        """Return the count of starts that this process has left in *partition*."""
        return self._counts.get(partition, 0)

    def count(self, partition: int, starts: int) -> None:
        """Take note of the count that this process leaves in *partition*."""
        self._counts[partition] = starts

    def survived(self, key: model.SessionKey) -> None:
        """Take note that mapping the session's result did not end this process."""
        if len(self._survived) >= _SURVIVED_MAX:
            self._survived.clear()
        self._survived.add(key)

    def is_cleared(self, key: model.SessionKey) -> bool:
        """Return whether this process has survived a result of the session."""
        return key in self._survived


@dataclasses.dataclass(slots=True)
class PoisonPillGuard:
    """
    What was under way when the partition last ended uncleanly.

    A start that is followed neither by catching up nor by letting go in order is
    counted in the position. From the second in a row on, the suspects' results are
    mapped one at a time, with the attempt written first: a plain kill costs nothing,
    a killer is found. Starts of one process count once: it is alive, so nothing has
    killed it, and what ended the partition was something else.
    """

    end_offset: int
    starts: int
    partition: int
    interrogation: PoisonPillRegistry
    suspects: set[model.SessionKey] = dataclasses.field(default_factory=set)
    #: this start is among *starts*
    _counted: bool = False
    _parted: bool = False

    @property
    def cautious(self) -> bool:
        """Return whether a suspect's result may be one that kills the process."""
        return self.starts > 1

    def begin(self, suspects: Iterable[model.SessionKey]) -> None:
        """Count this start, and suspect the sessions that a fetch was due for."""
        self.suspects = set(suspects)
        if not self.starts or self.starts != self.interrogation.counted(self.partition):
            self.starts += 1
        self._leave(self.starts, counted=True)

    def begin_drain(self) -> bool:
        """Take this start back, since it ends in order; return whether it counted."""
        if not self._counted:
            return False
        self._leave(self.starts - 1, counted=False)
        self._parted = True
        return True

    def rejoin(self) -> bool:
        """Count this start again, if it was taken back; return whether it was."""
        if not self._parted:
            return False
        self._leave(self.starts + 1, counted=True)
        self._parted = False
        return True

    def record_started(self, key: model.SessionKey, offset: int) -> None:
        """Suspect a session whose event was there already at the start."""
        if offset < self.end_offset:
            self.suspects.add(key)

    def caught_up(
        self, next_offset: int, sessions: session_store.SessionStore, now: int
    ) -> bool:
        """Forget all starts once what was under way has landed; return if so now."""
        if not self.starts or not self._cleared(next_offset, sessions, now):
            return False
        self._leave(0, counted=False)
        return True

    def _leave(self, starts: int, *, counted: bool) -> None:
        """Leave *starts* in the position; *counted* says whether ours is among them."""
        self.starts, self._counted = starts, counted
        self.interrogation.count(self.partition, starts if counted else 0)

    def _cleared(
        self, next_offset: int, sessions: session_store.SessionStore, now: int
    ) -> bool:
        """Return whether all that was under way at the start has landed."""
        if next_offset < self.end_offset:
            return False
        while self.suspects:
            key = next(iter(self.suspects))
            session = sessions.get(key)
            if session is not None and (
                session.flight is not None
                or (session.due_at is not None and session.due_at <= now)
            ):
                return False
            self.suspects.discard(key)
        return True
