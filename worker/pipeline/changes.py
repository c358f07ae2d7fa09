"""Gather what changes between two commits of a partition."""

import asyncio
import dataclasses
from collections.abc import Callable

from worker import ledger, model, ports


@dataclasses.dataclass(slots=True, kw_only=True)
class Changes:
    """What the next transaction writes; *done* resolves once it is committed."""

    since: int
    done: asyncio.Future[None]
    #: a session counts once, by its latest state, which the memory holds; here is the
    #: state from before
    sessions: dict[model.SessionKey, ledger.Session | None] = dataclasses.field(
        default_factory=dict
    )
    decisions: list[model.Decision] = dataclasses.field(default_factory=list)
    forgotten: list[model.SessionKey] = dataclasses.field(default_factory=list)
    dead_letters: list[model.DeadLetter] = dataclasses.field(default_factory=list)
    #: somebody waits for this commit: it does not gather
    urgent: bool = False

    @property
    def weight(self) -> int:
        """Return how many records this writes beside the position."""
        return (
            len(self.sessions)
            + 2 * len(self.decisions)
            + len(self.forgotten)
            + len(self.dead_letters)
        )

    @property
    def told(self) -> bool:
        """Return whether anybody outside hears of this: it does not wait long."""
        return bool(self.decisions or self.dead_letters)

    def add(
        self, effect: ledger.Emit | ledger.Bury | ledger.Forget, key: model.SessionKey
    ) -> None:
        """Gather *effect*, one that is written."""
        match effect:
            case ledger.Emit(decision):
                self.decisions.append(decision)
                if key in self.forgotten:  # its tombstone would come after it
                    self.forgotten.remove(key)
            case ledger.Bury(letter):
                self.dead_letters.append(letter)
            case ledger.Forget():
                self.forgotten.append(key)

    def take_back(self, key: model.SessionKey) -> ledger.Session | None:
        """Gather nothing of the session any longer; return the state from before."""
        self.decisions = [each for each in self.decisions if each.key != key]
        self.forgotten = [each for each in self.forgotten if each != key]
        return self.sessions.pop(key)

    def batch(
        self,
        position: model.Position,
        encoded: Callable[[model.SessionKey], bytes | None],
    ) -> ports.Batch:
        """Return it all, each session *encoded*, with the *position* it led to."""
        return ports.Batch(
            position=position,
            sessions=[(key, encoded(key)) for key in self.sessions],
            decisions=self.decisions,
            forgotten=self.forgotten,
            dead_letters=self.dead_letters,
        )
