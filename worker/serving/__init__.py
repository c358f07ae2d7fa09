"""Serve HTTP within bounds: connections, bodies, listening and draining."""

from worker.serving.body import Unreadable, parse, parse_foreign, read
from worker.serving.connection import Bounds
from worker.serving.listener import Listener
from worker.serving.problems import CONTENT_TYPE as PROBLEM
from worker.serving.problems import problem

__all__ = [
    "PROBLEM",
    "Bounds",
    "Listener",
    "Unreadable",
    "parse",
    "parse_foreign",
    "problem",
    "read",
]
