"""Find the session whose result kills the process."""

import dataclasses
from collections.abc import Iterable

from worker import model
from worker.pipeline import memory


@dataclasses.dataclass(slots=True)
class Caution:
    """
    What was under way when the partition last ended uncleanly.

    A start that is not followed by catching up is counted in the position. From the
    second in a row on, the suspects' results are mapped one at a time, with the
    attempt written first: a plain kill costs nothing, a killer is found.
    """

    end_offset: int
    suspects: set[model.SessionKey] = dataclasses.field(default_factory=set)

    def find(self, recovered: Iterable[model.SessionKey]) -> None:
        """Suspect the sessions that were in flight."""
        self.suspects = set(recovered)

    def took(self, key: model.SessionKey, offset: int) -> None:
        """Suspect a session whose event was there already at the start."""
        if offset < self.end_offset:
            self.suspects.add(key)

    def cleared(self, next_offset: int, sessions: memory.Memory, now: int) -> bool:
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
