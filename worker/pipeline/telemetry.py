"""Turn what the pipeline and the transport tell into logs and metrics."""

import structlog

from worker import clock as clocks
from worker import errors, ledger, model, telemetry
from worker.telemetry import labels, log_throttle, logs, metrics

_log = structlog.get_logger()

_FETCH_RESULTS = frozenset(labels.FetchResult)
_ALL = -1
#: what one partition suffers from, and so do the others
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
        """Write the line of one committed decision, and count it."""
        self._metrics.decided(decision)
        verdict, cause = decision.verdict, decision.cause
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
        """Write the line of one committed dead letter, and count it."""
        self._metrics.dead_letter(letter.source, letter.reason)
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
        """Count what changed nothing."""
        self._metrics.session_event(source, kind)

    def milestone(self, source: str, step: ledger.Milestone) -> None:
        """Count how far a registered session has come."""
        self._metrics.milestone(source, step)

    def alarm(self, source: str, kind: model.AlarmKind) -> None:
        """Raise an alarm: log and count it."""
        telemetry.alarm(self._metrics, kind, source)

    def purged(self, source: str, event_id: str, sessions: int) -> None:
        """Write the line that audits a purge: the command's event, what it ended."""
        _log.warning(
            "sessions.purged", source=source, event_id=event_id, count=sessions
        )

    def fetched(self, source: str, result: str, seconds: float) -> None:
        """Count how a fetch ended; a cancelled one tells nothing of the source."""
        if result in _FETCH_RESULTS:
            self._metrics.fetched(source, labels.FetchResult(result), seconds)

    def committed(self, records: int, seconds: float) -> None:
        """Count a transaction."""
        self._metrics.committed(records, seconds)

    def partition_failed(self, number: int, reason: str, message: str = "") -> None:
        """
        Tell that a partition, or with -1 the whole consumer, is started again.

        *message* says what Kafka refuses all of them: once a minute is enough.
        """
        self._metrics.partition_failed(labels.PartitionFailure.of(reason))
        if number == _ALL or reason in _OF_ALL:
            self._refused(reason, message)
        elif reason != errors.OwnershipLost.reason:
            told = {"message": message} if self._should_log(message) else {}
            _log.warning("partition.failed", partition=number, reason=reason, **told)

    def unreachable(self, message: str) -> None:
        """Say why no broker answers."""
        self._refused(errors.KafkaUnavailable.reason, message)

    def _should_log(self, message: str) -> bool:
        return bool(message) and self._throttle.admits(message)

    def _refused(self, reason: str, message: str) -> None:
        """Say once a minute what all partitions suffer from."""
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
        """Tell that a partition is at work."""
        self._metrics.restored(records, seconds)
        _log.info(
            "partition.restored", partition=number, records=records, duration_s=seconds
        )

    def gap_accepted(self, number: int, lost_from: int, lost_to: int) -> None:
        """Tell which events are lost."""
        _log.error(
            "partition.gap_accepted",
            partition=number,
            lost_from=lost_from,
            lost_to=lost_to,
        )
