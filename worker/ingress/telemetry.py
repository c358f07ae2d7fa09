"""Turn what the ingress tells into logs and metrics."""

import asyncio
import dataclasses
from typing import NamedTuple

import structlog

from worker import errors, http_server, model, telemetry
from worker.ingress import responses
from worker.telemetry import labels, log_throttle, metrics


class Match(NamedTuple):
    """Which of an authenticator's secrets fitted: 0 is the one in use, 1 the next."""

    authenticator: labels.Authenticator
    position: int


@dataclasses.dataclass(slots=True, kw_only=True)
class Report:
    """
    One request: what becomes known of it while it is handled, told at the end.

    Holds no header, path, query or body.
    """

    result: responses.Result = responses.Result.FAILED
    status: int = 0
    #: ``unknown`` for whatever names no source: outsiders choose no labels
    source: str = labels.UNKNOWN_SOURCE
    provider: str | None = None
    #: the template of the route, never a path
    route: str | None = None
    cause: errors.AuthCause | None = None
    matches: tuple[Match, ...] = ()
    event_id: str | None = None
    #: a hash: Identomat's session id may be a bearer token
    session: str | None = None
    #: of the body as read
    size_bytes: int | None = None
    duration_s: float = 0.0
    #: from handing the event to Kafka to its acknowledgement or our giving up
    publish_s: float | None = None
    #: why a dead letter was written, if one was
    dead_letter: model.DeadLetterReason | None = None
    #: class and place of an exception that nobody foresaw, without its message
    fault: str | None = None


_QUIET = frozenset({responses.Result.ACCEPTED, responses.Result.FORWARDED})


class IngressTelemetry:
    """Logs and counts: one line a callback; never raises, never blocks."""

    def __init__(
        self, counters: metrics.Metrics, lines: log_throttle.LogThrottle
    ) -> None:
        self._metrics = counters
        self._lines = lines
        # Bound once: a lazy logger is put together anew for each line.
        self._log = structlog.get_logger().bind()
        self._pending_reports: list[Report] = []

    def request_finished(self, report: Report) -> None:
        """Have one request told of soon, together with those that end beside it."""
        # After their answers, and one after the other: half as dear as in between.
        if not self._pending_reports:
            asyncio.get_running_loop().call_soon(self._flush)
        self._pending_reports.append(report)

    def _flush(self) -> None:
        reports, self._pending_reports = self._pending_reports, []
        for report in reports:
            self._report(report)

    def _report(self, report: Report) -> None:
        """Write the line of one request, and count it."""
        self._metrics.callback(report.source, report.result)
        if report.cause is not None:
            self._metrics.verification_failed(report.source, report.cause)
        for match in report.matches:
            self._metrics.secret_matched(
                report.source, match.authenticator, match.position
            )
        if report.publish_s is not None:
            self._metrics.produced(report.publish_s)
        if report.dead_letter is not None:
            self._metrics.dead_letter(report.source, report.dead_letter)
        line = {
            "source": report.source,
            "provider": report.provider,
            "result": report.result,
            "status": report.status,
            "cause": report.cause,
            "event_id": report.event_id,
            "session": report.session,
            "size_bytes": report.size_bytes,
            "duration_s": round(report.duration_s, 6),
            "publish_s": report.publish_s,
            "fault": report.fault,
        }
        told = {key: value for key, value in line.items() if value is not None}
        if not self._should_log(report):
            pass
        elif report.fault is not None:
            self._log.error("callback.failed", **told)
        elif report.result in _QUIET:
            self._log.info("callback.accepted", **told)
        elif report.status < 300:  # noqa: PLR2004 -- 2xx
            self._log.info("callback.ignored", **told)
        else:
            self._log.warning("callback.refused", **told)

    def _should_log(self, report: Report) -> bool:
        """Return whether it is written; whoever is refused may come at any rate."""
        return report.status < 300 or self._lines.admits(  # noqa: PLR2004 -- 2xx
            "callback.failed" if report.fault else "callback.refused",
            source=report.source,
            result=report.result,
            cause=report.cause,
        )

    def closed(self, why: http_server.CloseReason) -> None:
        """Count a connection that was closed, by why."""
        self._metrics.connection_closed(why)

    def alarm(self, kind: model.AlarmKind, source: str) -> None:
        """Raise an alarm: log and count it."""
        telemetry.alarm(self._metrics, kind, source, within=self._lines)
