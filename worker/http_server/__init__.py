"""Serve HTTP within bounds: connections, bodies, listening and draining."""

from worker.http_server.body import (
    BodyReadError,
    check_head,
    parse,
    parse_foreign,
    read,
)
from worker.http_server.body_budget import Body, BodyEvicted
from worker.http_server.connection import CloseReason, ConnectionLimits, trust
from worker.http_server.listener import Listener
from worker.http_server.problem import CLOSING, COMMON, common_result, problem
from worker.http_server.problem import CONTENT_TYPE as PROBLEM
from worker.http_server.server import segments

__all__ = [
    "CLOSING",
    "COMMON",
    "PROBLEM",
    "Body",
    "BodyEvicted",
    "BodyReadError",
    "CloseReason",
    "ConnectionLimits",
    "Listener",
    "check_head",
    "common_result",
    "parse",
    "parse_foreign",
    "problem",
    "read",
    "segments",
    "trust",
]
