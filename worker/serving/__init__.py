"""Serve HTTP within bounds: connections, bodies, listening and draining."""

from worker.serving.bodies import Body, Crowded
from worker.serving.body import Unreadable, check_head, parse, parse_foreign, read
from worker.serving.bounds import Bounds
from worker.serving.connection import Closed, trust
from worker.serving.listener import Listener
from worker.serving.paths import segments
from worker.serving.problems import CONTENT_TYPE as PROBLEM
from worker.serving.problems import problem

__all__ = [
    "PROBLEM",
    "Body",
    "Bounds",
    "Closed",
    "Crowded",
    "Listener",
    "Unreadable",
    "check_head",
    "parse",
    "parse_foreign",
    "problem",
    "read",
    "segments",
    "trust",
]
