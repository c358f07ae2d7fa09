"""Say what is told of a request: words of ours and counts, nothing that was sent."""

import dataclasses
from typing import NamedTuple, Protocol

from worker import errors, model, serving
from worker.ingress import answers
from worker.telemetry import labels


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

    result: answers.Result = answers.Result.FAILED
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


class Observer(Protocol):
    """Who is told; returns at once and raises nothing."""

    def finished(self, report: Report) -> None:
        """Take note of one request: the canonical log line and the counters."""
        ...

    def alarm(self, kind: model.AlarmKind, source: str) -> None:
        """Raise an alarm about *source*."""
        ...

    def closed(self, why: serving.Closed) -> None:
        """Take note of a connection that was closed, and why."""
        ...
