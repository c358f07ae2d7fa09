"""
Begin sessions at the providers, and register those begun elsewhere.

Nothing is begun twice and nothing is begun and forgotten: see ``service`` for the
order that makes it so, and ``recovery`` for what a process leaves behind.
"""

from worker.api.auth import BeginIds, Identity, Keys
from worker.api.pending_writes import Debts
from worker.api.recovery import Recovery
from worker.api.requests import Begin, Registration, begin, elsewhere, registration
from worker.api.responses import document_of
from worker.api.return_urls import Addresses
from worker.api.server import Api, Limits
from worker.api.service import Service, Times
from worker.api.telemetry import ApiTelemetry, Report
from worker.api.types import ApiSource, InDoubt, Repeat, Repeated, Started

__all__ = [
    "Addresses",
    "Api",
    "ApiSource",
    "ApiTelemetry",
    "Begin",
    "BeginIds",
    "Debts",
    "Identity",
    "InDoubt",
    "Keys",
    "Limits",
    "Recovery",
    "Registration",
    "Repeat",
    "Repeated",
    "Report",
    "Service",
    "Started",
    "Times",
    "begin",
    "document_of",
    "elsewhere",
    "registration",
]
