"""Say in a sentence what the system refused, and of a port only where it is one."""

import errno
import socket

_PORT = frozenset({errno.EADDRINUSE, errno.EADDRNOTAVAIL})
_RIGHT = frozenset({errno.EACCES, errno.EPERM})
#: asyncio: "error while attempting to bind on address ('127.0.0.1', 80): …"
_BINDING = "bind on address"


def sentence(error: OSError) -> str:
    """Return what to tell a person of *error*: what failed, and what to change."""
    reason = error.strerror or type(error).__name__
    if isinstance(error, socket.gaierror):
        return f"{reason}; is the host name right?"
    if error.errno in _PORT:
        return f"{reason}; is the port taken, or the address not this machine's?"
    if error.errno in _RIGHT and _BINDING in reason:
        return f"{reason}; a port below 1024 needs a right: choose a higher one"
    return f"{error.filename}: {reason}" if error.filename else reason
