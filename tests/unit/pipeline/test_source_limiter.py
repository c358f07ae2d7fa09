"""The gate of a source: concurrency, share, rate, circuit, Retry-After, budget."""

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Callable

import pytest

from tests.support import clock as clocks
from tests.support import pipeline
from worker.pipeline import source_limiter

LIMITS = dataclasses.replace(pipeline.GATE, concurrency=4, circuit_failure_threshold=3)


class Bench:
    """A gate, and the numbers of the fetches that it let start."""

    def __init__(self, limits: source_limiter.Limits) -> None:
        self.clock = clocks.ManualClock()
        self.gate = source_limiter.SourceLimiter(limits, self.clock)
        self.started: list[int] = []
        self._numbers = iter(range(1_000))

    def submit(self, count: int = 1, *, known: bool = True) -> None:
        """Submit *count* fetches."""
        for number in (next(self._numbers) for _ in range(count)):
            self.gate.submit(lambda n=number: self._start(n), known=known)  # type: ignore[misc]  # the default is an int

    def _start(self, number: int) -> bool:
        self.started.append(number)
        return True

    async def wait(self, milliseconds: int) -> None:
        """Let time pass."""
        self.clock.advance(milliseconds)
        await clocks.turns()

    async def until_started(self, count: int) -> None:
        """Wait for so many starts: the rate goes by the event loop's own time."""
        while len(self.started) < count:  # noqa: ASYNC110 -- nothing tells of a start
            await asyncio.sleep(0)

    def finish(self, *, failed: bool = False, count: int = 1) -> None:
        """End fetches."""
        for _ in range(count):
            self.gate.finish(failed=failed)


@pytest.fixture
async def make() -> AsyncIterator[Callable[[source_limiter.Limits], Bench]]:
    """Return what makes a bench; its gate is closed at the end."""
    made: list[Bench] = []

    def bench(limits: source_limiter.Limits) -> Bench:
        made.append(Bench(limits))
        return made[-1]

    yield bench
    for one in made:
        await one.gate.close()


Make = Callable[[source_limiter.Limits], Bench]


async def test_a_fetch_starts_at_once_where_there_is_room(make: Make) -> None:
    """With a free slot the fetch starts within the call."""
    bench = make(LIMITS)
    bench.submit()
    assert bench.started == [0]


async def test_concurrency_is_bounded(make: Make) -> None:
    """Only so many fetches run; each end lets the next one start, in order."""
    bench = make(LIMITS)
    bench.submit(6)
    await clocks.turns()
    assert bench.started == [0, 1, 2, 3]
    assert bench.gate.waiting == 2
    bench.finish()
    assert bench.started == [0, 1, 2, 3, 4]


async def test_what_is_no_longer_due_takes_no_slot(make: Make) -> None:
    """A fetch that finds nothing to do leaves its slot to the next one."""
    bench = make(dataclasses.replace(LIMITS, concurrency=1))
    for _ in range(3):
        bench.gate.submit(lambda: False, known=True)
    bench.submit(2)
    await clocks.turns()
    assert bench.started == [0]


@pytest.mark.parametrize(
    ("owned", "starts"), [(24, 4), (12, 2), (6, 1), (1, 1), (0, 1)]
)
async def test_a_worker_takes_its_share(make: Make, owned: int, starts: int) -> None:
    """A worker's concurrency is its share of the partitions, and at least one."""
    bench = make(LIMITS)
    bench.gate.set_share(owned, 24)
    bench.submit(10)
    await clocks.turns()
    assert len(bench.started) == starts


async def test_a_greater_share_lets_more_start(make: Make) -> None:
    """A share that grows is felt at once by what waits."""
    bench = make(LIMITS)
    bench.gate.set_share(6, 24)
    bench.submit(10)
    await clocks.turns()
    bench.gate.set_share(24, 24)
    await clocks.turns()
    assert len(bench.started) == 4


async def test_the_rate_is_kept_without_bursts(make: Make) -> None:
    """With a rate, fetches start one by one, evenly, however many wait."""
    bench = make(dataclasses.replace(LIMITS, rate_per_s=50, concurrency=100))
    begun = asyncio.get_running_loop().time()
    bench.submit(5)
    await bench.until_started(5)
    assert asyncio.get_running_loop().time() - begun >= 4 / 50 * 0.95


async def test_the_rate_is_shared_too(make: Make) -> None:
    """A worker with half the partitions starts at half the rate."""
    bench = make(dataclasses.replace(LIMITS, rate_per_s=100, concurrency=100))
    bench.gate.set_share(12, 24)
    begun = asyncio.get_running_loop().time()
    bench.submit(4)
    await bench.until_started(4)
    assert asyncio.get_running_loop().time() - begun >= 3 / 50 * 0.95


async def test_the_circuit_opens_after_failures_in_a_row(make: Make) -> None:
    """After so many failures nothing starts until the circuit's time is over."""
    bench = make(LIMITS)
    bench.submit(3)
    bench.finish(failed=True, count=3)
    assert bench.gate.tripped
    bench.submit(5)
    await bench.wait(LIMITS.circuit_open_for_ms - 1)
    assert len(bench.started) == 3
    await bench.wait(1)
    assert len(bench.started) == 4


async def test_a_success_between_failures_keeps_the_circuit_closed(make: Make) -> None:
    """Failures count in a row: an answer between them begins the count again."""
    bench = make(LIMITS)
    for failed in (True, True, False, True, True):
        bench.submit()
        bench.finish(failed=failed)
    assert not bench.gate.tripped


