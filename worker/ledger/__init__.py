"""Advance a session's state: pure, no I/O, no clock, no Kafka."""

from worker.ledger.state import Flight, Session, Unconfirmed, recovered

__all__ = ["Flight", "Session", "Unconfirmed", "recovered"]
