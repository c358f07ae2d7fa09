"""Take people who come back from a provider: tickets, hints, and the way on."""

from worker.returns.server import Bounds, Returns, ReturnSource
from worker.returns.telemetry import Return, ReturnTelemetry
from worker.returns.tokens import Statements

__all__ = [
    "Bounds",
    "Return",
    "ReturnSource",
    "ReturnTelemetry",
    "Returns",
    "Statements",
]
