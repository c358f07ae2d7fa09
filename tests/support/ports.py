"""Find ports that nobody takes before a test does."""

import collections
import fcntl
import os
import pathlib
import random
import socket
import tempfile

# Below the range from which Linux takes ports for outgoing connections, and above the
# one of the embedded brokers: what is free there stays free until somebody listens on
# purpose.
_FIRST, _LAST = 20_000, 32_000
#: not seeded, whatever seeds the other one
_CHANCE = random.SystemRandom()
#: what other test processes of this machine keep off; a port's time is short
_FOLDER = pathlib.Path(tempfile.gettempdir()) / "kyc-worker-test-ports"
_KEPT_MAX = 512
#: open files, each of which keeps a port for this process
_kept: collections.deque[int] = collections.deque()


def free(count: int = 1) -> int:
    """
    Return the first of *count* ports in a row that are free just now.

    No other process that asks here gets them while this one lives, or until it has
    asked for 512 more.
    """
    while True:
        first = _CHANCE.randrange(_FIRST, _LAST - count)
        wanted = range(first, first + count)
        held = [lock for lock in map(_reserved, wanted) if lock is not None]
        _kept.extend(held)
        while len(_kept) > _KEPT_MAX:
            os.close(_kept.popleft())
        if len(held) == count and all(map(_is_free, wanted)):
            return first


def _reserved(port: int) -> int | None:
    """Return what keeps *port* for us while it is open; None where another has it."""
    _FOLDER.mkdir(exist_ok=True)
    lock = os.open(_FOLDER / str(port), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        return None
    return lock


def _is_free(port: int) -> bool:
    try:
        with socket.create_server(("127.0.0.1", port)):
            return True
    except OSError:
        return False
