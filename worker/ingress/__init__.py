"""
Take callbacks in: authenticate, normalise, publish, and only then answer.

Answers 2xx once Kafka has acknowledged the event; what is our own fault is 503 with
Retry-After. Knows the providers through ``ports.Provider`` alone, and Kafka through
``ports.EventSink``.
"""

from worker.ingress.answers import Result
from worker.ingress.forward import AiohttpForwarder, Forwarder
from worker.ingress.limits import Limits
from worker.ingress.observe import Match, Observer, Report
from worker.ingress.pages import Pages
from worker.ingress.server import Ingress
from worker.ingress.source import IngressSource

__all__ = [
    "AiohttpForwarder",
    "Forwarder",
    "Ingress",
    "IngressSource",
    "Limits",
    "Match",
    "Observer",
    "Pages",
    "Report",
    "Result",
]
