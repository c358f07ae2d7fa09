"""Turn what the api tells into logs and metrics."""

import dataclasses

import structlog

from worker import http_server, model, telemetry
from worker.telemetry import labels, log_throttle, metrics


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One request, once it has its answer; holds no header, path or body."""

    result: labels.ApiResult
    status: int
    method: str = ""
    source: str = labels.UNKNOWN_SOURCE
    #: the reason of the error that led to it
    reason: str | None = None
    #: a hash: Identomat's session id is its token
    session: str | None = None
    duration_s: float = 0.0
    #: class and place of an exception that nobody foresaw, without its message
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
        """Write the line of one request, and count it."""
        self._metrics.api_request(report.source, report.result)
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
        told = {key: value for key, value in line.items() if value is not None}
        if not self._should_log(report):
            pass
        elif report.fault is not None:
            _log.error("api.failed", **told)
        elif report.status < 300:  # noqa: PLR2004 -- 2xx
            _log.info("api.answered", **told)
        else:
            _log.warning("api.refused", **told)

    def provider_called(self, source: str, seconds: float) -> None:
        """Take note of how long a provider took to begin a session."""
        self._metrics.begin_called(source, seconds)

    def recovered(self, source: str, session: str) -> None:
        """Tell of a begin whose session was found out after all."""
        self._metrics.begin_recovered(source)
        _log.info("begin.recovered", source=source, session=session)

    def recovery_failed(self, source: str, fault: str) -> None:
        """Write a line, at most ten a minute of a kind: it is tried again and again."""
        name = source or None
        if self._lines.admits("begin.recovery_failed", source=name, fault=fault):
            _log.error("begin.recovery_failed", source=name, fault=fault)

    def begin_expired(self, source: str) -> None:
        """Tell of a begin that is forgotten without a session."""
        self._metrics.begin_forgotten(source)
        _log.warning("begin.forgotten", source=source)

    def _should_log(self, report: Report) -> bool:
        """Return whether it is written; whoever is refused may come at any rate."""
        return report.status < 300 or self._lines.admits(  # noqa: PLR2004 -- 2xx
            "api.failed" if report.fault else "api.refused",
            source=report.source,
            result=report.result,
        )

    def closed(self, why: http_server.CloseReason) -> None:
        """Count a connection that was closed, by why."""
        self._metrics.connection_closed(why)

    def alarm(self, kind: model.AlarmKind, source: str) -> None:
        """Raise an alarm: log and count it."""
        telemetry.alarm(self._metrics, kind, source, within=self._lines)
