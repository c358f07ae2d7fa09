"""
Take callbacks in: authenticate, normalise, publish, and only then answer.

Answers 2xx once Kafka has acknowledged the event; what is our own fault is 503 with
Retry-After. Knows the providers through ``ports.Provider`` alone, and Kafka through
``ports.EventSink``.
"""

from worker.ingress.forward import AiohttpForwarder, Forwarder
from worker.ingress.limits import Limits
from worker.ingress.responses import Result
from worker.ingress.server import ExtraRoutes, Ingress
from worker.ingress.source import IngressSource
from worker.ingress.telemetry import IngressTelemetry, Match, Report

__all__ = [
    "AiohttpForwarder",
    "ExtraRoutes",
    "Forwarder",
    "Ingress",
    "IngressSource",
    "IngressTelemetry",
    "Limits",
    "Match",
    "Report",
    "Result",
]
