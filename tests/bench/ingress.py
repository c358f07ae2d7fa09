"""
Measure the ingress: CPU a callback, and latency at half of its rate.

By turns with its floor and with the chosen parts alone.
"""

import contextlib
import dataclasses
import statistics
from collections.abc import AsyncIterator

from tests.bench import environment, figures, generator, processes, tally
from tests.support import ports

_CONNECTIONS = 64
_PATH = "/webhooks/idbeyond"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How much is sent: to all three by turns, after a burst that warms up."""

    warm: int = 3_000
    count: int = 12_000
    rounds: int = 4
    #: at half of the greatest rate, by turns as well
    paced_s: float = 4.0
    paced_rounds: int = 3


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """Who is sent callbacks, and what each round came to."""

    process: processes.Process
    port: int
    cpu_us: list[float] = dataclasses.field(default_factory=list)
    rates: list[float] = dataclasses.field(default_factory=list)
    p99_ms: list[float] = dataclasses.field(default_factory=list)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Three:
    """One ingress, the bare handler, and the chosen parts alone."""

    on: environment.Stage
    mine: Served
    floor: Served
    parts: Served
    #: what the parts write to, and a bare send: new topics keep a broker busy
    topic: str

    async def turn(self, count: int, *, counts: bool = True) -> None:
        """Have each take *count* callbacks, as fast as it can."""
        for served in (self.floor, self.parts, self.mine):
            result, cpu_s = await burst(self.on, served.process, served.port, count)
            if counts:
                served.cpu_us.append(cpu_s / count * 1e6)
                served.rates.append(count / result["seconds"])

    async def paced(self, rate: float, count: int, record: int) -> float:
        """Have both take *count* callbacks at *rate*; return a send's p99, in ms."""
        result = await self.on.result(
            *("floors", "sender", self.on.servers, self.topic),
            *(str(environment.PARTITIONS), str(count), str(rate), str(record)),
        )
        floor = result["p99_s"] * 1e3
        for served in (self.parts, self.mine):
            result, _ = await burst(
                self.on, served.process, served.port, count, rate=rate
            )
            served.p99_ms.append(result["p99_s"] * 1e3)
        return floor


@contextlib.asynccontextmanager
async def three(
    on: environment.Stage, config: environment.Configured
) -> AsyncIterator[Three]:
    """Run them, each with topics of its own."""
    other = await on.configured()
    topic = other.kafka.topic("events")
    bare, parts = ports.free(), ports.free()
    async with (
        on.serving("floors", "handler", str(bare)) as floor,
        on.serving(
            *("parts", "ingress", str(parts)),
            *(on.servers, topic, str(environment.PARTITIONS)),
        ) as alone,
        on.ingress(config) as ours,
    ):
        yield Three(
            on=on,
            mine=Served(process=ours.process, port=ours.port),
            floor=Served(process=floor, port=bare),
            parts=Served(process=alone, port=parts),
            topic=topic,
        )


async def burst(
    on: environment.Stage,
    server: processes.Process,
    port: int,
    count: int,
    *,
    rate: float = 0.0,
) -> tuple[dict[str, float], float]:
    """Send *count* callbacks of id beyond; return what was told, and CPU seconds."""
    plan = generator.Plan(
        port=port,
        path=_PATH,
        count=count,
        connections=_CONNECTIONS,
        rate=rate,
        secret=environment.HMAC_SECRET,
    )
    async with on.running("tests.bench.generator", plan.argument()) as process:
        await process.line()
        before = server.cpu_s()
        result = await process.result()
        used = server.cpu_s() - before
    environment.must_be(count, result["accepted"], "acknowledgements")
    return result, used


async def measure(
    on: environment.Stage, size: Size | None = None
) -> list[figures.Figure]:
    """Return the figures of the ingress; every acknowledged callback is in Kafka."""
    size = size or Size()
    config = await on.configured()
    async with three(on, config) as all_three:
        await all_three.turn(size.warm, counts=False)
        for _ in range(size.rounds):
            await all_three.turn(size.count)
        sent = size.warm + size.rounds * size.count
        counted = await tally.count(config.kafka, "events", sent)
        counted.must_be(sent, "events")
        found = [_cpu(all_three)]
        if size.paced_rounds:
            rate = max(all_three.mine.rates) / 2
            count = int(rate * size.paced_s)
            record = counted.bytes // counted.records
            floor = [
                await all_three.paced(rate, count, record)
                for _ in range(size.paced_rounds)
            ]
            found.append(_latency(all_three, floor, rate))
            sent += size.paced_rounds * count
    counted = await tally.count(config.kafka, "events", sent)
    counted.must_be(sent, "events")
    return found


def _cpu(all_three: Three) -> figures.Figure:
    mine, floor, parts = all_three.mine, all_three.floor, all_three.parts
    # The least of the rounds: others on the machine only ever add.
    return figures.Figure(
        name="ingress_cpu",
        what="Ingress: CPU a callback of 1 KiB, against a bare aiohttp handler",
        unit="µs",
        value=min(mine.cpu_us),
        floor=min(floor.cpu_us),
        parts=min(parts.cpu_us),
        goal=1.7,
        cpu_ratio=True,
        details={
            "a_second": max(mine.rates),
            "rounds_us": mine.cpu_us,
            "floor_rounds_us": floor.cpu_us,
            "parts_rounds_us": parts.cpu_us,
        },
    )


def _latency(all_three: Three, floor: list[float], rate: float) -> figures.Figure:
    mine, parts = all_three.mine.p99_ms, all_three.parts.p99_ms
    return figures.Figure(
        name="ingress_p99",
        what="Ingress: p99 latency at half of its rate, against a bare send",
        unit="ms",
        value=statistics.median(mine),
        floor=statistics.median(floor),
        parts=statistics.median(parts),
        goal=3.0,
        details={
            "a_second": rate,
            "rounds_ms": mine,
            "floor_rounds_ms": floor,
            "parts_rounds_ms": parts,
        },
    )
