"""Run one partition: events, due work and fetches through the ledger to commits."""

import asyncio
import collections
import functools
from collections.abc import Iterable, Mapping

from worker import clock as clocks
from worker import ledger, model, ports
from worker.pipeline import (
    advancing,
    binding,
    caution,
    fetching,
    intake,
    memory,
    observer,
    summaries,
    waiting,
    writer,
)


class Partition:
    """
    One partition's loop, from its position on; knows no Kafka.

    ``run`` ends by raising the errors.TransportError of a commit: then this object
    is worth nothing and is thrown away with its producer.
    """

    def __init__(
        self,
        *,
        committer: ports.Committer,
        sources: Mapping[str, binding.Binding],
        clock: clocks.Clock,
        watch: observer.Observer,
        limits: binding.Limits,
        interrogation: caution.Interrogation,
        number: int,
        sessions: memory.Memory,
        position: model.Position,
        end_offset: int,
        recheck_open: bool = False,
    ) -> None:
        self.sources = sources
        self.clock = clock
        self.watch = watch
        self.memory = sessions
        self._limits = limits
        self._taken = position.next_offset
        self._caution = caution.Caution(
            end_offset, position.starts, number, interrogation
        )
        self._inbox: collections.deque[ports.Taken] = collections.deque()
        self._next_offset = position.next_offset
        self._wake = asyncio.Event()
        self._writer = writer.Writer(
            committer=committer,
            clock=clock,
            watch=watch,
            limits=limits,
            position=self._position,
            encoded=sessions.encoded,
            wake=self._wake.set,
        )
        self._queued: set[model.SessionKey] = set()
        self._fetching = fetching.Fetching(self, interrogation)
        self._summaries = summaries.Summaries(position)
        self.apply = advancing.Advancing(
            sources=sources,
            sessions=sessions,
            writer=self._writer,
            watch=watch,
            clock=clock,
            summaries=self._summaries,
            max_held=limits.max_held,
            wake=self._wake.set,
        ).apply
        self._intake = intake.Intake(
            sources=sources,
            watch=watch,
            apply=self.apply,
            bury=self._writer.bury,
            caution=self._caution,
        )
        self._recheck_open = recheck_open
        self._paused = self._closed = self._parting = False
        self._sweep: list[model.SessionKey] = []
        self._crash: BaseException | None = None
        self._swept_at = clock.now_ms()

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
            and self.memory.working < self._limits.max_open
        )

    @property
    def cautious(self) -> bool:
        """Return whether answers are mapped one at a time, attempt written first."""
        return self._caution.cautious

    def offer(self, records: Iterable[ports.Taken]) -> None:
        """Take *records* in, in order; those before the position are passed over."""
        if self._paused:
            return
        for record in records:
            if record.offset >= self._next_offset:
                self._next_offset = record.offset + 1
                self._inbox.append(record)
        self._wake.set()

    def pause(self) -> None:
        """Stop taking and starting at once; a commit in flight and a last one go on."""
        self._paused = True
        self._inbox.clear()
        self._next_offset = self._taken
        if self._caution.part():
            self._writer.gather()
            self._parting = True
            self._wake.set()

    def resume(self) -> None:
        """Go on after ``pause``, from the own position."""
        self._paused = self._parting = False
        if self._caution.rejoin():
            self._writer.gather()
        self._wake.set()

    async def settle(self) -> None:
        """Wait for the commit in flight, if there is one; raises as it does."""
        await self._writer.settle()

    async def close(self) -> None:
        """Forget everything; what was in flight stands in the ledger as intent."""
        self._closed = self._paused = True
        await self._fetching.close()
        await self._writer.close()

    async def drain(self) -> None:
        """End cleanly: let young fetches land, commit all there is; raises as run."""
        self.pause()
        await self._fetching.land(self._limits.drain_ms / 1000)
        await self._writer.flush()

    # -- the loop

    async def run(self) -> None:
        """Work until cancelled; raises errors.TransportError, never returns."""
        due = self.memory.settle(self.clock.now_ms())
        self._caution.begin(key for key in due if key.source in self.sources)
        if self._recheck_open:
            for key in self.memory.open_keys():
                if key.source in self.sources:
                    self.apply(key, ledger.EventsLost())
        self._writer.gather()
        await self._writer.flush()
        while True:
            self._wake.clear()
            self._writer.reap()
            if self._crash is not None:
                raise self._crash
            if not self._paused:
                self._take()
                self._start_due()
                self._catch_up()
            self._sweep_some()
            await self._wait(self._commit())

    def _commit(self) -> int | None:
        """Commit if it is time; else return in how many milliseconds it will be."""
        if self._parting and not self._writer.busy:
            self._parting = False
            self._writer.begin()
        if self._paused:
            return None
        wait_ms = self._writer.commit_when_ripe(young=self._fetching.any_younger)
        if self._inbox and self._writer.weight < self._limits.max_batch:
            self._wake.set()
        return wait_ms

    async def _wait(self, wait_ms: int | None) -> None:
        """Sleep until something comes, is due, or has gathered long enough."""
        if self._wake.is_set():
            await asyncio.sleep(0)
            return
        now = self.clock.now_ms()
        due = None if self._paused else self.memory.next_due()
        waits = [self._limits.sweep_ms if not self._sweep else 100]
        waits += [] if wait_ms is None else [wait_ms]
        waits += [] if due is None else [max(due - now, 1)]
        await waiting.for_either(self._wake, self.clock, min(waits) / 1000)

    def _take(self) -> None:
        now = self.clock.now_ms()
        while self._inbox and self._writer.weight < self._limits.max_batch:
            record = self._inbox.popleft()
            self._intake.take(record, now)
            self._taken = record.offset + 1
            self._writer.moved()

    def _start_due(self) -> None:
        for key in self.memory.due(self.clock.now_ms()):
            bound = self.sources.get(key.source)
            if bound is None or key in self._queued:
                continue
            session = self.memory.get(key)
            if session is None:
                continue
            if session.held is not None or not bound.rules.fetches:
                self.apply(key, ledger.WaitOver(self._behind))
                continue
            self._queued.add(key)
            known = session.standing is not None
            bound.gate.submit(functools.partial(self._start, key), known=known)

    @property
    def _behind(self) -> bool:
        """Return whether there are events that were there at the start, or are here."""
        return bool(self._inbox) or self._taken < self._caution.end_offset

    def _start(self, key: model.SessionKey) -> bool:
        """Start the session's fetch, called by its gate; False where none is due."""
        self._queued.discard(key)
        session = self.memory.get(key)
        if self._closed or session is None or session.due_at is None:
            return False
        if self._paused:
            self.memory.remind(key)
            return False
        for effect in self.apply(key, ledger.FetchStarting()):
            if isinstance(effect, ledger.Fetch):
                self._fetching.start(
                    key,
                    effect.seq,
                    session.provider_session_id,
                    self.sources[key.source],
                    fresh_since=self.memory.fresh_since(key, self.clock.now_ms()),
                    suspect=key in self._caution.suspects,
                )
                return True
        self.memory.remind(key)
        return False

    def crashed(self, error: BaseException) -> None:
        """Let ``run`` raise *error*: a fetch of this partition ended as none may."""
        self._crash = error
        self._wake.set()

    def landed(self, key: model.SessionKey) -> None:
        """Take note that the session's fetch ended without killing anything."""
        self._caution.suspects.discard(key)
        self._wake.set()

    def _catch_up(self) -> None:
        """Once all that was under way at the start has landed, it was no killer."""
        now = self.clock.now_ms()
        if self._caution.caught_up(self._taken, self.memory, now):
            self._writer.gather()

    def _sweep_some(self) -> None:
        """Forget stubs whose time is over: all once an hour, a few at a time."""
        now = self.clock.now_ms()
        for letter in self._summaries.ripe(now):
            self._writer.bury(letter)
        if not self._sweep and now - self._swept_at >= self._limits.sweep_ms:
            self._sweep, self._swept_at = self.memory.ended_keys(), now
        room = max(self._limits.max_batch - self._writer.weight, 0)
        for _ in range(min(len(self._sweep), 200, room)):
            key = self._sweep.pop()
            if key.source in self.sources:
                self.apply(key, ledger.RetentionOver())

    async def written(self) -> None:
        """Return once everything up to now is committed; raises as ``run`` does."""
        await self._writer.written()

    def _position(self) -> model.Position:
        return model.Position(
            next_offset=self._taken,
            starts=self._caution.starts,
            denied=self._summaries.counts(model.DeadLetterReason.DENIED_SESSIONS),
            unknown=self._summaries.counts(model.DeadLetterReason.UNKNOWN_SESSIONS),
        )
