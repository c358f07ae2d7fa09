"""IDnow: a reading of the lists that is older than the question is no answer."""

from typing import Any, Protocol

import pytest

from worker import errors
from worker.providers.idnow import result_lists


class _Clock(Protocol):
    now: int

    def now_ms(self) -> int:
        """Return the time that was set."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Let time pass."""
        ...


class _Gateway:
    """The three lists, as they are filled."""

    def __init__(self, clock: _Clock) -> None:
        self._clock = clock
        self.held: dict[str, list[str]] = {}
        self.reads = 0

    async def listed(
        self, name: str, *, limit_bytes: int
    ) -> tuple[dict[str, Any], int]:
        """Return a list as of now."""
        del limit_bytes
        self.reads += name == "cancelled"
        numbers = self.held.get(name, [])
        entries = [
            {"identificationprocess": {"transactionnumber": number}}
            for number in numbers
        ]
        return {"identifications": entries}, self._clock.now


@pytest.fixture(name="gateway")
def _gateway(clock: _Clock) -> _Gateway:
    return _Gateway(clock)


@pytest.fixture(name="lists")
def _lists(gateway: _Gateway, clock: _Clock) -> result_lists.ResultListCache:
    return result_lists.ResultListCache(
        gateway,  # type: ignore[arg-type]  # -- what the lists need of one
        interval_ms=60_000,
        limit_bytes=1_000,
        reference_field=None,
        clock=clock,
    )


@pytest.mark.parametrize("before", ["pending", "nowhere"])
async def test_a_reading_counts_only_if_it_began_after_the_question(
    lists: result_lists.ResultListCache, gateway: _Gateway, clock: _Clock, before: str
) -> None:
    """Neither an entry nor an absence of before is believed: the next reading is."""
    gateway.held = {before: ["T1"], "aborted": ["T2"]}
    await lists.find("t2", clock.now)
    gateway.held = {"cancelled": ["T1"]}
    clock.now += 30_000
    woken = clock.now
    with pytest.raises(errors.Unsent):
        await lists.find("t1", woken)
    clock.now += 30_000

    assert (await lists.find("t1", woken)).origin == "cancelled"
    with pytest.raises(errors.SessionNotFound):
        await lists.find("t2", woken)
    assert gateway.reads == 2


async def test_a_clock_that_is_put_back_makes_no_reading_young(
    lists: result_lists.ResultListCache, gateway: _Gateway, clock: _Clock
) -> None:
    """What was read by a clock that was ahead is read again."""
    with pytest.raises(errors.SessionNotFound):
        await lists.find("t1", clock.now)
    gateway.held["cancelled"] = ["T1"]
    clock.now -= 3_600_000

    assert (await lists.find("t1", clock.now)).origin == "cancelled"
