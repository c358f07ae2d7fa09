"""Say what is told of each request: words of ours, nothing that was sent."""

import dataclasses
from typing import Protocol

from worker import model, serving
from worker.telemetry import labels


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


class Observer(Protocol):
    """Who is told; returns at once and raises nothing."""

    def answered(self, report: Report) -> None:
        """Take note of one request."""
        ...

    def called(self, source: str, seconds: float) -> None:
        """Take note of how long a provider took to begin a session."""
        ...

    def recovered(self, source: str, session: str) -> None:
        """Take note of a begin whose session was found out after all."""
        ...

    def recovery_failed(self, source: str, fault: str) -> None:
        """Take note of an error that nobody foresaw, in looking for lost begins."""
        ...

    def left(self, source: str) -> None:
        """Take note of a begin that is forgotten without a session."""
        ...

    def alarm(self, kind: model.AlarmKind, source: str) -> None:
        """Raise an alarm about *source*."""
        ...

    def closed(self, why: serving.Closed) -> None:
        """Take note of a connection that was closed, and why."""
        ...
