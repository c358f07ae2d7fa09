"""Read, check and hold the configuration: the only reader of the environment."""

from worker.settings.kafka import Kafka
from worker.settings.loader import Settings, load, process_environment
from worker.settings.sections import Ingress, Ledger, Worker

__all__ = [
    "Ingress",
    "Kafka",
    "Ledger",
    "Settings",
    "Worker",
    "load",
    "process_environment",
]
