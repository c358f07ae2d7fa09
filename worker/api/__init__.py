"""
Begin sessions at the providers, and register those begun elsewhere.

Nothing is begun twice and nothing is begun and forgotten: see ``service`` for the
order that makes it so, and ``recovery`` for what a process leaves behind.
"""

from worker.api.addresses import Addresses
from worker.api.answers import document_of
from worker.api.asked import Begin, Registration, begin, registration
from worker.api.events import elsewhere
from worker.api.ids import BeginIds, Identity
from worker.api.keys import Keys
from worker.api.observe import Observer, Report
from worker.api.outcomes import InDoubt, Repeat, Repeated, Started
from worker.api.owed import Debts
from worker.api.recovery import Recovery
from worker.api.server import Api, Limits
from worker.api.service import Service, Times
from worker.api.source import ApiSource

__all__ = [
    "Addresses",
    "Api",
    "ApiSource",
    "Begin",
    "BeginIds",
    "Debts",
    "Identity",
    "InDoubt",
    "Keys",
    "Limits",
    "Observer",
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
