"""Ask a broker who is there: one metadata request over a plain socket."""

import socket
import struct

from worker.devkit.broker import config

_TIMEOUT_S = 2.0
# Metadata v4, correlation id 1, no client id, no topics, no creation of topics.
_REQUEST = struct.pack(">hhihi?", 3, 4, 1, -1, 0, False)  # noqa: FBT003 -- a field


def listed_brokers(port: int, *, cluster_id: str | None) -> set[int]:
    """
    Return the ids of the brokers that the one at *port* knows to be alive.

    Empty when it does not answer, or not yet, or when it is another cluster's: one
    that took the port between its choice and its use. A broker begins to answer when
    it is itself registered and caught up, which is more than an open port says.
    """
    try:
        with socket.create_connection((config.HOST, port), timeout=_TIMEOUT_S) as link:
            link.sendall(struct.pack(">i", len(_REQUEST)) + _REQUEST)
            (size,) = struct.unpack(">i", _read(link, 4))
            found, reported_id = _brokers(_read(link, size))
            return found if reported_id == cluster_id else set()
    except (OSError, struct.error, EOFError):
        return set()


def _read(link: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        chunk = link.recv(size - len(data))
        if not chunk:
            raise EOFError
        data += chunk
    return data


def _brokers(answer: bytes) -> tuple[set[int], str | None]:
    """
    Read the ids of the brokers and of their cluster out of *answer*.

    Its fields: correlation id, throttle time, brokers, cluster id.
    """
    (count,) = struct.unpack_from(">i", answer, 8)
    at = 12
    found = set()
    for _ in range(count):
        node_id, host_size = struct.unpack_from(">ih", answer, at)
        at += 6 + host_size + 4
        (rack_size,) = struct.unpack_from(">h", answer, at)
        at += 2 + max(0, rack_size)
        found.add(node_id)
    (id_size,) = struct.unpack_from(">h", answer, at)
    reported_id = answer[at + 2 : at + 2 + id_size].decode() if id_size >= 0 else None
    return found, reported_id
