"""Have the played providers of compose.yaml call the ingress, a session a second."""

# ruff: noqa: INP001 -- a script, in no package
import itertools
import random
import sys
import time
import urllib.error
import urllib.request
from typing import Any

import orjson

#: The provider and where it is played, as compose.toml says.
PLAYED = (
    ("idbeyond", 8090),
    ("identomat", 8091),
    ("idnow", 8092),
    ("biometric", 8093),
)
_PAUSE_S = 1.0
_TIMEOUT_S = 30.0


def scenario(chance: random.Random) -> dict[str, Any]:
    """Return how one session goes: most of them well, some of them late or badly."""
    return chance.choice(
        [
            {},
            {},
            {"outcome": "rejected"},
            {"pending_first": 1, "callback_delay_s": 1.0},
            {"repeat": 2},
            {"not_ready": 2},
            {"errors": 1},
        ]
    )


def play(provider: str, port: int, ingress: str, chance: random.Random) -> None:
    """Make one session at *provider* and let its callbacks reach *ingress*."""
    wanted = {"scenario": scenario(chance), "deliver_to": ingress}
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/_sim/{provider}/sessions",
        data=orjson.dumps(wanted),
        method="POST",
    )
    with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as answer:  # noqa: S310 -- the loopback
        told = orjson.loads(answer.read())
    sys.stdout.write(f"{provider} {told['session_id']}: {told['delivered']}\n")


def main() -> None:
    """Play each provider in turn until the process is ended."""
    chance = random.Random()  # noqa: S311 -- a pleasant mix, no secret
    for provider, port in itertools.cycle(PLAYED):
        try:
            play(provider, port, sys.argv[1], chance)
        except (urllib.error.URLError, OSError) as error:
            sys.stdout.write(f"{provider}: {error}\n")
        time.sleep(_PAUSE_S)


if __name__ == "__main__":
    main()