async def test_half_open_lets_one_probe_through(make: Make) -> None:
    """One probe goes; if it fails the circuit is open for its whole time again."""
    bench = make(LIMITS)
    bench.submit(3)
    bench.finish(failed=True, count=3)
    bench.submit(5)
    await bench.wait(LIMITS.circuit_open_for_ms)
    assert len(bench.started) == 4
    bench.finish(failed=True)
    await bench.wait(LIMITS.circuit_open_for_ms - 1)
    assert len(bench.started) == 4
    await bench.wait(1)
    assert len(bench.started) == 5


async def test_a_probe_that_is_answered_closes_the_circuit(make: Make) -> None:
    """After one answer everything that waits may start again."""
    bench = make(LIMITS)
    bench.submit(3)
    bench.finish(failed=True, count=3)
    bench.submit(4)
    await bench.wait(LIMITS.circuit_open_for_ms)
    bench.finish()
    await clocks.turns()
    assert not bench.gate.tripped
    assert len(bench.started) == 7


async def test_a_probe_that_was_cancelled_lets_another_go(make: Make) -> None:
    """A probe that ends without telling anything is followed by another one."""
    bench = make(LIMITS)
    bench.submit(3)
    bench.finish(failed=True, count=3)
    bench.submit(4)
    await bench.wait(LIMITS.circuit_open_for_ms)
    bench.gate.finish(failed=False, conclusive=False)
    await clocks.turns()
    assert bench.gate.tripped
    assert len(bench.started) == 5


async def test_retry_after_holds_the_whole_source(make: Make) -> None:
    """What the provider asked for holds every fetch of the source, to the moment."""
    bench = make(LIMITS)
    bench.submit()
    bench.gate.finish(failed=False, conclusive=False, retry_after_ms=7_000)
    bench.submit(2)
    await bench.wait(6_999)
    assert len(bench.started) == 1
    await bench.wait(1)
    assert len(bench.started) == 3


async def test_a_shorter_retry_after_does_not_end_a_longer_one(make: Make) -> None:
    """Of two holds the longer one holds."""
    bench = make(LIMITS)
    bench.submit(2)
    bench.gate.finish(failed=False, conclusive=False, retry_after_ms=7_000)
    await bench.wait(1_000)
    bench.gate.finish(failed=False, conclusive=False, retry_after_ms=1_000)
    bench.submit()
    await bench.wait(5_999)
    assert len(bench.started) == 2


async def test_a_spent_budget_holds_unregistered_sessions_only(make: Make) -> None:
    """Denials use up the budget of sessions that were never answered for."""
    bench = make(dataclasses.replace(LIMITS, denied_per_minute=2, concurrency=100))
    bench.gate.record_not_found()
    assert not bench.gate.budget_spent
    bench.gate.record_not_found()
    assert bench.gate.budget_spent
    bench.submit(2, known=False)
    bench.submit(1, known=True)
    await clocks.turns()
    assert bench.started == [2]
    await bench.wait(59_999)
    assert bench.started == [2]
    await bench.wait(1)
    assert bench.started == [2, 0, 1]


async def test_a_clock_that_is_put_back_holds_nothing(make: Make) -> None:
    """Circuit, Retry-After and budget end at the latest when the clock goes back."""
    bench = make(dataclasses.replace(LIMITS, denied_per_minute=1))
    bench.submit(3)
    bench.finish(failed=True, count=2)
    bench.gate.finish(failed=True, retry_after_ms=5_000)
    bench.gate.record_not_found()
    bench.clock.set_back(3_600_000)
    assert not bench.gate.budget_spent
    bench.submit(known=False)
    await clocks.turns()
    assert len(bench.started) == 4


async def test_close_forgets_what_waits(make: Make) -> None:
    """After close nothing starts; the intents stand in the ledger."""
    bench = make(dataclasses.replace(LIMITS, concurrency=1))
    bench.submit(3)
    bench.submit(2, known=False)
    await bench.gate.close()
    bench.finish()
    await clocks.turns()
    assert bench.started == [0]
    assert bench.gate.waiting == 0


async def test_after_retry_after_half_as_many_run(make: Make) -> None:
    """A provider that let a few pass is not met by the same crowd again."""
    bench = make(LIMITS)
    bench.submit(20)
    for _ in range(4):  # one crowd, one halving
        bench.gate.finish(failed=False, conclusive=False, retry_after_ms=1_000)
    await bench.wait(1_000)
    assert len(bench.started) == 4 + 2
    for _ in range(2):
        bench.gate.finish(failed=False, conclusive=False, retry_after_ms=1_000)
    await bench.wait(1_000)
    assert len(bench.started) == 6 + 1
    bench.gate.finish(failed=False, conclusive=False, retry_after_ms=1_000)
    await bench.wait(1_000)
    assert len(bench.started) == 7 + 1


async def test_each_answer_lets_one_more_run(make: Make) -> None:
    """Up to the source's own limit, and not past it."""
    bench = make(LIMITS)
    bench.submit(20)
    for _ in range(4):
        bench.gate.finish(failed=False, conclusive=False, retry_after_ms=1_000)
    await bench.wait(1_000)
    bench.finish(failed=True)
    assert len(bench.started) == 6 + 1
    bench.finish()
    assert len(bench.started) == 7 + 2
    bench.finish()
    assert len(bench.started) == 9 + 2
    bench.finish()
    assert len(bench.started) == 11 + 1
