"""Bound what connections may take."""

import dataclasses


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """What connections may take: times in seconds."""

    #: for an idle connection, and for one whose request head does not come
    keepalive_timeout_s: float = 75.0
    #: for the rest of a body that is not read, before the connection is closed
    linger_timeout_s: float = 2.0
    #: for a client to read an answer, before the connection is closed
    send_timeout_s: float = 30.0
    #: open at once; the slowest is closed for the next
    max_connections: int = 4000
    #: of all request bodies together, from their first byte to the answer
    max_buffered_bytes: int = 64 << 20
