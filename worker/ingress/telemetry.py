"""Log and count the requests to the webhook endpoints."""

import asyncio
import dataclasses
from typing import NamedTuple

import structlog

from worker import errors, http_server, model, telemetry
from worker.ingress import responses
from worker.telemetry import labels, log_throttle, metrics


class Match(NamedTuple):
    """Which secret of an authenticator matched: 0 is the first in its list."""

    authenticator: labels.Authenticator
    position: int


@dataclasses.dataclass(slots=True, kw_only=True)
class Report:
    """
    What is known of one request when it ends.

    Contains no header, path, query or body; *challenge* is for the answer alone.
    """

    result: responses.Result = responses.Result.FAILED
    status: int = 0
    #: ``unknown`` if the request names no source: outside callers choose no label
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
    #: from passing the event to Kafka until its acknowledgement, or our timeout
    publish_s: float | None = None
    #: why a dead letter was written, if one was
    dead_letter: model.DeadLetterReason | None = None
    #: class and location of an unexpected exception, without its message
    fault: str | None = None
    #: what the answer repeats to a provider that checks who owns the URL
    challenge: str | None = dataclasses.field(default=None, repr=False)


_QUIET = frozenset({responses.Result.ACCEPTED, responses.Result.FORWARDED})


class IngressTelemetry:
    """Logs and counts: one line a callback; never raises, never blocks."""

    def __init__(
        self, counters: metrics.Metrics, lines: log_throttle.LogThrottle
    ) -> None:
        self._metrics = counters
        self._lines = lines
        # Bound once: a lazy logger is built again for each line.
        self._log = structlog.get_logger().bind()
        self._pending_reports: list[Report] = []

    def request_finished(self, report: Report) -> None:
        """Log and count one request soon, with those that end in the same moment."""
        # After their responses, and one after the other: half the cost.
        if not self._pending_reports:
            asyncio.get_running_loop().call_soon(self._flush)
        self._pending_reports.append(report)

    def _flush(self) -> None:
        reports, self._pending_reports = self._pending_reports, []
        for report in reports:
            self._report(report)

    def _report(self, report: Report) -> None:
        """Log and count one request."""
        self._metrics.callbacks.inc(report.source, report.result)
        self._metrics.http_request_duration.observe(
            report.duration_s,
            labels.Service.INGRESS,
            labels.HttpResult.of(report.status),
        )
        if report.cause is not None:
            self._metrics.verification_failures.inc(report.source, report.cause)
        for match in report.matches:
            self._metrics.secrets_matched.inc(
                report.source,
                match.authenticator,
                labels.SecretPosition.of(match.position),
            )
        if report.publish_s is not None:
            self._metrics.produce_duration.observe(report.publish_s)
        if report.dead_letter is not None:
            self._metrics.dead_letters.inc(report.source, report.dead_letter)
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
        known = {key: value for key, value in line.items() if value is not None}
        if not self._should_log(report):
            pass
        elif report.fault is not None:
            self._log.error("callback.failed", **known)
        elif report.result in _QUIET:
            self._log.info("callback.accepted", **known)
        elif report.status < 300:  # noqa: PLR2004 -- 2xx
            self._log.info("callback.ignored", **known)
        else:
            self._log.warning("callback.refused", **known)

    def _should_log(self, report: Report) -> bool:
        """Return whether to log it; the rate of refused requests has no limit."""
        return report.status < 300 or self._lines.admits(  # noqa: PLR2004 -- 2xx
            "callback.failed" if report.fault else "callback.refused",
            source=report.source,
            result=report.result,
            cause=report.cause,
        )

    def closed(self, why: http_server.CloseReason) -> None:
        """Count a connection that was closed, by reason."""
        self._metrics.http_connections_closed.inc(why)

    def alarm(self, kind: model.AlarmKind, source: str) -> None:
        """Raise an alarm: log and count it."""
        telemetry.alarm(self._metrics, kind, source, within=self._lines)
