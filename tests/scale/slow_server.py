"""Run an ingress that keeps what it takes in memory, until its input ends."""

import asyncio
import sys

from tests.unit.ingress import support
from worker import clock, ingress, serving


class _Observer(support.Observer):
    """Keeps nothing: what is measured is the ingress."""

    def finished(self, report: ingress.Report) -> None:
        """Forget *report*."""

    def closed(self, why: serving.Closed) -> None:
        """Forget why."""


class _Sink(support.Sink):
    """Takes everything at once, and keeps nothing."""

    async def publish(self, event: object) -> None:
        """Forget *event*."""


async def main() -> None:
    """Print the port, and serve."""
    served = ingress.Ingress(
        [support.source(), support.url_source()],
        _Sink(),
        observer=_Observer(),
        clock=clock.SystemClock(),
    )
    sys.stdout.write(f"{await served.start('127.0.0.1', 0)}\n")
    sys.stdout.flush()
    await asyncio.to_thread(sys.stdin.read)
    await served.drain(2)


if __name__ == "__main__":
    asyncio.run(main())
