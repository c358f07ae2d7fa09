"""Pause, resume, drain, close: letting a partition go and taking it up again."""

import asyncio
import dataclasses

import pytest

from tests.support import clock as clocks
from tests.support import inputs, pipeline
from worker import errors, model, ports

A, R, P = inputs.approved, inputs.rejected, inputs.pending


async def test_a_paused_partition_takes_and_starts_nothing() -> None:
    """After pause no event is taken and no fetch starts, also none that is due."""
    async with pipeline.Rig() as rig:
        await rig.take(pipeline.event(1))
        await rig.bring(P(), "tx-1")
        rig.partition.pause()
        await rig.take(pipeline.event(2))
        await rig.wait(inputs.DAY)
        assert rig.provider.flying == {}
        rig.partition.resume()
        await rig.gathered()
        assert rig.partition.next_offset == 1


async def test_a_resumed_partition_goes_on_with_its_memory() -> None:
    """After resume what was known is known, and what came due meanwhile starts."""
    async with pipeline.Rig() as rig:
        await rig.take(pipeline.event(1))
        await rig.bring(P(), "tx-1")
        rig.partition.pause()
        await rig.wait(inputs.DAY)
        rig.partition.resume()
        await clocks.turns()
        await rig.bring(A(), "tx-1")
        await rig.gathered()
        assert rig.ledger.outcomes(pipeline.key(1)) == ["pending", "approved"]


async def test_a_fetch_that_lands_during_the_pause_is_committed_after_it() -> None:
    """A result that comes while paused is kept, and not committed before resume."""
    async with pipeline.Rig() as rig:
        await rig.take(pipeline.event(1))
        await rig.gathered()
        rig.partition.pause()
        await clocks.turns()
        await rig.bring(A(), "tx-1")
        await rig.wait(inputs.MINUTE)
        assert rig.ledger.outcomes(pipeline.key(1)) == []
        rig.partition.resume()
        await rig.gathered()
        assert rig.ledger.outcomes(pipeline.key(1)) == ["approved"]


async def test_what_was_offered_and_not_taken_is_offered_again() -> None:
    """Pause forgets the inbox, so that the transport's seek brings it again."""
    limits = dataclasses.replace(pipeline.LIMITS, max_batch=1)
    async with pipeline.Rig(limits=limits) as rig:
        rig.ledger.held.clear()
        rig.offer(pipeline.event(n) for n in range(5))
        await clocks.turns()
        rig.partition.pause()
        taken = rig.partition.next_offset
        assert 0 < taken < 5
        rig.ledger.held.set()
        rig.partition.resume()
        rig.partition.offer(
            ports.ConsumedEvent(n, pipeline.event(n)) for n in range(taken, 5)
        )
        for _ in range(8):
            await rig.gathered()
        assert rig.partition.next_offset == 5
        sessions = [rig.ledger.session(pipeline.key(n)) for n in range(5)]
        assert [session.queued_cause for session in sessions if session] == [None] * 5
        assert set(rig.provider.asked) == {f"tx-{n}" for n in range(5)}


async def test_a_gate_starts_nothing_of_a_paused_partition() -> None:
    """What waits in the gate when the partition pauses starts after resume."""
    limits = dataclasses.replace(pipeline.GATE, concurrency=1)
    async with pipeline.Rig(gate_limits=limits) as rig:
        await rig.take(pipeline.event(1), pipeline.event(2))
        rig.partition.pause()
        await rig.bring(A(), "tx-1")
        assert rig.provider.flying == {}
        rig.partition.resume()
        await rig.gathered()
        await rig.bring(A(), "tx-2")
        await rig.gathered()
        assert rig.ledger.outcomes(pipeline.key(2)) == ["approved"]


async def test_settle_waits_for_the_commit_in_flight() -> None:
    """Settle returns only when the commit that is under way has ended."""
    async with pipeline.Rig() as rig:
        rig.ledger.held.clear()
        await rig.take(inputs.event())
        await rig.gathered()
        settling = asyncio.create_task(rig.partition.settle())
        await clocks.turns()
        assert not settling.done()
        rig.ledger.held.set()
        await settling
        assert rig.ledger.session() is not None


async def test_settle_raises_as_the_commit_does() -> None:
    """Who waits for a commit that fails is told so."""
    async with pipeline.Rig() as rig:
        rig.ledger.held.clear()
        rig.ledger.error = errors.OwnershipLost("fenced")
        await rig.take(inputs.event())
        await rig.gathered()
        settling = asyncio.create_task(rig.partition.settle())
        await clocks.turns()
        rig.ledger.held.set()
        with pytest.raises(errors.OwnershipLost):
            await settling


async def test_close_cancels_everything() -> None:
    """After close no fetch and no commit is under way, and none follows."""
    async with pipeline.Rig() as rig:
        await rig.take(inputs.event())
        await rig.gathered()
        rig.ledger.held.clear()
        await rig.take(pipeline.event(2))
        await rig.gathered()
        batches = len(rig.ledger.batches)
        rig.running.cancel()
        await asyncio.gather(rig.running, return_exceptions=True)
        await rig.partition.close()
        assert rig.provider.flying == {}
        rig.ledger.held.set()
        await rig.wait(inputs.DAY)
        assert len(rig.ledger.batches) == batches


