"""Measure the worker: CPU a decision, transactions, a slow provider, cheap repeats."""

import asyncio
import contextlib
import dataclasses
import signal
import time
from collections.abc import AsyncIterator

from tests.bench import backlog, environment, figures, processes, tally
from worker import codec, model

#: fetches at once with a provider that answers at once: the default of a source
_AT_ONCE = 64
_SLOW_S = 1.0
_PATIENCE_S = 150.0
_AFTER_S = 0.5


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How much is decided."""

    warm: int = 1_000
    count: int = 6_000
    rounds: int = 3
    #: in how many of them the chosen parts alone decide as many
    parts_rounds: int = 3
    #: sessions whose fetches are held, and repeats of each kind
    held: int = 240
    repeats: int = 24_000
    #: how many seconds' worth of decisions the slow provider is asked for; 0: none
    slow_s: float = 8.0


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """What one round came to."""

    cpu_us: float
    a_second: float
    transactions: float


class Rig:
    """One worker, who publishes for it, and who reads what it decides."""

    def __init__(
        self,
        config: environment.Configured,
        service: environment.Service,
        publisher: backlog.Publisher,
        decided: tally.Tally,
    ) -> None:
        self.process = service.process
        self.decided = decided
        self._config = config
        self._admin = service.admin_port
        self.events = config.kafka.topic("events")
        self._publisher = publisher
        #: decisions that must be in Kafka
        self.expected = 0

    async def metrics(self) -> dict[str, float]:
        """Return what the worker tells of itself."""
        return await processes.metrics(self._admin)

    async def pile_up(self, records: list[codec.Record]) -> float:
        """Publish *records* while the worker stands still; say when it went on."""
        self.process.stop()
        try:
            await self._publisher.publish(records)
        finally:
            self.process.go_on()
        return time.monotonic()

    async def decide(self, sessions: list[str], waited_s: float = 0.0) -> Decided:
        """
        Have all of the new *sessions* decided; raises figures.Untrue.

        The whole round counts, since much is done before the first decision is there,
        less *waited_s* of its time, in which the first answers were waited for.
        """
        records = self._publisher.records(
            backlog.wake(each, backlog.event_id_of(each)) for each in sessions
        )
        commits, cpu_s = await self._commits(), self.process.cpu_s()
        begun = await self.pile_up(records)
        self.expected += len(sessions)
        await self.decided.reached(self.expected, _PATIENCE_S)
        took = self.decided.last_at - begun - waited_s
        used = self.process.cpu_s() - cpu_s
        await self.all_decided()
        return Decided(
            cpu_us=used / len(sessions) * 1e6,
            a_second=len(sessions) / took,
            transactions=(await self._commits() - commits) / len(sessions),
        )

    async def all_decided(self) -> None:
        """Wait for what must be decided; more than that is an error."""
        await self.decided.reached(self.expected, _PATIENCE_S)
        self.decided.must_be(self.expected, "decisions")

    async def _commits(self) -> float:
        return (await self.metrics()).get("kyc_commit_duration_seconds_count", 0.0)

    async def take(self, events: list[model.Event]) -> float:
        """Have *events* taken; return the CPU microseconds for each of them."""
        closing = backlog.closing(self._config.kafka.partitions)
        records = self._publisher.records([*events, *closing])
        before = self.process.cpu_s()
        await self.pile_up(records)
        self.expected += len(closing)
        await self.decided.reached(self.expected, _PATIENCE_S)
        return (self.process.cpu_s() - before) / len(events) * 1e6


@contextlib.asynccontextmanager
async def rig(on: environment.Stage, port: int, at_once: int) -> AsyncIterator[Rig]:
    """Run a worker with topics of its own."""
    config = await on.configured(provider_port=port, concurrency=at_once)
    async with (
        tally.of(config.kafka, "decisions.approved") as decided,
        backlog.publisher(config.kafka) as publisher,
        on.worker(config) as service,
    ):
        one = Rig(config, service, publisher, decided)
        yield one
        # One too many is as wrong as one too few.
        await asyncio.sleep(_AFTER_S)
        decided.must_be(one.expected, "decisions")


async def measure(
    on: environment.Stage, size: Size | None = None
) -> list[figures.Figure]:
    """Return the figures of the worker; every session is decided once."""
    size = size or Size()
    floors: list[float] = []
    parts: list[float] = []
    rounds: list[Decided] = []
    async with on.provider() as (provider, port), rig(on, port, _AT_ONCE) as one:
        await one.decide(backlog.sessions(size.warm))
        decided: list[str] = []
        for number in range(size.rounds):
            result = await on.result(
                "floors", "client", *map(str, (port, size.count, _AT_ONCE))
            )
            floors.append(result["cpu_s"] / size.count * 1e6)
            if number < size.parts_rounds:
                parts.append(await _parts(on, port, size.count))
            decided = backlog.sessions(size.count)
            rounds.append(await one.decide(decided))
        repeated_us = await _repeated(one, decided, size.repeats)
        woken_us = await _woken(one, provider, size)
        read = await on.result(
            *("floors", "reader", on.servers, one.events, str(environment.PARTITIONS))
        )
    read_us = read["cpu_s"] / read["records"] * 1e6
    found = [
        *_of_rounds(floors, parts, rounds),
        *_cheap(rounds, repeated_us, woken_us, read_us),
    ]
    if size.slow_s:
        found.append(await _slow(on, max(each.a_second for each in rounds), size))
    return found


async def _parts(on: environment.Stage, port: int, count: int) -> float:
    """Have the chosen parts alone decide *count* sessions; return CPU us a decision."""
    kafka = (await on.configured()).kafka
    async with backlog.publisher(kafka) as publisher:
        events = [backlog.wake(each) for each in backlog.sessions(count)]
        await publisher.publish(publisher.records(events))
    result = await on.result(
        *("parts", "worker", str(port), on.servers, kafka.topic_prefix),
        *map(str, (kafka.partitions, count, _AT_ONCE)),
    )
    counted = await tally.count(kafka, "decisions.approved", count)
    counted.must_be(count, "decisions of the parts")
    return result["cpu_s"] / count * 1e6


async def _repeated(one: Rig, decided: list[str], repeats: int) -> float:
    """Repeat what the provider has said of sessions that have ended since."""
    before = await one.metrics()
    events = [
        backlog.wake(session_id, backlog.event_id_of(session_id))
        for place in range(repeats)
        if (session_id := decided[place % len(decided)])
    ]
    cpu_us = await one.take(events)
    after = await one.metrics()
    name = "kyc_session_events_total:repeated"
    noted = after.get(name, 0.0) - before.get(name, 0.0)
    environment.must_be(repeats, noted, "repeats that were recognised")
    one.decided.must_be(one.expected, "decisions")
    return cpu_us


async def _woken(one: Rig, provider: processes.Process, size: Size) -> float:
    """Wake sessions again whose fetches are in flight, or wait for their turn."""
    sessions = backlog.sessions(size.held)
    before = await one.metrics()
    provider.popen.send_signal(signal.SIGUSR1)
    await one.take([backlog.wake(each) for each in sessions])
    events = [
        backlog.wake(sessions[place % len(sessions)]) for place in range(size.repeats)
    ]
    cpu_us = await one.take(events)
    provider.popen.send_signal(signal.SIGUSR2)
    one.expected += len(sessions)
    await one.all_decided()
    fetched = -before["kyc_fetches_total"]
    fetched += (await one.metrics())["kyc_fetches_total"]
    if not len(sessions) <= fetched <= 2 * len(sessions):
        raise figures.Untrue(f"{fetched:g} fetches for {len(sessions)} sessions")
    return cpu_us


async def _slow(on: environment.Stage, instant: float, size: Size) -> figures.Figure:
    """Ask a provider that takes a second, with room for 1.5 times the instant rate."""
    at_once = min(int(1.5 * instant * _SLOW_S), 10_000)
    async with on.provider(_SLOW_S) as (_, port), rig(on, port, at_once) as one:
        # As with the instant one: what is measured finds its connections open.
        await one.decide(backlog.sessions(at_once), _SLOW_S)
        sessions = backlog.sessions(int(instant * size.slow_s))
        decided = await one.decide(sessions, _SLOW_S)
    return figures.Figure(
        name="worker_slow",
        what="Worker: decisions a second, provider of 1 s against an instant one",
        unit="/s",
        value=decided.a_second,
        floor=instant,
        goal=0.8,
        at_least=True,
        details={"concurrency": at_once, "transactions": decided.transactions},
    )


def _of_rounds(
    floors: list[float], parts: list[float], rounds: list[Decided]
) -> list[figures.Figure]:
    # The least of the rounds: others on the machine only ever add.
    return [
        figures.Figure(
            name="worker_cpu",
            what="Worker: CPU a decision, against a bare aiohttp client loop",
            unit="µs",
            value=min(each.cpu_us for each in rounds),
            floor=min(floors),
            parts=min(parts, default=None),
            goal=1.7,
            cpu_ratio=True,
            details={
                "a_second": max(each.a_second for each in rounds),
                "rounds_us": [each.cpu_us for each in rounds],
                "floor_rounds_us": floors,
                "parts_rounds_us": parts,
            },
        ),
        figures.Figure(
            name="worker_transactions",
            what="Worker: Kafka transactions a decision at its greatest rate",
            unit="",
            value=min(each.transactions for each in rounds),
            goal=0.1,
            details={"rounds": [each.transactions for each in rounds]},
        ),
    ]


def _cheap(
    rounds: list[Decided], repeated_us: float, woken_us: float, read_us: float
) -> list[figures.Figure]:
    new_us = min(each.cpu_us for each in rounds)
    result = {
        "worker_wake": ("a wake-up while a fetch is wanted or in flight", woken_us),
        "worker_repeat": ("a repeat with the provider's event id", repeated_us),
    }
    return [
        figures.Figure(
            name=name,
            what=f"Worker: CPU of {what}, against a new session",
            unit="µs",
            value=cpu_us,
            floor=new_us,
            goal=0.15,
            cpu_ratio=True,
            # No repeat is cheaper than reading it from Kafka.
            details={"bare_reader_us": read_us},
        )
        for name, (what, cpu_us) in result.items()
    ]
