"""Trouble of one event, one mapping, one partition: bounded, buried, told of."""

import asyncio
import dataclasses

import pytest

from tests.support import clock as clocks
from tests.support import fakes, inputs, pipeline
from worker import model, ports

A = inputs.approved


async def test_an_event_whose_claim_crashes_is_buried() -> None:
    """An adapter that raises on an event costs that event and no other."""
    async with pipeline.Rig() as rig:
        bad, good = pipeline.event(1), pipeline.event(2)
        rig.provider.claims[bad.event_id] = ValueError("no")
        await rig.take(bad, good)
        await rig.bring(A(), "tx-2")
        await rig.gathered()
        assert [letter.reason for letter in rig.ledger.letters] == ["quarantined"]
        assert rig.observer.alarms == [model.AlarmKind.QUARANTINED]
        assert rig.ledger.outcomes(pipeline.key(2)) == ["approved"]


async def test_a_record_that_was_no_event_is_buried() -> None:
    """What the transport could not read is committed as the letter it became."""
    async with pipeline.Rig() as rig:
        letter = model.DeadLetter(
            dead_letter_id="d",
            reason=model.DeadLetterReason.UNMAPPABLE,
            source="",
            session_id=None,
            event_id=None,
            attempts=1,
            first_seen_at=inputs.START,
            last_error="malformed",
            at=inputs.START,
        )
        await rig.take(letter)
        await rig.gathered()
        assert rig.ledger.letters == [letter]
        assert rig.partition.next_offset == 1


async def test_the_inbox_is_bounded() -> None:
    """A partition that cannot keep up says that it has no room."""
    limits = dataclasses.replace(pipeline.LIMITS, inbox=10, max_batch=5)
    async with pipeline.Rig(limits=limits) as rig:
        rig.ledger.held.clear()
        await rig.take(*(pipeline.event(n) for n in range(30)))
        assert not rig.partition.has_room
        rig.ledger.held.set()
        for _ in range(8):
            await rig.gathered()
        assert rig.partition.has_room


async def test_open_sessions_are_bounded() -> None:
    """With too many registered sessions open a partition takes no more."""
    limits = dataclasses.replace(pipeline.LIMITS, max_open=2)
    async with pipeline.Rig(limits=limits) as rig:
        for number in (1, 2):
            await rig.take(pipeline.registered(number), pipeline.event(number))
        assert not rig.partition.has_room
        await rig.bring(A(), "tx-1")
        assert rig.partition.has_room


async def test_a_mapping_that_raises_costs_that_session_alone() -> None:
    """A crash of the mapping is retried, then quarantined; a neighbour is decided."""
    async with pipeline.Rig() as rig:
        await rig.take(pipeline.event(1), pipeline.event(2))
        await rig.bring(A(), "tx-2")
        for _ in range(rig.rules.quarantine_attempts):
            await rig.bring(ZeroDivisionError(), "tx-1")
            await rig.wait(inputs.MINUTE)
        assert [letter.reason for letter in rig.ledger.letters] == ["quarantined"]
        assert rig.ledger.outcomes(pipeline.key(1)) == ["pending"]
        assert rig.ledger.outcomes(pipeline.key(2)) == ["approved"]


async def test_what_no_fetch_may_raise_is_quarantined_too() -> None:
    """An adapter's fetch that raises something unforeseen is a crash of it."""
    async with pipeline.Rig() as rig:
        await rig.take(inputs.event())
        rig.provider.flying[inputs.KEY.session_id].set_exception(KeyError("x"))
        await clocks.turns()
        assert rig.observer.results == ["quarantined"]
        await rig.gathered()
        session = rig.ledger.session()
        assert session is not None
        assert session.mapping_attempts == 1


async def test_what_kills_a_fetch_ends_the_loop() -> None:
    """A fetch that ends as none may takes its partition with it."""
    async with pipeline.Rig() as rig:
        rig.provider.deadly.add(inputs.KEY.session_id)
        await rig.take(inputs.event())
        await rig.bring(A())
        with pytest.raises(fakes.Killed):
            await asyncio.wait_for(rig.running, 1)


async def test_sessions_of_a_removed_source_are_left_alone() -> None:
    """What a source left open that is no longer configured stops and alarms nobody."""
    other = fakes.Provider()
    async with pipeline.Rig(others={"biometric": other}) as rig:
        await rig.take(pipeline.event(1, "biometric"))
        await rig.gathered()
    rig.others = {}
    async with rig.again(recheck_open=True) as heir:
        heir.clock.advance(inputs.HOUR)
        await heir.take(pipeline.event(2))
        await heir.bring(A(), "tx-2")
        await heir.gathered()
        assert heir.ledger.position == model.Position(next_offset=2, starts=0)
        assert heir.ledger.session(pipeline.key(1, "biometric")) is not None


async def test_a_clock_put_back_under_the_gate_loses_no_poll() -> None:
    """A poll that waits for room when the clock goes back starts at its time."""
    limits = dataclasses.replace(pipeline.GATE, concurrency=1)
    async with pipeline.Rig(gate_limits=limits) as rig:
        await rig.take(pipeline.event(1))
        await rig.bring(inputs.pending(), "tx-1")
        await rig.take(pipeline.event(2))
        await rig.wait(rig.rules.recheck_ms(0))
        rig.clock.set_back(inputs.MINUTE)
        await rig.bring(A(), "tx-2")
        assert rig.provider.flying == {}
        await rig.wait(inputs.MINUTE)
        assert set(rig.provider.flying) == {"tx-1"}


async def test_events_before_the_position_are_passed_over() -> None:
    """What the ledger says was taken is not taken again, wherever a seek went."""
    rig = pipeline.Rig()
    rig.ledger.position = model.Position(next_offset=5)
    rig.__post_init__()
    async with rig:
        rig.partition.offer(
            ports.ConsumedEvent(n, pipeline.event(n)) for n in range(3, 7)
        )
        await clocks.turns()
        assert rig.provider.asked == {"tx-5": 1, "tx-6": 1}


async def test_a_fetch_that_has_landed_is_not_young() -> None:
    """A commit waits for fetches that are out, and for no other."""
    async with pipeline.Rig() as rig:
        begun = rig.ledger.begun
        rig.provider.instant = A()
        await rig.take(inputs.event())
        assert rig.ledger.begun == begun + 1
