"""Serve HTTP within bounds: connections, bodies, listening and draining."""

from worker.http_server.body import Unreadable, check_head, parse, parse_foreign, read
from worker.http_server.body_budget import Body, Crowded
from worker.http_server.connection import Bounds, Closed, trust
from worker.http_server.listener import Listener
from worker.http_server.problem import CONTENT_TYPE as PROBLEM
from worker.http_server.problem import problem
from worker.http_server.server import segments

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
