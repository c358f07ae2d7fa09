"""Log and count what happens to sessions, fetches, transactions and partitions."""

import structlog

from worker import clock as clocks
from worker import errors, ledger, model, telemetry
from worker.telemetry import labels, log_throttle, logs, metrics

_log = structlog.get_logger()

_FETCH_RESULTS = frozenset(labels.FetchResult)
_ALL = -1
#: errors that affect all partitions at once
_OF_ALL = (errors.KafkaUnauthorised.reason, errors.TopicMismatch.reason)


class WorkerTelemetry:
    """
    Logs and counts what happens to sessions and partitions: one line a decision.

    Never raises and never blocks.
    """

    def __init__(self, counters: metrics.Metrics, clock: clocks.Clock) -> None:
        self._metrics = counters
        self._clock = clock
        self._throttle = log_throttle.LogThrottle(clock, lines=1, report=False)

    def decided(self, decision: model.Decision) -> None:
        """Log and count one committed decision."""
        verdict, cause = decision.verdict, decision.cause
        final = labels.Final.of(final=verdict.final)
        self._metrics.decisions.inc(decision.source, verdict.outcome, final)
        if cause.type is model.CauseType.CALLBACK and cause.received_at is not None:
            latency_ms = max(decision.decided_at - cause.received_at, 0)
            self._metrics.decision_latency.observe(latency_ms / 1000, decision.source)
        line: dict[str, object] = {
            "source": decision.source,
            "provider": decision.provider,
            "session": logs.session_hash(decision.source, decision.session_id),
            "decision_id": decision.decision_id,
            "revision": decision.revision,
            "outcome": verdict.outcome,
            "final": verdict.final,
            "reason": verdict.reason,
            "next_step": verdict.next_step,
            "cause": cause.type,
        }
        if verdict.flags:
            line["flags"] = ",".join(verdict.flags)
        if cause.event_id is not None:
            line["event_id"] = cause.event_id
        if cause.received_at is not None:
            line["latency_s"] = (self._clock.now_ms() - cause.received_at) / 1000
        _log.info("decision.emitted", **line)

    def dead_lettered(self, letter: model.DeadLetter) -> None:
        """Log and count one committed dead letter."""
        self._metrics.dead_letters.inc(letter.source, letter.reason)
        line: dict[str, object] = {
            "source": letter.source,
            "dead_letter_id": letter.dead_letter_id,
            "reason": letter.reason,
            "attempts": letter.attempts,
            "count": letter.count,
        }
        if letter.session_id is not None:
            line["session"] = logs.session_hash(letter.source, letter.session_id)
        if letter.event_id is not None:
            line["event_id"] = letter.event_id
        if letter.place is not None:
            line |= {"place": letter.place, "last_error": letter.last_error}
        _log.warning("session.dead_lettered", **line)

    def session_event(self, source: str, kind: ledger.CounterKind) -> None:
        """Count an input that changed no decision."""
        self._metrics.session_events.inc(source, kind)

    def milestone(self, source: str, step: ledger.Milestone) -> None:
        """Count a milestone of a registered session."""
        self._metrics.session_milestones.inc(source, step)

    def verdict_changed(
        self,
        before: ledger.Session | None,
        after: ledger.Session | None,
        decision: model.Decision,
    ) -> None:
        """Count a replaced final verdict, and how long the first final one took."""
        if before is not None and before.final:
            self._metrics.finals_superseded.inc(decision.source)
            return
        registered_at = None if after is None else after.registered_at
        if decision.verdict.final and registered_at is not None:
            seconds = max(decision.decided_at - registered_at, 0) / 1000
            self._metrics.session_duration.observe(seconds, decision.source)

    def alarm(self, source: str, kind: model.AlarmKind) -> None:
        """Raise an alarm: log and count it."""
        telemetry.alarm(self._metrics, kind, source)

    def purged(self, source: str, event_id: str, sessions: int) -> None:
        """Log a purge for the audit: its event, and how many sessions it ended."""
        _log.warning(
            "sessions.purged", source=source, event_id=event_id, count=sessions
        )

    def fetched(self, source: str, result: str, seconds: float) -> None:
        """Count how a fetch ended, unless it was cancelled."""
        if result in _FETCH_RESULTS:
            self._metrics.fetches.inc(source, labels.FetchResult(result))
            self._metrics.fetch_duration.observe(seconds, source)

    def committed(self, records: int, seconds: float) -> None:
        """Count a transaction."""
        self._metrics.records_committed.add(records)
        self._metrics.commit_duration.observe(seconds)

    def partition_failed(self, number: int, reason: str, message: str = "") -> None:
        """
        Log and count that partition *number*, or with -1 the whole consumer, restarts.

        *message* says what Kafka refuses; it is logged once a minute.
        """
        self._metrics.partition_failures.inc(labels.PartitionFailure.of(reason))
        if number == _ALL or reason in _OF_ALL:
            self._refused(reason, message)
        elif reason != errors.OwnershipLost.reason:
            more = {"message": message} if self._should_log(message) else {}
            _log.warning("partition.failed", partition=number, reason=reason, **more)

    def unreachable(self, message: str) -> None:
        """Log why no broker responds."""
        self._refused(errors.KafkaUnavailable.reason, message)

    def _should_log(self, message: str) -> bool:
        return bool(message) and self._throttle.admits(message)

    def _refused(self, reason: str, message: str) -> None:
        """Log once a minute an error that affects all partitions."""
        if not message:
            _log.warning("partition.failed", partition=_ALL, reason=reason)
        elif not self._throttle.admits(message):
            pass
        elif reason == errors.TopicMismatch.reason:
            text = " ".join(message.splitlines())
            _log.warning("topics.mismatch", reason=reason, message=text)
        elif reason == errors.KafkaUnauthorised.reason:
            _log.warning("kafka.unauthorised", reason=reason, message=message)
        else:
            _log.warning("kafka.unreachable", reason=reason, message=message)

    def restored(self, number: int, records: int, seconds: float) -> None:
        """Log and count that a partition runs."""
        self._metrics.records_restored.add(records)
        self._metrics.restore_duration.observe(seconds)
        _log.info(
            "partition.restored", partition=number, records=records, duration_s=seconds
        )

    def gap_accepted(self, number: int, lost_from: int, lost_to: int) -> None:
        """Log which events are lost."""
        _log.error(
            "partition.gap_accepted",
            partition=number,
            lost_from=lost_from,
            lost_to=lost_to,
        )
