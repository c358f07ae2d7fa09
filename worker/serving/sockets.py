"""Make the sockets that a service listens on."""

import asyncio
import contextlib
import resource
import socket

#: waiting to be accepted; the kernel keeps them
BACKLOG = 1024
#: everywhere, in the words of either family
_EVERYWHERE = ("::", "")
#: for Kafka, providers, logs and what is accepted before it is counted
_SPARE_DESCRIPTORS = 256


async def listening(host: str, port: int) -> list[socket.socket]:
    """
    Return a socket for each address of *host*, on one port; 0 asks for any.

    ``::`` takes IPv4 as well. Raises OSError where none can be had.
    """
    if host in _EVERYWHERE:
        made = [_everywhere(port)]
    else:
        made = await _each(host, port)
    for each in made:
        each.settimeout(0)
    return made


def _everywhere(port: int) -> socket.socket:
    both = socket.has_dualstack_ipv6()
    family = socket.AF_INET6 if both else socket.AF_INET
    return socket.create_server(
        ("", port), family=family, backlog=BACKLOG, dualstack_ipv6=both
    )


async def _each(host: str, port: int) -> list[socket.socket]:
    found = await asyncio.get_running_loop().getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )
    made: list[socket.socket] = []
    failure: OSError | None = None
    for family, address in dict.fromkeys((each[0], each[4]) for each in found):
        # All on the port that the first one was given.
        given = made[0].getsockname()[1] if made else port
        place = (address[0], given, *address[2:])
        try:
            made.append(socket.create_server(place, family=family, backlog=BACKLOG))
        except OSError as error:
            # A name may have an address in a family that this machine has not.
            failure = error
    if not made and failure is not None:
        raise failure
    return made


def affordable(connections: int) -> int:
    """
    Return how many of *connections* this process has file descriptors for.

    Raises its soft limit as far as it may.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = connections + _SPARE_DESCRIPTORS
    if soft != resource.RLIM_INFINITY and soft < wanted:
        most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
        soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return connections
    return max(1, min(connections, soft - _SPARE_DESCRIPTORS))
