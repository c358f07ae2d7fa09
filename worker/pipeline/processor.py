"""Run one partition: events, due work and fetches through the ledger to commits."""

import asyncio
import collections
from collections.abc import Callable, Iterable, Mapping

from worker import clock, ledger, model, ports
from worker import clock as clocks
from worker.pipeline import (
    backlog_limits,
    deferred_events,
    eviction,
    fetch_scheduler,
    fetcher,
    group_commit,
    hourly_counters,
    intake,
    poison_pill,
    session_store,
    session_updater,
    source_runtime,
    telemetry,
)
from worker.telemetry import log_throttle


class PartitionProcessor:
    """
    One partition's loop, from its position on; knows no Kafka.

    ``run`` ends by raising the errors.TransportError of a commit: then this object
    is worth nothing and is thrown away with its producer.
    """

    def __init__(
        self,
        *,
        committer: ports.Committer,
        sources: Mapping[str, source_runtime.SourceRuntime],
        clock: clocks.Clock,
        observer: telemetry.WorkerTelemetry,
        limits: source_runtime.Limits,
        interrogation: poison_pill.PoisonPillRegistry,
        number: int,
        sessions: session_store.SessionStore,
        position: model.Position,
        end_offset: int,
        decode: Callable[[model.UnreadRecord, int], ports.ConsumedEvent],
        recheck_open: bool = False,
    ) -> None:
        self.sources = sources
        self.clock = clock
        self.observer = observer
        self.memory = sessions
        self._limits = limits
        self._taken = position.next_offset
        self._caution = poison_pill.PoisonPillGuard(
            end_offset, position.starts, number, interrogation
        )
        self._inbox: collections.deque[ports.ConsumedEvent] = collections.deque()
        self._next_offset = position.next_offset
        self._wake = asyncio.Event()
        self._writer = group_commit.GroupCommitter(
            committer=committer,
            clock=clock,
            observer=observer,
            limits=limits,
            position=self._position,
            encoded=sessions.encoded,
            put_back=lambda key: self._advancing.put_back(key),  # noqa: PLW0108 -- made below
            wake=self._wake.set,
        )
        self._fetching = fetcher.Fetcher(self, interrogation)
        self._starting = fetch_scheduler.FetchScheduler(
            self, self._fetching, self._caution
        )
        self._summaries = hourly_counters.HourlyCounters(position)
        self._advancing: session_updater.SessionUpdater = (
            session_updater.SessionUpdater(
                sources=sources,
                sessions=sessions,
                writer=self._writer,
                observer=observer,
                clock=clock,
                summaries=self._summaries,
                no_longer_unanswered=self._no_longer_unanswered,
                wake=self._wake.set,
            )
        )
        self.apply = self._advancing.apply
        self._crowding = backlog_limits.BacklogLimits(
            sources=sources, sessions=sessions, clock=clock, limits=limits
        )
        self._clearing = eviction.Eviction(
            sources=sources,
            sessions=sessions,
            counted=self._summaries,
            gathering=self._writer,
            observer=observer,
            clock=clock,
            limits=limits,
            crowds=self._crowding,
            apply=self.apply,
        )
        self._intake = intake.Intake(
            sources=sources,
            observer=observer,
            apply=self.apply,
            bury=self._writer.dead_letter,
            write=self._writer.write,
            purge=self._clearing.purge,
            caution=self._caution,
            deferred=deferred_events.DeferredEvents(sessions.deferred, limits),
            decode=decode,
            throttle=log_throttle.LogThrottle(clock, lines=1, report=False),
        )
        self._recheck_open = recheck_open
        self.paused = self.closed = self._parting = False
        self._crash: BaseException | None = None

    # -- what the transport sees

    @property
    def next_offset(self) -> int:
        """Return the next event this partition takes."""
        return self._taken

    @property
    def has_room(self) -> bool:
        """Return whether more events may be offered."""
        return (
            len(self._inbox) < self._limits.inbox
            and self.memory.busy < self._limits.max_open
            and self._crowding.blocked_by is None
        )

    @property
    def unread(self) -> int:
        """Return how many events wait for a release that reads their version."""
        return self._intake.deferred.unread

    @property
    def cautious(self) -> bool:
        """Return whether answers are mapped one at a time, attempt written first."""
        return self._caution.cautious

    def offer(self, records: Iterable[ports.ConsumedEvent]) -> None:
        """Take *records* in, in order; those before the position are passed over."""
        if self.paused:
            return
        for record in records:
            if record.offset >= self._next_offset:
                self._next_offset = record.offset + 1
                self._inbox.append(record)
        self._wake.set()

    def pause(self) -> None:
        """Stop taking and starting at once; a commit in flight and a last one go on."""
        self.paused = True
        self._inbox.clear()
        self._next_offset = self._taken
        if self._caution.begin_drain():
            self._writer.pending()
            self._parting = True
            self._wake.set()

    def resume(self) -> None:
        """Go on after ``pause``, from the own position."""
        self.paused = self._parting = False
        if self._caution.rejoin():
            self._writer.pending()
        self._wake.set()

    async def settle(self) -> None:
        """Wait for the commit in flight, if there is one; raises as it does."""
        await self._writer.wait_for_commit()

    async def close(self) -> None:
        """Forget everything; what was in flight stands in the ledger as intent."""
        self.closed = self.paused = True
        await self._fetching.close()
        await self._writer.close()

    async def drain(self) -> None:
        """End cleanly: let young fetches land, commit all there is; raises as run."""
        self.pause()
        await self._fetching.wait(self._limits.drain_ms / 1000)
        await self._writer.drain()

    # -- the loop

    async def run(self) -> None:
        """Work until cancelled; raises errors.TransportError, never returns."""
        now = self.clock.now_ms()
        due = self.memory.finish_restore(now)
        self._caution.begin(key for key in due if key.source in self.sources)
        self._intake.handle_deferred(now)
        for key in self.memory.open_keys() if self._recheck_open else ():
            if key.source in self.sources:
                self.apply(key, ledger.EventsLost())
        self._writer.pending()
        await self._writer.drain()
        while not self.paused and self._clearing.trim():
            await self._writer.drain()
        while True:
            self._wake.clear()
            self._writer.check_commit_result()
            if self._crash is not None:
                raise self._crash
            if not self.paused:
                self._clearing.trim()
                self._take()
                self._starting.start_due()
                self._catch_up()
                self._clearing.check_room()
            if self._clearing.sweep():
                self._intake.expire_deferred(self.clock.now_ms())
            await self._wait(self._commit())

    def _commit(self) -> int | None:
        """Commit if it is time; else return in how many milliseconds it will be."""
        if self._parting and not self._writer.busy:
            self._parting = False
            self._writer.begin()
        if self.paused:
            return None
        wait_ms = self._writer.maybe_commit(young=self._fetching.any_younger)
        if (
            self._inbox
            and self._writer.weight < self._limits.max_batch
            and self._crowding.blocked_by is None
        ):
            self._wake.set()
        return wait_ms

    async def _wait(self, wait_ms: int | None) -> None:
        """Sleep until something comes, is due, or has gathered long enough."""
        if self._wake.is_set():
            await asyncio.sleep(0)
            return
        now = self.clock.now_ms()
        due = None if self.paused else self.memory.next_due()
        waits = [100 if self._clearing.sweeping else self._limits.sweep_ms]
        waits += [self._limits.look_ms] if self._clearing.full else []
        waits += [] if wait_ms is None else [wait_ms]
        waits += [] if due is None else [max(due - now, 1)]
        await clock.wait_event_or_timeout(self._wake, self.clock, min(waits) / 1000)

    def _take(self) -> None:
        now = self.clock.now_ms()
        while self._inbox and self._writer.weight < self._limits.max_batch:
            if self._crowding.blocked_by is not None:
                break
            record = self._inbox[0]
            if not self._intake.handle(record, now):
                break
            self._inbox.popleft()
            self._taken = record.offset + 1
            self._writer.moved()

    @property
    def behind(self) -> bool:
        """Return whether there are events that were there at the start, or are here."""
        return bool(self._inbox) or self._taken < self._caution.end_offset

    def _no_longer_unanswered(self, key: model.SessionKey) -> None:
        """Take note that a session is answered, spoken for, or has ended."""
        self._starting.no_longer_unanswered(key)
        if key in self.memory:
            self._crowding.record_answer(key.source)

    def on_crash(self, error: BaseException) -> None:
        """Let ``run`` raise *error*: a fetch of this partition ended as none may."""
        self._crash = error
        self._wake.set()

    def on_fetch_done(self, key: model.SessionKey) -> None:
        """Take note that the session's fetch ended without killing anything."""
        self._caution.suspects.discard(key)
        self._wake.set()

    def _catch_up(self) -> None:
        """Once all that was under way at the start has landed, it was no killer."""
        now = self.clock.now_ms()
        if self._caution.caught_up(self._taken, self.memory, now):
            self._writer.pending()

    async def flush(self) -> None:
        """Return once everything up to now is committed; raises as ``run`` does."""
        await self._writer.flush()

    def _position(self) -> model.Position:
        return model.Position(
            next_offset=self._taken,
            starts=self._caution.starts,
            denied=self._summaries.counts(model.DeadLetterReason.DENIED_SESSIONS),
            unknown=self._summaries.counts(model.DeadLetterReason.UNKNOWN_SESSIONS),
        )
