"""Turn what the return endpoints tell into logs and metrics."""

import structlog

from worker import returns
from worker.telemetry import labels, metrics, quota

_log = structlog.get_logger()

_REFUSED = frozenset(
    {
        labels.ReturnResult.REFUSED,
        labels.ReturnResult.FOREIGN_ORIGIN,
        labels.ReturnResult.LIMITED,
    }
)


class ReturnWatch:
    """Implements returns.Observer: one canonical line a return."""

    def __init__(self, counters: metrics.Metrics, lines: quota.Quota) -> None:
        self._metrics = counters
        self._lines = lines

    def returned(self, told: returns.Return) -> None:
        """Write the line of one return, and count it."""
        self._metrics.returned(told.source, told.way, told.result)
        line = {
            "source": told.source,
            "way": told.way,
            "result": told.result,
            "status": told.status,
            "cause": told.cause,
            "session": told.session,
            "event_id": told.event_id,
            "duration_s": round(told.duration_s, 6),
        }
        known = {key: value for key, value in line.items() if value is not None}
        if told.result not in _REFUSED:
            _log.info("return.taken", **known)
        elif self._lines.admits(
            "return.refused",
            source=told.source,
            result=told.result,
            cause=told.cause,
        ):
            _log.warning("return.refused", **known)
