"""One source, one session, one killer: none of them is another's trouble."""

import asyncio
import dataclasses

import pytest

from tests.support import around, pipeline
from tests.support import clock as clocks
from tests.support import ledger as told
from worker import errors, model

A, R, P = told.approved, told.rejected, told.pending
_OTHER = "biometric"


async def test_a_hanging_source_does_not_slow_another() -> None:
    """With every slot of one source hanging, another's sessions are decided at once."""
    other = around.Provider()
    other.instant = A()
    limits = dataclasses.replace(pipeline.GATE, concurrency=3)
    async with pipeline.Rig(others={_OTHER: other}, gate_limits=limits) as rig:
        await rig.take(*(pipeline.event(n) for n in range(20)))
        assert len(rig.provider.flying) == 3
        await rig.take(*(pipeline.event(n, _OTHER) for n in range(20)))
        await rig.gathered()
        decided = [d for d in rig.ledger.decisions if d.source == _OTHER]
        assert len(decided) == 20


async def test_a_failing_sources_circuit_is_its_own() -> None:
    """The circuit of one source holds no fetch of another's."""
    other = around.Provider()
    other.instant = A()
    limits = dataclasses.replace(pipeline.GATE, circuit_failures=2)
    async with pipeline.Rig(others={_OTHER: other}, gate_limits=limits) as rig:
        rig.provider.instant = errors.ProviderTimeout()
        await rig.take(*(pipeline.event(n) for n in range(5)))
        assert rig.sources[told.KEY.source].gate.tripped
        await rig.take(pipeline.event(6))
        await rig.take(*(pipeline.event(n, _OTHER) for n in range(5)))
        await rig.gathered()
        assert rig.provider.asked["tx-6"] == 0
        assert len(rig.ledger.decisions) == 5


@pytest.mark.parametrize(
    ("error", "trips"),
    [
        (errors.ProviderTimeout, True),
        (errors.ProviderUnreachable, True),
        (errors.ProviderFault, True),
        (errors.BadAnswer, True),
        (errors.RateLimited, False),
        (errors.NotReady, False),
        (errors.NoSuchSession, False),
        (errors.AccountRefused, False),
        (errors.ResultMismatch, False),
    ],
)
async def test_only_a_failing_source_trips_the_circuit(
    error: type[errors.FetchError], *, trips: bool
) -> None:
    """What the provider answered about a session is no failure of the provider."""
    limits = dataclasses.replace(pipeline.GATE, circuit_failures=1)
    async with pipeline.Rig(gate_limits=limits) as rig:
        await rig.take(told.event())
        await rig.bring(error())
        assert rig.sources[told.KEY.source].gate.tripped is trips
        assert rig.watch.results == [error.reason]


async def test_retry_after_holds_every_session_of_the_source() -> None:
    """One session's Retry-After holds its neighbours of the same source."""
    async with pipeline.Rig() as rig:
        await rig.take(pipeline.event(1))
        await rig.bring(errors.RateLimited(retry_after_ms=9_000), "tx-1")
        await rig.take(pipeline.event(2))
        await rig.wait(8_999)
        assert rig.provider.flying == {}
        await rig.wait(1)
        assert set(rig.provider.flying) == {"tx-1", "tx-2"}


async def test_denials_hold_sessions_that_nobody_knows() -> None:
    """A spent budget holds sessions never answered for, with one alarm a minute."""
    limits = dataclasses.replace(pipeline.GATE, denied_per_minute=2)
    async with pipeline.Rig(gate_limits=limits) as rig:
        await rig.take(pipeline.event(9))
        await rig.bring(P(), "tx-9")
        for number in (1, 2):
            await rig.take(pipeline.event(number))
            await rig.bring(errors.NoSuchSession(), f"tx-{number}")
        assert rig.watch.alarms == [model.AlarmKind.DENIED_BUDGET]
        await rig.take(pipeline.event(3), pipeline.event(9))
        assert set(rig.provider.flying) == {"tx-9"}


async def _deny_to_the_end(rig: pipeline.Rig) -> None:
    rig.provider.instant = errors.NoSuchSession()
    await rig.take(pipeline.event(1), pipeline.event(2))
    for _ in range(25):
        await rig.wait(told.MINUTE)
    assert rig.ledger.records == {}


async def test_denied_sessions_are_summed_up_once_an_hour() -> None:
    """Sessions that end unseen leave one dead letter with their count, no other."""
    async with pipeline.Rig() as rig:
        await _deny_to_the_end(rig)
        await rig.wait(told.HOUR)
        await rig.gathered()
        letters = rig.ledger.letters
        assert [(letter.reason, letter.count) for letter in letters] == [
            ("denied_sessions", 2)
        ]
        assert rig.ledger.position is not None
        assert rig.ledger.position.denied == ()


async def test_the_summary_survives_a_restart() -> None:
    """What is not summed up yet stands in the position, and the heir sums it up."""
    async with pipeline.Rig() as rig:
        await _deny_to_the_end(rig)
        assert rig.ledger.letters == []
    async with rig.again() as heir:
        await heir.wait(told.HOUR)
        await heir.gathered()
        assert [letter.count for letter in heir.ledger.letters] == [2]


