"""One partition's loop: events, fetches, positions, letting go."""

import dataclasses

import pytest

from tests.support import clock as clocks
from tests.support import inputs, pipeline
from worker import errors, ledger, model, ports

A, R, P = inputs.approved, inputs.rejected, inputs.pending


async def test_a_callback_becomes_a_decision() -> None:
    """An event is fetched, decided, and committed with the position after it."""
    async with pipeline.Rig() as rig:
        await rig.take(inputs.event())
        await rig.bring(A())
        await rig.gathered()
        assert rig.ledger.outcomes() == ["approved"]
        assert rig.ledger.position == model.Position(next_offset=1, starts=0)
        assert rig.observer.decisions == rig.ledger.decisions


async def test_a_fast_decision_goes_out_with_its_event() -> None:
    """A fetch that is back within the gather time costs no transaction of its own."""
    async with pipeline.Rig() as rig:
        before = len(rig.ledger.batches)
        await rig.take(inputs.event())
        await rig.bring(A())
        await rig.gathered()
        assert len(rig.ledger.batches) == before + 1


async def test_a_slow_provider_does_not_hold_the_position_back() -> None:
    """What is not back in time has its intent in the ledger and is decided later."""
    async with pipeline.Rig() as rig:
        await rig.take(inputs.event())
        await rig.gathered()
        assert rig.ledger.position == model.Position(next_offset=1, starts=0)
        intent = rig.ledger.session()
        assert intent is not None
        assert intent.flight is not None
        await rig.wait(inputs.MINUTE)
        await rig.bring(A())
        assert rig.ledger.outcomes() == ["approved"]


async def test_no_position_passes_an_event_without_its_effects() -> None:
    """Whatever is committed when, each event before the position is in the ledger."""
    async with pipeline.Rig() as rig:
        rig.ledger.held.clear()
        for number in range(40):
            await rig.take(pipeline.event(number))
            if number % 3 == 0:
                await rig.bring(A(), f"tx-{number}")
            if number % 7 == 0:
                rig.ledger.held.set()
                await rig.gathered()
                rig.ledger.held.clear()
        rig.ledger.held.set()
        await rig.gathered()
        await rig.gathered()
        known: set[model.SessionKey] = set()
        for batch in rig.ledger.batches:
            known.update(key for key, _ in batch.sessions)
            passed = {pipeline.key(n) for n in range(batch.position.next_offset)}
            assert passed <= known
        assert len(known) == 40


async def test_events_are_taken_in_order_and_once() -> None:
    """Records offered again, as after a seek, are passed over."""
    async with pipeline.Rig() as rig:
        records = [ports.ConsumedEvent(n, pipeline.event(n)) for n in range(3)]
        rig.partition.offer(records)
        rig.partition.offer(records[1:])
        await clocks.turns()
        await rig.gathered()
        sessions = [rig.ledger.session(pipeline.key(n)) for n in range(3)]
        assert [session.queued_cause for session in sessions if session] == [None] * 3
        assert rig.partition.next_offset == 3
        assert rig.provider.asked == {"tx-0": 1, "tx-1": 1, "tx-2": 1}


async def test_one_commit_is_in_flight_and_the_next_gathers() -> None:
    """While a commit is under way, everything else goes into one more."""
    async with pipeline.Rig() as rig:
        rig.provider.instant = A()
        before = len(rig.ledger.batches)
        rig.ledger.held.clear()
        for number in range(10):
            await rig.take(pipeline.event(number))
            await rig.gathered()
        assert rig.ledger.begun == before + 1
        rig.ledger.held.set()
        await rig.gathered()
        first, second = rig.ledger.batches[before:]
        assert (len(first.decisions), len(second.decisions)) == (1, 9)
        assert second.position.next_offset == 10


