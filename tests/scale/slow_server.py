"""Run an ingress that forgets what it takes, until its input ends."""

import asyncio
import collections
import contextlib
import sys

import orjson

from tests.unit.ingress import support
from worker import clock, http_server, ingress
from worker.app import lifecycle

_SAMPLED_S = 0.25


class _Telemetry(support.Telemetry):
    """Counts, and keeps nothing: what is measured is the ingress."""

    def __init__(self) -> None:
        super().__init__()
        self.counted: collections.Counter[str] = collections.Counter()

    def request_finished(self, report: ingress.Report) -> None:
        """Count *report*."""
        self.counted[report.result.value] += 1

    def closed(self, why: http_server.CloseReason) -> None:
        """Count why."""
        self.counted[why.value] += 1


class _Sink(support.Sink):
    """Takes everything at once, and keeps nothing."""

    async def publish(self, event: object) -> None:
        """Forget *event*."""


async def main(max_connections: int) -> None:
    """Print the port, serve, and print what was counted."""
    observer = _Telemetry()
    bounds = http_server.ConnectionLimits(max_connections=max_connections)
    served = ingress.Ingress(
        [support.source(), support.url_source()],
        _Sink(),
        observer=observer,
        clock=clock.SystemClock(),
        bounds=ingress.Limits(connections=bounds),
    )
    sys.stdout.write(f"{await served.start('127.0.0.1', 0)}\n")
    sys.stdout.flush()
    lifecycle.tune_gc(in_small_steps=True)  # as the product does
    ended = asyncio.ensure_future(asyncio.to_thread(sys.stdin.read))
    most = 0
    while not ended.done():
        most = max(most, served.listener.connections)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(asyncio.shield(ended), _SAMPLED_S)
    counted = observer.counted | {"connections": most}
    sys.stdout.write(orjson.dumps(counted).decode() + "\n")
    sys.stdout.flush()
    await served.drain(2)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
