"""Apply inputs to sessions, and carry out the effects."""

import dataclasses
from collections.abc import Callable, Mapping

from worker import clock as clocks
from worker import ledger, model
from worker.pipeline import (
    group_commit,
    hourly_counters,
    session_store,
    source_runtime,
    telemetry,
)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class SessionUpdater:
    """One partition's way through the ledger: state kept, what is written gathered."""

    sources: Mapping[str, source_runtime.SourceRuntime]
    sessions: session_store.SessionStore
    writer: group_commit.GroupCommitter
    observer: telemetry.WorkerTelemetry
    clock: clocks.Clock
    summaries: hourly_counters.HourlyCounters
    #: called for each session that is answered, registered, asked for, or has ended
    no_longer_unanswered: Callable[[model.SessionKey], None]
    #: called whenever there may be something to do
    wake: Callable[[], None]

    def apply(self, key: model.SessionKey, input_: ledger.Input) -> list[ledger.Effect]:
        """Let the ledger take *input_*; keep the state, gather what is written."""
        session = self.sessions.get(key)
        now = self.clock.now_ms()
        rules = self.sources[key.source].rules
        after, effects = ledger.advance(key, session, input_, now, rules)
        if after is not session:
            if self.sessions.put(key, after):
                self.no_longer_unanswered(key)
            if not effects or not isinstance(effects[-1], ledger.SkipPersist):
                self.writer.pending().sessions.setdefault(key, session)
        for effect in effects:
            if isinstance(effect, ledger.EmitDecision):
                self.observer.verdict_changed(session, after, effect.decision)
            self._follow(key, effect, now)
        self.wake()
        return effects

    def put_back(self, key: model.SessionKey) -> None:
        """
        Put a session back whose record is too large for the ledger, and bury why.

        Its neighbours in the transaction go on, and so does the partition.
        """
        before = self.writer.pending().take_back(key)
        self.sessions.put(key, before)
        self.observer.alarm(key.source, model.AlarmKind.RECORD_TOO_LARGE)
        self.apply(key, ledger.RecordTooLarge())

    def _follow(self, key: model.SessionKey, effect: ledger.Effect, now: int) -> None:
        match effect:
            case ledger.Fetch() | ledger.SkipPersist():
                pass
            case (
                ledger.EmitDecision() | ledger.EmitDeadLetter() | ledger.DeleteSession()
            ):
                self.writer.pending().add(effect, key)
            case ledger.Count(kind):
                self.observer.session_event(key.source, kind)
                if kind is ledger.CounterKind.DENIED:
                    self._deny(key.source)
            case ledger.MilestoneReached(step):
                self.observer.milestone(key.source, step)
            case ledger.Alarm(alarm):
                self.observer.alarm(key.source, alarm)
            case ledger.SessionDenied():
                reason = model.DeadLetterReason.DENIED_SESSIONS
                self.summaries.count(reason, key.source, now)
            case ledger.UnregisteredExpired():
                reason = model.DeadLetterReason.UNKNOWN_SESSIONS
                self.summaries.count(reason, key.source, now)

    def _deny(self, source: str) -> None:
        bound = self.sources[source].gate
        spent = bound.budget_spent
        bound.record_not_found()
        if bound.budget_spent and not spent:
            self.observer.alarm(source, model.AlarmKind.NOT_FOUND_RATE)
