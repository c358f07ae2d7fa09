"""Find out before anything starts whether the ports can be had."""

import contextlib
import errno
import socket
from collections.abc import Sequence


class DevError(Exception):
    """What ``dev`` needs cannot be had; the message is a sentence for a person."""


HOST = "127.0.0.1"


def reserve_ports(wanted: Sequence[tuple[int, str]]) -> list[int]:
    """
    Return a port for each of *wanted* (port, the option that changes it); 0 is any.

    Raises dev_errors.DevError where one is taken. Nothing is held afterwards: who is
    quick may still come first, and the service then says so.
    """
    with contextlib.ExitStack() as held:
        return [_bound(held, port, option) for port, option in wanted]


def free() -> int:
    """Return a port that nobody listens at."""
    return reserve_ports([(0, "")])[0]


def _bound(held: contextlib.ExitStack, port: int, option: str) -> int:
    listener = held.enter_context(socket.socket())
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
        # Two sockets may be bound to one port as long as neither listens.
        listener.listen()
    except OSError as error:
        why = (
            "is taken"
            if error.errno == errno.EADDRINUSE
            else f"cannot be had ({error.strerror})"
        )
        raise DevError(
            f"Port {port} {why}: end what listens there, or choose another one with"
            f" {option}."
        ) from None
    chosen: int = listener.getsockname()[1]
    return chosen
