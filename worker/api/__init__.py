"""
Begin sessions at the providers, and register those begun elsewhere.

Nothing is begun twice and nothing is begun and forgotten: see ``service`` for the
order that makes it so, and ``recovery`` for what a process leaves behind.
"""

from worker.api.auth import BeginIds, Identity, Keys
from worker.api.pending_writes import PendingWrites
from worker.api.recovery import Recovery
from worker.api.requests import (
    Begin,
    Registration,
    parse_begin,
    parse_registration,
    registration_event,
)
from worker.api.responses import document_of
from worker.api.return_urls import ReturnUrls
from worker.api.server import Api, Limits
from worker.api.service import Service, Times
from worker.api.telemetry import ApiTelemetry, Report
from worker.api.types import (
    ApiSource,
    BeginResult,
    DuplicateBegin,
    OutcomeUnknown,
    Repeat,
)

__all__ = [
    "Api",
    "ApiSource",
    "ApiTelemetry",
    "Begin",
    "BeginIds",
    "BeginResult",
    "DuplicateBegin",
    "Identity",
    "Keys",
    "Limits",
    "OutcomeUnknown",
    "PendingWrites",
    "Recovery",
    "Registration",
    "Repeat",
    "Report",
    "ReturnUrls",
    "Service",
    "Times",
    "document_of",
    "parse_begin",
    "parse_registration",
    "registration_event",
]
