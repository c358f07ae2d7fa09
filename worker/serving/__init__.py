"""Serve HTTP within bounds: connections, bodies, listening and draining."""

from worker.serving.body import Unreadable, read
from worker.serving.connection import Bounds
from worker.serving.listener import Listener

__all__ = ["Bounds", "Listener", "Unreadable", "read"]