async def test_close_survives_a_fetch_that_ended_badly() -> None:
    """Close does not raise what killed a fetch: the loop has said so."""
    async with pipeline.Rig() as rig:
        rig.provider.deadly.add(inputs.KEY.session_id)
        await rig.take(inputs.event())
        rig.provider.bring(A())
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        await rig.partition.close()
        await asyncio.gather(rig.running, return_exceptions=True)


async def test_what_was_in_flight_is_fetched_by_the_next_owner() -> None:
    """A flight that a close cut off stands in the ledger, and is wanted again."""
    async with pipeline.Rig() as rig:
        await rig.take(inputs.event())
        await rig.gathered()
    async with rig.again() as heir:
        await heir.bring(A())
        await heir.gathered()
        assert heir.ledger.outcomes() == ["approved"]


async def test_an_event_without_a_commit_is_taken_again() -> None:
    """What was taken and not committed is taken by the next owner, from its place."""
    async with pipeline.Rig() as rig:
        rig.ledger.held.clear()
        await rig.take(inputs.event())
        await rig.bring(A())
    async with rig.again() as heir:
        assert heir.partition.next_offset == 0
        await heir.take(inputs.event())
        await heir.bring(A())
        await heir.gathered()
        assert [d.revision for d in heir.ledger.decisions] == [1]


async def test_drain_commits_all_there_is() -> None:
    """Drain lets young fetches land and commits what they brought, in order."""
    async with pipeline.Rig() as rig:
        await rig.take(inputs.event())
        draining = asyncio.create_task(rig.partition.drain())
        await clocks.turns()
        await rig.bring(A())
        await draining
        assert rig.ledger.outcomes() == ["approved"]
        assert rig.ledger.position == model.Position(next_offset=1, starts=0)


async def test_drain_waits_only_so_long() -> None:
    """A fetch that does not land in time is left to the next owner, as an intent."""
    async with pipeline.Rig() as rig:
        await rig.take(inputs.event())
        await asyncio.wait_for(rig.partition.drain(), 5)
        session = rig.ledger.session()
        assert session is not None
        assert session.flight is not None


async def test_drain_during_the_first_commit_waits_for_it() -> None:
    """A drain that comes while the start is being written makes no second commit."""
    rig = pipeline.Rig()
    rig.ledger.held.clear()
    async with rig:
        draining = asyncio.create_task(rig.partition.drain())
        await clocks.turns()
        assert rig.ledger.begun == 1
        rig.ledger.held.set()
        await draining
        assert rig.ledger.position == model.Position(next_offset=0, starts=0)


async def test_drain_raises_as_the_commit_does() -> None:
    """A drain whose commit fails says so."""
    async with pipeline.Rig() as rig:
        rig.ledger.error = errors.OwnershipLost("fenced")
        await rig.take(inputs.event())
        with pytest.raises(errors.OwnershipLost):
            await rig.partition.drain()


async def test_drain_takes_and_starts_nothing_more() -> None:
    """While it drains a partition takes no event and starts no fetch."""
    async with pipeline.Rig() as rig:
        await rig.take(pipeline.event(1))
        draining = asyncio.create_task(rig.partition.drain())
        await clocks.turns()
        await rig.take(pipeline.event(2))
        await rig.bring(P(), "tx-1")
        await draining
        await rig.wait(inputs.DAY)
        assert rig.provider.flying == {}
        assert rig.partition.next_offset == 1


async def test_drain_with_nothing_to_write_still_ends_in_order() -> None:
    """A drain before the backlog was taken is no unclean end."""
    async with pipeline.Rig(end_offset=100) as rig:
        assert rig.ledger.position == model.Position(next_offset=0, starts=1)
        await rig.partition.drain()
        assert rig.ledger.position == model.Position(next_offset=0, starts=0)


async def test_a_closed_partition_starts_nothing() -> None:
    """What a partition left waiting in its gate does not start after its end."""
    limits = dataclasses.replace(pipeline.GATE, concurrency=1)
    async with pipeline.Rig(gate_limits=limits) as rig:
        await rig.take(pipeline.event(1), pipeline.event(2))
        rig.running.cancel()
        await asyncio.gather(rig.running, return_exceptions=True)
        await rig.partition.close()
        await clocks.turns()
        assert rig.provider.asked == {"tx-1": 1}


async def test_a_failed_commit_frees_who_waits_for_it() -> None:
    """A mapping that waits for its attempt to be written ends with the commit."""
    rig = pipeline.Rig(end_offset=1)
    rig.ledger.position = model.Position(next_offset=0, starts=2)
    rig.__post_init__()
    async with rig:
        await rig.take(inputs.event())
        await rig.gathered()
        rig.ledger.error = errors.CommitInDoubt("no answer")
        await rig.bring(A())
        await rig.gathered()
        assert not rig.interrogation.lock.locked()
        assert rig.provider.mapped == []
