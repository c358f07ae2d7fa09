"""Turn what the ingress tells into logs and metrics."""

import asyncio

import structlog

from worker import ingress, model, serving, telemetry
from worker.telemetry import metrics, quota

_QUIET = frozenset({ingress.Result.ACCEPTED, ingress.Result.FORWARDED})


class IngressWatch:
    """Implements ingress.Observer: one canonical line a callback."""

    def __init__(self, counters: metrics.Metrics, lines: quota.Quota) -> None:
        self._metrics = counters
        self._lines = lines
        # Bound once: a lazy logger is put together anew for each line.
        self._log = structlog.get_logger().bind()
        self._untold: list[ingress.Report] = []

    def finished(self, report: ingress.Report) -> None:
        """Have one request told of soon, together with those that end beside it."""
        # After their answers, and one after the other: half as dear as in between.
        if not self._untold:
            asyncio.get_running_loop().call_soon(self._tell_all)
        self._untold.append(report)

    def _tell_all(self) -> None:
        reports, self._untold = self._untold, []
        for report in reports:
            self._tell(report)

    def _tell(self, report: ingress.Report) -> None:
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
        if not self._worth_a_line(report):
            pass
        elif report.fault is not None:
            self._log.error("callback.failed", **told)
        elif report.result in _QUIET:
            self._log.info("callback.accepted", **told)
        elif report.status < 300:  # noqa: PLR2004 -- 2xx
            self._log.info("callback.ignored", **told)
        else:
            self._log.warning("callback.refused", **told)

    def _worth_a_line(self, report: ingress.Report) -> bool:
        """Return whether it is written; whoever is refused may come at any rate."""
        return report.status < 300 or self._lines.admits(  # noqa: PLR2004 -- 2xx
            "callback.failed" if report.fault else "callback.refused",
            source=report.source,
            result=report.result,
            cause=report.cause,
        )

    def closed(self, why: serving.Closed) -> None:
        """Count a connection that was closed, by why."""
        self._metrics.connection_closed(why)

    def alarm(self, kind: model.AlarmKind, source: str) -> None:
        """Raise an alarm: log and count it."""
        telemetry.alarm(self._metrics, kind, source, within=self._lines)
