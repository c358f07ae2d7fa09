"""Write logs and metrics, and raise alarms, which are both."""

import structlog

from worker import model
from worker.telemetry import log_throttle as _throttle
from worker.telemetry import metrics as _metrics

_log = structlog.get_logger()


def alarm(
    metrics: _metrics.Metrics,
    kind: model.AlarmKind,
    source: str,
    *,
    session: str | None = None,
    partition: int | None = None,
    within: _throttle.LogThrottle | None = None,
) -> None:
    """
    Raise an alarm: log ``alarm.raised`` at level error, and count it.

    *source* is empty where the alarm concerns no source. *session* is a hash
    (``logs.session_hash``), never a session id. *within* limits the lines of an alarm
    that outsiders can trigger: one a minute for each source.
    """
    metrics.alarms.inc(source=source, kind=kind)
    if within is not None and not within.admits(
        "alarm.raised", lines=1, result=str(kind), source=source
    ):
        return
    fields: dict[str, str | int] = {"kind": kind, "source": source}
    if session is not None:
        fields["session"] = session
    if partition is not None:
        fields["partition"] = partition
    _log.error("alarm.raised", **fields)
