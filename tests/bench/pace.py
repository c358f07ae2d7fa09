"""Do one thing many times at an even rate, and tell how long each time took."""

import asyncio
import dataclasses
from collections.abc import Awaitable, Callable, Iterator

from tests.bench import figures


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What came of it, in seconds."""

    seconds: float
    latencies: list[float]

    def result(self) -> dict[str, float]:
        """Return the figures, as one process tells them to another."""
        return {
            "seconds": self.seconds,
            "p50_s": figures.percentile(self.latencies, 0.5),
            "p99_s": figures.percentile(self.latencies, 0.99),
        }


async def run(
    count: int, rate: float, doers: list[Callable[[int], Awaitable[object]]]
) -> Taken:
    """
    Have *doers* do *count* things, *rate* a second, or as fast as they can with 0.

    Where all of them were busy when a thing was due, its latency counts from then: a
    slow answer must not hide what waits behind it.
    """
    loop = asyncio.get_running_loop()
    numbers: Iterator[int] = iter(range(count))
    latencies: list[float] = []
    begun = loop.time()

    async def keep_doing(do: Callable[[int], Awaitable[object]]) -> None:
        for number in numbers:
            at = begun + number / rate if rate else 0.0
            if at <= (now := loop.time()):
                since = at or now
            else:
                # What the timer is late is its own affair, and nobody's latency.
                await asyncio.sleep(at - now)
                since = loop.time()
            await do(number)
            latencies.append(loop.time() - since)

    await asyncio.gather(*map(keep_doing, doers))
    return Taken(seconds=loop.time() - begun, latencies=latencies)
