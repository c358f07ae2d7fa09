"""Find ports that nobody takes before a test does."""

import random
import socket

# Below the range from which Linux takes ports for outgoing connections: what is free
# there stays free until somebody listens on purpose.
_FIRST, _LAST = 20_000, 32_000


def free(count: int = 1) -> int:
    """Return the first of *count* ports in a row that are free just now."""
    while True:
        first = random.randrange(_FIRST, _LAST - count)
        if all(_is_free(first + place) for place in range(count)):
            return first


def _is_free(port: int) -> bool:
    try:
        with socket.create_server(("127.0.0.1", port)):
            return True
    except OSError:
        return False
