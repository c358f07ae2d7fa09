"""Take people who come back from a provider: tickets, hints, and the way on."""

from worker.returns.server import Bounds, Returns, ReturnSource
from worker.returns.telemetry import ReturnReport, ReturnTelemetry
from worker.returns.tokens import ReturnTokenSigner

__all__ = [
    "Bounds",
    "ReturnReport",
    "ReturnSource",
    "ReturnTelemetry",
    "ReturnTokenSigner",
    "Returns",
]
