"""End what has no room or no time left, a few sessions at a time."""

from collections.abc import Callable, Iterator, Mapping

from worker import clock as clocks
from worker import ledger, model
from worker.pipeline import (
    backlog,
    backlog_limits,
    group_commit,
    hourly_counters,
    session_store,
    source_runtime,
    telemetry,
)
from worker.telemetry import log_throttle

#: at most one alarm of a kind and source in this time
_ALARM_AGAIN_S = 600
_SWEPT_AT_ONCE = 200
#: a partition that is full for so long is an alarm
_FULL_MS = 60_000


class Eviction:
    """What a partition ends by itself or by command; nothing of it is a decision."""

    def __init__(
        self,
        *,
        sources: Mapping[str, source_runtime.SourceRuntime],
        sessions: session_store.SessionStore,
        counted: hourly_counters.HourlyCounters,
        gathering: group_commit.GroupCommitter,
        observer: telemetry.WorkerTelemetry,
        clock: clocks.Clock,
        limits: source_runtime.Limits,
        crowds: backlog_limits.BacklogLimits,
        apply: Callable[[model.SessionKey, ledger.Input], object],
    ) -> None:
        self._sources = sources
        self._memory = sessions
        self._summaries = counted
        self._writer = gathering
        self._observer = observer
        self._clock = clock
        self._limits = limits
        self._crowding = crowds
        self._apply = apply
        self._sweep: list[model.SessionKey] = []
        self._swept_at = clock.now_ms()
        self._throttle = log_throttle.LogThrottle(
            clock, lines=1, period_s=_ALARM_AGAIN_S, report=False
        )
        #: what the purge that is under way has still to look at, and has ended
        self._purging: list[model.SessionKey] | None = None
        self._purged = 0
        self._full_since: int | None = None

    @property
    def sweeping(self) -> bool:
        """Return whether ended sessions are still to be looked at."""
        return bool(self._sweep)

    def sweep(self) -> bool:
        """
        Forget stubs whose time is over: all once an hour, a few at a time.

        Returns whether the hour's sweep begins now.
        """
        now = self._clock.now_ms()
        for letter in self._summaries.completed(now):
            self._writer.dead_letter(letter)
        begins = not self._sweep and now - self._swept_at >= self._limits.sweep_ms
        if begins:
            self._sweep, self._swept_at = self._memory.ended_keys(), now
        for _ in range(min(len(self._sweep), _SWEPT_AT_ONCE, self._room)):
            key = self._sweep.pop()
            if key.source in self._sources:
                self._apply(key, ledger.RetentionExpired())
        return begins

    def trim(self) -> bool:
        """
        End what a source has too much of, the longest-waiting first.

        As much as fits into a transaction; returns whether anything has ended.
        """
        held = self._trim(self._memory.held, ledger.HoldEvicted(), self._held_over)
        rest = self._trim(
            self._memory.unanswered, ledger.Dropped(), self._crowding.is_over
        )
        return held or rest

    def _trim(
        self,
        waiting: backlog.Backlog,
        input_: ledger.Input,
        over: Callable[[str], bool],
    ) -> bool:
        found = False
        for source in waiting.sources():
            if source not in self._sources:
                continue
            while self._room and over(source):
                key = next(self._resting(waiting, source), None)
                if key is None:
                    break
                self._apply(key, input_)
                self._alarm(source, model.AlarmKind.SESSIONS_DROPPED)
                found = True
        return found

    def _resting(
        self, waiting: backlog.Backlog, source: str
    ) -> Iterator[model.SessionKey]:
        """Yield what waits and is not being fetched: that may be answered yet."""
        flying = self._memory.is_flying
        return (key for key in waiting.oldest(source) if not flying(key))

    def _held_over(self, source: str) -> bool:
        held, limits = self._memory.held, self._limits
        return (
            held.sessions(source) > limits.max_held
            or held.size(source) > limits.max_unanswered_bytes
        )

    def purge(self, event: model.Event) -> bool:
        """
        End the unanswered sessions of the event's source; return whether all have.

        As many as fit into a transaction: until it returns True it is to be called
        again, and the position stays at *event*, so that whoever comes after a crash
        purges on.
        """
        if self._purging is None:
            waiting = (self._memory.unanswered, self._memory.held)
            self._purging = [
                key for each in waiting for key in each.oldest(event.source)
            ]
            self._purged = 0
        while self._purging and self._room:
            before = len(self._memory)
            self._apply(self._purging.pop(), ledger.Dropped(purged=True))
            self._purged += before - len(self._memory)
        if self._purging:
            return False
        self._purging = None
        self._observer.purged(event.source, event.event_id, self._purged)
        return True

    def check_room(self) -> None:
        """Raise an alarm where the partition has been full for a while."""
        now, source = self._clock.now_ms(), self._crowding.blocked_by
        if source is None and self._memory.busy < self._limits.max_open:
            self._full_since = None
            return
        if self._full_since is None or self._full_since > now:
            self._full_since = now
        if now - self._full_since >= _FULL_MS:
            source = source or self._memory.busiest()
            self._alarm(source, model.AlarmKind.PARTITION_FULL)

    @property
    def full(self) -> bool:
        """Return whether the partition was full when it last looked."""
        return self._full_since is not None

    def _alarm(self, source: str, kind: model.AlarmKind) -> None:
        if self._throttle.admits(kind, source=source):
            self._observer.alarm(source, kind)

    @property
    def _room(self) -> int:
        return max(self._limits.max_batch - self._writer.weight, 0)