# -- the session whose result kills the process


async def _life(rig: pipeline.Rig, events: int) -> pipeline.Rig:
    """Let a process work on what there is until it dies or a minute is over."""
    end = events
    async with rig:
        position = rig.ledger.position
        first = 0 if position is None else position.next_offset
        rig.offer(pipeline.event(n) for n in range(first, end))
        for _ in range(60):
            await rig.gathered()
            if rig.running.done():
                break
            await rig.wait(told.SECOND)
    return rig.again(end_offset=end)


async def test_a_killer_is_found_and_its_neighbours_are_decided() -> None:
    """A result that kills the process each time is quarantined after K attempts."""
    rig = pipeline.Rig()
    rig.provider.instant = A()
    rig.provider.deadly.add("tx-3")
    kills = 0
    while not any(d.session_id == "tx-3" for d in rig.ledger.decisions):
        rig = await _life(rig, events=8)
        kills += 1
        assert kills <= rig.rules.quarantine_attempts + 3
    assert rig.ledger.outcomes(pipeline.key(3)) == ["pending"]
    assert [(d.session_id, d.reason) for d in rig.ledger.letters] == [
        ("tx-3", "quarantined")
    ]
    for number in set(range(8)) - {3}:
        assert rig.ledger.outcomes(pipeline.key(number)) == ["approved"]


async def test_a_killer_that_is_polled_is_found_too() -> None:
    """A pending session whose poll kills at once leaves no flight, and is found."""
    rig = pipeline.Rig()
    rig.provider.instant = P()
    rig = await _life(rig, events=4)
    rig.provider.deadly.add("tx-3")
    rig.clock.advance(told.HOUR)
    lives = 0
    while not rig.ledger.letters:
        rig = await _life(rig, events=4)
        lives += 1
        assert lives <= rig.rules.quarantine_attempts + 3
    assert [letter.session_id for letter in rig.ledger.letters] == ["tx-3"]


async def test_a_plain_kill_makes_nobody_cautious() -> None:
    """The first start after a kill maps as ever: one kill is no pattern."""
    async with pipeline.Rig() as rig:
        await rig.take(told.event())
        await rig.gathered()
    async with rig.again(end_offset=1) as heir:
        assert not heir.partition.cautious
        await heir.bring(A())
        await heir.gathered()
        assert heir.ledger.position == model.Position(next_offset=1, starts=0)


async def test_the_second_start_in_a_row_is_cautious() -> None:
    """After two starts that never caught up, attempts are written before mapping."""
    rig = pipeline.Rig()
    async with rig:
        await rig.take(told.event())
        await rig.gathered()
    rig = rig.again(end_offset=1)
    async with rig:
        pass
    heir = rig.again(end_offset=1)
    async with heir:
        assert heir.partition.cautious
        heir.ledger.held.clear()
        await heir.gathered()
        await heir.bring(A())
        await heir.wait(told.SECOND)
        assert heir.provider.mapped == []
        heir.ledger.held.set()
        await heir.gathered()
        await heir.gathered()
        assert heir.provider.mapped == [told.KEY.session_id]
        tries = [
            session.tries
            for batch in heir.ledger.batches
            for _, session in batch.sessions
            if session is not None
        ]
        assert 1 in tries
        assert heir.ledger.outcomes() == ["approved"]
        assert not heir.partition.cautious


async def test_a_cautious_process_maps_one_at_a_time() -> None:
    """Of all partitions of a process only one maps a suspect, with its neighbours."""
    rig = pipeline.Rig()
    rig.ledger.position = model.Position(next_offset=0, starts=2)
    rig.end_offset = 3
    rig.__post_init__()
    async with rig:
        await rig.crash_lock.acquire()
        await rig.take(*(pipeline.event(n) for n in range(3)))
        for number in range(3):
            await rig.bring(A(), f"tx-{number}")
        await rig.gathered()
        assert rig.provider.mapped == []
        rig.crash_lock.release()
        for _ in range(12):
            await rig.gathered()
        assert len(rig.provider.mapped) == 3


async def test_letting_go_in_order_is_no_kill() -> None:
    """A partition that moves while it has a backlog makes no owner cautious."""
    rig = pipeline.Rig(end_offset=100)
    for _ in range(4):
        async with rig:
            assert not rig.partition.cautious
            rig.partition.pause()
            await clocks.turns()
            assert rig.ledger.position is not None
            assert rig.ledger.position.starts == 0
        rig = rig.again(end_offset=100)
    rig.running.cancel()
    await asyncio.gather(rig.running, return_exceptions=True)


async def test_going_on_after_letting_go_counts_the_start_again() -> None:
    """A partition that was given back to its owner is watched as before."""
    async with pipeline.Rig(end_offset=100) as rig:
        rig.partition.pause()
        await clocks.turns()
        rig.partition.resume()
        await rig.gathered()
        assert rig.ledger.position == model.Position(next_offset=0, starts=1)
