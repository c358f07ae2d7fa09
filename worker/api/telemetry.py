"""Log and count the requests to the api, and the session starts."""

import dataclasses

import structlog

from worker import http_server, model, telemetry
from worker.telemetry import labels, log_throttle, metrics


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One request and its response; contains no header, path or body."""

    result: labels.ApiResult
    status: int
    method: str = ""
    source: str = labels.UNKNOWN_SOURCE
    #: the reason of the error that led to it
    reason: str | None = None
    #: a hash: Identomat's session id is its token
    session: str | None = None
    duration_s: float = 0.0
    #: class and location of an unexpected exception, without its message
    fault: str | None = None


_log = structlog.get_logger()


class ApiTelemetry:
    """Logs and counts: one line a request; never raises, never blocks."""

    def __init__(
        self, counters: metrics.Metrics, lines: log_throttle.LogThrottle
    ) -> None:
        self._metrics = counters
        self._lines = lines

    def request_finished(self, report: Report) -> None:
        """Log and count one request."""
        self._metrics.api_requests.inc(report.source, report.result)
        self._metrics.http_request_duration.observe(
            report.duration_s, labels.Service.API, labels.HttpResult.of(report.status)
        )
        line = {
            "source": report.source,
            "method": report.method or None,
            "result": report.result,
            "status": report.status,
            "reason": report.reason,
            "session": report.session,
            "duration_s": round(report.duration_s, 6),
            "fault": report.fault,
        }
        known = {key: value for key, value in line.items() if value is not None}
        if not self._should_log(report):
            pass
        elif report.fault is not None:
            _log.error("api.failed", **known)
        elif report.status < 300:  # noqa: PLR2004 -- 2xx
            _log.info("api.answered", **known)
        else:
            _log.warning("api.refused", **known)

    def provider_called(self, source: str, seconds: float) -> None:
        """Record how long a provider took to start a session, or to fail."""
        self._metrics.begin_duration.observe(seconds, source)

    def recovered(self, source: str, session: str) -> None:
        """Log and count an unresolved session start whose session was found."""
        self._metrics.begins_recovered.inc(source)
        _log.info("begin.recovered", source=source, session=session)

    def recovery_failed(self, source: str, fault: str) -> None:
        """Log a failed recovery, at most ten times a minute of a kind: it retries."""
        name = source or None
        if self._lines.admits("begin.recovery_failed", source=name, fault=fault):
            _log.error("begin.recovery_failed", source=name, fault=fault)

    def begin_expired(self, source: str) -> None:
        """Log and count an unresolved session start that is deleted."""
        self._metrics.begins_expired.inc(source)
        _log.warning("begin.forgotten", source=source)

    def _should_log(self, report: Report) -> bool:
        """Return whether to log it; the rate of refused requests has no limit."""
        return report.status < 300 or self._lines.admits(  # noqa: PLR2004 -- 2xx
            "api.failed" if report.fault else "api.refused",
            source=report.source,
            result=report.result,
        )

    def closed(self, why: http_server.CloseReason) -> None:
        """Count a connection that was closed, by reason."""
        self._metrics.http_connections_closed.inc(why)

    def alarm(self, kind: model.AlarmKind, source: str) -> None:
        """Raise an alarm: log and count it."""
        telemetry.alarm(self._metrics, kind, source, within=self._lines)
