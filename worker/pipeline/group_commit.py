"""Commit what a partition gathers: one transaction in flight, the next one gathers."""

import asyncio
import dataclasses
from collections.abc import Callable

from worker import clock as clocks
from worker import ledger, model, ports
from worker.pipeline import source_runtime, telemetry


@dataclasses.dataclass(slots=True, kw_only=True)
class PendingBatch:
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
    #: a caller waits for this commit: it does not linger
    urgent: bool = False

    @property
    def record_count(self) -> int:
        """Return how many records this writes beside the position."""
        return (
            len(self.sessions)
            + 2 * len(self.decisions)
            + len(self.forgotten)
            + len(self.dead_letters)
        )

    @property
    def has_visible_output(self) -> bool:
        """Return whether anybody outside hears of this: it does not wait long."""
        return bool(self.decisions or self.dead_letters)

    def add(
        self,
        effect: ledger.EmitDecision | ledger.EmitDeadLetter | ledger.DeleteSession,
        key: model.SessionKey,
    ) -> None:
        """Gather *effect*, one that is written."""
        match effect:
            case ledger.EmitDecision(decision):
                self.decisions.append(decision)
                if key in self.forgotten:  # its tombstone would come after it
                    self.forgotten.remove(key)
            case ledger.EmitDeadLetter(letter):
                self.dead_letters.append(letter)
            case ledger.DeleteSession():
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
            deleted_sessions=self.forgotten,
            dead_letters=self.dead_letters,
        )


@dataclasses.dataclass(slots=True, kw_only=True)
class GroupCommitter:
    """Group commit for one partition."""

    committer: ports.Committer
    clock: clocks.Clock
    observer: telemetry.WorkerTelemetry
    limits: source_runtime.Limits
    #: returns the position that goes with what is gathered by now
    position: Callable[[], model.Position]
    #: returns a session's latest state as the ledger keeps it
    encoded: Callable[[model.SessionKey], bytes | None]
    #: puts a session back whose record is too large, and gathers its dead letter
    put_back: Callable[[model.SessionKey], None]
    #: called whenever a commit has ended
    wake: Callable[[], None]
    _gathered: PendingBatch | None = None
    _commit: asyncio.Task[None] | None = None
    _idle_since: int | None = None

    @property
    def weight(self) -> int:
        """Return how many records are gathered."""
        return 0 if self._gathered is None else self._gathered.record_count

    def pending(self) -> PendingBatch:
        """Return what the next commit writes, to be added to."""
        if self._gathered is None:
            done = asyncio.get_running_loop().create_future()
            self._gathered = PendingBatch(since=self.clock.now_ms(), done=done)
        return self._gathered

    def dead_letter(self, letter: model.DeadLetter) -> None:
        """Gather a dead letter that no session's turn has made."""
        self.pending().dead_letters.append(letter)

    def write(self, key: model.SessionKey) -> None:
        """Gather a record of the ledger that is no session's."""
        self.pending().sessions.setdefault(key, None)

    def moved(self) -> None:
        """Take note that the position moved, if nothing else did."""
        if self._idle_since is None:
            self._idle_since = self.clock.now_ms()

    async def flush(self) -> None:
        """Return once everything up to now is committed; raises as the commit does."""
        gathered = self.pending()
        gathered.urgent = True
        self.wake()
        await asyncio.shield(gathered.done)

    async def wait_for_commit(self) -> None:
        """Wait for the commit in flight, if there is one; raises as it does."""
        if self._commit is not None:
            await asyncio.shield(self._commit)
            self.check_commit_result()

    async def drain(self) -> None:
        """Commit all there is, after the commit in flight; raises as they do."""
        await self.wait_for_commit()
        if self.has_pending:
            self.begin()
            await self.wait_for_commit()

    def check_commit_result(self) -> None:
        """Take the end of a commit, if one has ended; raises as it did, each time."""
        if self._commit is not None and self._commit.done():
            self._commit.result()
            self._commit = None

    async def close(self) -> None:
        """Give up the commit in flight; whether it was written is not known."""
        if self._commit is not None:
            self._commit.cancel()
            await asyncio.gather(self._commit, return_exceptions=True)

    def maybe_commit(self, *, young: Callable[[int], bool]) -> int | None:
        """
        Start a commit if it is time; else return how long to gather yet, in ms.

        It waits a little for fetches that are *young*, so that a fast provider's
        decision goes out with its event; a slow one never holds the position back.
        What has no visible output waits longer: if it is lost, the same fetch would be
        made again. So the retries of an ill source leave the transactions to others.
        """
        if self.busy:
            return None
        now = self.clock.now_ms()
        if self._gathered is not None:
            left = self._to_gather(self._gathered, now, young)
        elif self._idle_since is not None:
            left = _left(self._idle_since, self.limits.idle_commit_ms, now)
        else:
            return None
        if left > 0:
            return left
        self.begin()
        return None

    def _to_gather(
        self, gathered: PendingBatch, now: int, young: Callable[[int], bool]
    ) -> int:
        """Return for how many milliseconds *gathered* may wait yet."""
        if gathered.urgent or gathered.record_count >= self.limits.max_batch:
            return 0
        if not gathered.has_visible_output:
            return _left(gathered.since, self.limits.intent_ms, now)
        left = _left(gathered.since, self.limits.gather_ms, now)
        return left if left > 0 and young(now - self.limits.gather_ms) else 0

    def begin(self) -> None:
        """Start to commit what is gathered; no other commit may be in flight."""
        gathered = self.pending()
        # The position of now: more may be taken before the task runs.
        batch = gathered.batch(self.position(), self.encoded)
        if too_large := self._too_large(batch):
            for key in too_large:
                self.put_back(key)
            batch = gathered.batch(self.position(), self.encoded)
            # What is in the ledger already, and was too large before: it stays.
            for key in self._too_large(batch):
                gathered.sessions.pop(key)
            batch = gathered.batch(self.position(), self.encoded)
        self._gathered, self._idle_since = None, None
        write = self._write(gathered, batch)
        self._commit = asyncio.create_task(write)
        self._commit.add_done_callback(lambda _: self.wake())

    def _too_large(self, batch: ports.Batch) -> list[model.SessionKey]:
        """Return the sessions of *batch* whose records no transaction can take."""
        most = self.limits.max_session_bytes
        return [key for key, value in batch.sessions if value and len(value) > most]

    async def _write(self, gathered: PendingBatch, batch: ports.Batch) -> None:
        """Write *batch* in one transaction, and tell of it."""
        begun = self.clock.now_ms()
        try:
            await self.committer.commit(batch)
        except BaseException:
            gathered.done.cancel()
            raise
        seconds = (self.clock.now_ms() - begun) / 1000
        self.observer.committed(gathered.record_count + 1, seconds)
        for decision in gathered.decisions:
            self.observer.decided(decision)
        for letter in gathered.dead_letters:
            self.observer.dead_lettered(letter)
        gathered.done.set_result(None)

    @property
    def busy(self) -> bool:
        """Return whether a commit is in flight, or was the last one there may be."""
        return self._commit is not None

    @property
    def has_pending(self) -> bool:
        """Return whether anything is gathered or moved that is not committed."""
        return self._gathered is not None or self._idle_since is not None


def _left(since: int, wait_ms: int, now: int) -> int:
    """Return what is left of *wait_ms*: nothing after the clock was put back."""
    return since + wait_ms - now if since <= now else 0