async def test_a_long_backlog_goes_out_in_bounded_transactions() -> None:
    """No transaction takes much more than its share of records in."""
    limits = dataclasses.replace(pipeline.LIMITS, max_batch=10)
    async with pipeline.Rig(limits=limits) as rig:
        await rig.take(*(pipeline.event(n) for n in range(45)))
        for _ in range(6):
            await rig.gathered()
        written = [len(batch.sessions) for batch in rig.ledger.batches]
        assert max(written) <= 10
        assert rig.ledger.position == model.Position(next_offset=45, starts=0)


async def test_a_stuck_commit_with_a_backlog_burns_no_cpu() -> None:
    """With a full batch waiting for Kafka the loop sleeps; it does not spin."""
    limits = dataclasses.replace(pipeline.LIMITS, max_batch=5)
    async with pipeline.Rig(limits=limits) as rig:
        rig.ledger.held.clear()
        await rig.take(*(pipeline.event(n) for n in range(50)))
        await rig.gathered()
        looks = 0
        wait = rig.partition._wait

        async def counted(wait_ms: int | None) -> None:
            nonlocal looks
            looks += 1
            await wait(wait_ms)

        rig.partition._wait = counted  # type: ignore[method-assign]  # counts turns
        await clocks.turns(200)
        assert looks <= 2
        rig.ledger.held.set()
        for _ in range(12):
            await rig.gathered()
        assert rig.partition.next_offset == 50


async def test_the_next_group_gathers_while_a_full_batch_commits() -> None:
    """A commit under way does not keep the next events from being taken."""
    limits = dataclasses.replace(pipeline.LIMITS, max_batch=5)
    async with pipeline.Rig(limits=limits) as rig:
        await rig.gathered()
        rig.ledger.held.clear()
        await rig.take(*(pipeline.event(n) for n in range(50)))
        await rig.gathered()
        assert rig.partition.next_offset == 10


async def test_a_failed_commit_ends_the_loop() -> None:
    """After a failed transaction nothing is committed, taken or told any more."""
    async with pipeline.Rig() as rig:
        before = len(rig.ledger.batches)
        rig.ledger.error = errors.CommitInDoubt("no answer")
        await rig.take(inputs.event())
        await rig.gathered()
        with pytest.raises(errors.CommitInDoubt):
            await rig.running
        await rig.bring(A())
        with pytest.raises(errors.CommitInDoubt):
            await rig.partition.drain()
        assert len(rig.ledger.batches) == before
        assert rig.observer.decisions == []


async def test_a_position_that_led_to_nothing_waits_for_company() -> None:
    """An event without effect moves the position in a transaction a second later."""
    async with pipeline.Rig() as rig:
        await rig.gathered()
        before = len(rig.ledger.batches)
        await rig.take(inputs.event(model.EventType.SESSION_RETURNED))
        await rig.wait(rig.limits.idle_commit_ms - 1)
        assert len(rig.ledger.batches) == before
        await rig.wait(1)
        assert rig.ledger.position == model.Position(next_offset=1, starts=0)
        assert rig.observer.notes == [ledger.CounterKind.RETURN_IGNORED]


async def test_due_work_starts_by_itself() -> None:
    """A pending session is polled when its time has come."""
    async with pipeline.Rig() as rig:
        await rig.take(inputs.event())
        await rig.bring(P())
        await rig.wait(rig.rules.recheck_ms(0))
        await rig.bring(A())
        await rig.gathered()
        assert rig.ledger.outcomes() == ["pending", "approved"]
        assert rig.ledger.decisions[-1].cause.type is model.CauseType.POLL


async def test_a_callback_during_the_flight_is_fetched_after_it() -> None:
    """A callback that comes while a fetch is out leads to another one."""
    async with pipeline.Rig() as rig:
        await rig.take(inputs.event())
        await rig.take(inputs.event())
        await rig.bring(P())
        assert rig.provider.asked[inputs.KEY.session_id] == 2


