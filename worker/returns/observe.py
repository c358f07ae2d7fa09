"""Say what is told of each return."""

import dataclasses
from typing import Protocol

from worker import errors
from worker.telemetry import labels


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Return:
    """How one request at a return endpoint ended; no path, no query, no ticket."""

    way: labels.ReturnWay
    result: labels.ReturnResult
    status: int
    source: str = labels.UNKNOWN_SOURCE
    cause: errors.TicketCause | None = None
    #: the hash that stands for it in logs
    session: str | None = None
    event_id: str | None = None
    duration_s: float = 0.0


class Observer(Protocol):
    """Who is told."""

    def returned(self, told: Return) -> None:
        """Take note of one request."""
        ...
