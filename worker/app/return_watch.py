"""Turn what the return endpoints tell into logs and metrics."""

import structlog

from worker import returns
from worker.telemetry import metrics

_log = structlog.get_logger()


class ReturnWatch:
    """Implements returns.Observer: one canonical line a return."""

    def __init__(self, counters: metrics.Metrics) -> None:
        self._metrics = counters

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
        if told.cause is None:
            _log.info("return.taken", **known)
        else:
            _log.warning("return.refused", **known)
