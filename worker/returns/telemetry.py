"""Log and count the requests to the return endpoints."""

import dataclasses

import structlog

from worker import errors
from worker.telemetry import labels, log_throttle, metrics


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ReturnReport:
    """One request and its response; contains no path, query or ticket."""

    endpoint: labels.ReturnEndpoint
    result: labels.ReturnResult
    status: int
    source: str = labels.UNKNOWN_SOURCE
    cause: errors.TicketCause | None = None
    #: a hash, as in every log line
    session: str | None = None
    event_id: str | None = None
    duration_s: float = 0.0


_log = structlog.get_logger()

_REFUSED = frozenset(
    {
        labels.ReturnResult.REFUSED,
        labels.ReturnResult.FOREIGN_ORIGIN,
        labels.ReturnResult.LIMITED,
    }
)


class ReturnTelemetry:
    """Logs and counts: one line a return; never raises, never blocks."""

    def __init__(
        self, counters: metrics.Metrics, lines: log_throttle.LogThrottle
    ) -> None:
        self._metrics = counters
        self._lines = lines

    def request_finished(self, report: ReturnReport) -> None:
        """Log and count one return."""
        self._metrics.returns.inc(report.source, report.endpoint, report.result)
        self._metrics.http_request_duration.observe(
            report.duration_s,
            labels.Service.RETURNS,
            labels.HttpResult.of(report.status),
        )
        line = {
            "source": report.source,
            "endpoint": report.endpoint,
            "result": report.result,
            "status": report.status,
            "cause": report.cause,
            "session": report.session,
            "event_id": report.event_id,
            "duration_s": round(report.duration_s, 6),
        }
        known = {key: value for key, value in line.items() if value is not None}
        if report.result not in _REFUSED:
            _log.info("return.accepted", **known)
        elif self._lines.admits(
            "return.refused",
            source=report.source,
            result=report.result,
            cause=report.cause,
        ):
            _log.warning("return.refused", **known)