async def test_a_clock_that_was_ahead_delays_no_callback() -> None:
    """After the clock was put right by an hour, a callback is still fetched at once."""
    async with pipeline.Rig() as rig:
        await rig.take(inputs.event())
        await rig.bring(P())
        rig.clock.set_back(inputs.HOUR)
        await rig.take(inputs.event())
        await rig.bring(A())
        await rig.gathered()
        assert rig.ledger.outcomes() == ["pending", "approved"]


async def test_stubs_are_forgotten_after_their_retention() -> None:
    """The hourly sweep forgets old stubs, and their latest decisions with them."""
    async with pipeline.Rig() as rig:
        await rig.take(inputs.event())
        await rig.bring(A())
        await rig.gathered()
        await rig.wait(rig.rules.session_retention_ms)
        await rig.gathered()
        assert rig.ledger.session() is None
        assert rig.ledger.batches[-1].deleted_sessions == [inputs.KEY]


async def test_a_session_that_begins_again_keeps_its_new_decision() -> None:
    """A decision in the transaction that forgets the old ones is not forgotten."""
    async with pipeline.Rig() as rig:
        rig.provider.instant = A()
        await rig.take(inputs.event())
        await rig.gathered()
        rig.ledger.held.clear()
        await rig.take(pipeline.event(2))
        await rig.wait(rig.rules.session_retention_ms)
        await rig.take(inputs.event())
        rig.ledger.held.set()
        await rig.gathered()
        last = rig.ledger.batches[-1]
        assert [d.key for d in last.decisions] == [inputs.KEY]
        assert [d.revision for d in last.decisions] == [1]
        assert inputs.KEY not in last.deleted_sessions


async def test_the_sweep_takes_a_few_at_a_time() -> None:
    """However many stubs there are, all are looked at each hour, in short steps."""
    limits = dataclasses.replace(pipeline.LIMITS, max_batch=200)
    async with pipeline.Rig(limits=limits) as rig:
        rig.provider.instant = A()
        await rig.take(*(pipeline.event(n) for n in range(450)))
        await rig.gathered()
        rig.clock.advance(rig.rules.session_retention_ms)
        for _ in range(6):
            await rig.wait(100)
        written = [len(batch.deleted_sessions) for batch in rig.ledger.batches]
        assert sum(written) == 450
        assert max(written) <= 200
        assert rig.ledger.records == {}


async def test_a_recheck_command_is_taken() -> None:
    """A recheck event is fetched at once, although a final was just fetched."""
    async with pipeline.Rig() as rig:
        await rig.take(inputs.event())
        await rig.bring(A())
        await rig.take(inputs.event(model.EventType.RECHECK_REQUESTED))
        await rig.bring(R())
        await rig.gathered()
        assert rig.ledger.outcomes() == ["approved", "rejected"]


async def test_telemetry_hears_of_everything() -> None:
    """Notes, alarms, fetches and transactions are told, with their sizes and times."""
    async with pipeline.Rig() as rig:
        rig.observer.commits.clear()
        await rig.take(inputs.event())
        await rig.wait(250)
        rig.ledger.held.clear()
        await rig.bring(errors.ProviderAuthFailed())
        await rig.gathered()
        await rig.wait(500)
        rig.ledger.held.set()
        await clocks.turns()
        assert rig.observer.notes == [ledger.CounterKind.RETRY]
        assert rig.observer.alarms == [model.AlarmKind.PROVIDER_AUTH_FAILED]
        assert rig.observer.seconds == [0.25]
        # The session and the position; the session, a decision twice, the position.
        assert rig.observer.commits == [(2, 0.0), (4, 0.505)]


async def test_lost_events_are_looked_for() -> None:
    """After a gap in the topic every open session is fetched again at once."""
    async with pipeline.Rig() as rig:
        await rig.take(inputs.event())
        await rig.bring(P())
        await rig.gathered()
    async with rig.again(recheck_open=True) as heir:
        await heir.bring(A())
        await heir.gathered()
        assert heir.ledger.outcomes() == ["pending", "approved"]
