"""Read, check and hold the configuration: the only reader of the environment."""

from worker.settings.api import Api, ApiKey, Returns
from worker.settings.kafka import Kafka
from worker.settings.loader import Settings, load, process_environment
from worker.settings.secret import Role
from worker.settings.services import Ingress, Ledger, Worker

__all__ = [
    "Api",
    "ApiKey",
    "Ingress",
    "Kafka",
    "Ledger",
    "Returns",
    "Role",
    "Settings",
    "Worker",
    "load",
    "process_environment",
]
