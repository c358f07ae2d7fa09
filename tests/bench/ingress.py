"""Measure the ingress: CPU a callback, and latency at half of its rate."""

import dataclasses
import statistics

from tests.bench import figures, generator, processes, stage, tally
from tests.support import ports

_CONNECTIONS = 64
_PATH = "/webhooks/idbeyond"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How much is sent: ours and the floor by turns, after a burst that warms up."""

    warm: int = 3_000
    count: int = 12_000
    rounds: int = 4
    #: at half of the greatest rate, by turns as well
    paced_s: float = 4.0
    paced_rounds: int = 3


class Run:
    """One ingress, the bare handler, and what they were sent."""

    def __init__(self, on: stage.Stage, config: stage.Configured) -> None:
        self._on = on
        self._config = config
        self.accepted = 0
        self.mine: list[float] = []
        self.floor: list[float] = []
        self.rates: list[float] = []

    async def send(
        self, port: int, count: int, rate: float, server: processes.Process
    ) -> tuple[dict[str, float], float]:
        """Send callbacks; return what the generator tells, and the CPU seconds."""
        return await burst(self._on, server, port, count, rate=rate)

    async def turn(
        self, ours: stage.Service, bare: processes.Process, port: int, count: int
    ) -> None:
        """Let the floor take *count* callbacks, and then the ingress."""
        _, floor_s = await self.send(port, count, 0, bare)
        told, mine_s = await self.send(ours.port, count, 0, ours.process)
        self.accepted += int(told["accepted"])
        self.floor.append(floor_s / count * 1e6)
        self.mine.append(mine_s / count * 1e6)
        self.rates.append(count / told["seconds"])

    async def paced(
        self, ours: stage.Service, rate: float, size: Size, record: int
    ) -> tuple[list[float], list[float]]:
        """Return the p99 latencies of the ingress and of a bare ``send``, in ms."""
        count = int(rate * size.paced_s)
        mine, floor = [], []
        spare = await self._on.configured()
        for _ in range(size.paced_rounds):
            told = await self._on.told(
                *("floors", "sender", self._on.servers, spare.kafka.topic("events")),
                *(str(stage.PARTITIONS), str(count), str(rate), str(record)),
            )
            floor.append(told["p99_s"] * 1e3)
            told, _ = await self.send(ours.port, count, rate, ours.process)
            stage.must_be(count, told["accepted"], "acknowledgements")
            self.accepted += count
            mine.append(told["p99_s"] * 1e3)
        return mine, floor


async def burst(
    on: stage.Stage,
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
        secret=stage.HMAC_SECRET,
    )
    async with on.running("tests.bench.generator", plan.argument()) as process:
        await process.line()
        before = server.cpu_s()
        told = await process.told()
        return told, server.cpu_s() - before


async def measure(on: stage.Stage, size: Size | None = None) -> list[figures.Figure]:
    """Return the figures of the ingress; every acknowledged callback is in Kafka."""
    size = size or Size()
    config = await on.configured()
    run = Run(on, config)
    bare_port = ports.free()
    async with (
        on.serving("floors", "handler", str(bare_port)) as bare,
        on.ingress(config) as ours,
    ):
        await run.turn(ours, bare, bare_port, size.warm)
        for _ in range(size.rounds):
            await run.turn(ours, bare, bare_port, size.count)
        sent = size.warm + size.rounds * size.count
        stage.must_be(sent, run.accepted, "acknowledgements")
        counted = await tally.count(config.kafka, "events", sent)
        counted.must_be(sent, "events")
        found = [_cpu(run, sent)]
        if size.paced_rounds:
            rate = max(run.rates[1:]) / 2
            record = counted.bytes // counted.records
            mine, floor = await run.paced(ours, rate, size, record)
            found.append(_latency(mine, floor, rate))
    counted = await tally.count(config.kafka, "events", run.accepted)
    counted.must_be(run.accepted, "events")
    return found


def _cpu(run: Run, sent: int) -> figures.Figure:
    # The least of the rounds: others on the machine only ever add. The first turn
    # has warmed both up.
    mine, floor = run.mine[1:], run.floor[1:]
    return figures.Figure(
        name="ingress_cpu",
        what="Ingress: CPU a callback of 1 KiB, against a bare aiohttp handler",
        unit="µs",
        value=min(mine),
        floor=min(floor),
        goal=1.7,
        cpu_ratio=True,
        details={
            "callbacks": sent,
            "a_second": max(run.rates[1:]),
            "rounds_us": mine,
            "floor_rounds_us": floor,
        },
    )


def _latency(mine: list[float], floor: list[float], rate: float) -> figures.Figure:
    return figures.Figure(
        name="ingress_p99",
        what="Ingress: p99 latency at half of its rate, against a bare send",
        unit="ms",
        value=statistics.median(mine),
        floor=statistics.median(floor),
        goal=3.0,
        details={"a_second": rate, "rounds_ms": mine, "floor_rounds_ms": floor},
    )
