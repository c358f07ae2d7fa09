"""Take people who come back from a provider: tickets, hints, and the way on."""

from worker.returns.observe import Observer, Return
from worker.returns.server import Bounds, Returns
from worker.returns.source import ReturnSource
from worker.returns.statements import Statements

__all__ = [
    "Bounds",
    "Observer",
    "Return",
    "ReturnSource",
    "Returns",
    "Statements",
]
