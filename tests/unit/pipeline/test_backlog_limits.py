"""A leaked URL costs its source's unanswered sessions, and nobody else anything."""

import dataclasses

import pytest

from tests.support import clock as clocks
from tests.support import fakes, inputs, pipeline
from worker import errors, ledger, model, policy
from worker.pipeline import backlog

_OTHER = "other"
_LIMITS = dataclasses.replace(
    pipeline.LIMITS, max_open=5, max_unanswered=10, max_held=10, max_batch=25
)
#: of which the budget is spent by the first denial
_SPENT = dataclasses.replace(pipeline.GATE, denied_per_minute=1, concurrency=2)
_KNOWN = dataclasses.replace(inputs.FETCHED, registered_sessions_only=True)
_HOUR = 3_600_000


def _rig(rules: policy.SourcePolicy = inputs.FETCHED) -> pipeline.Rig:
    return pipeline.Rig(
        rules=rules,
        limits=_LIMITS,
        gate_limits=_SPENT,
        others={_OTHER: fakes.Provider()},
    )


async def _leak(rig: pipeline.Rig, count: int = 300) -> None:
    """Take a real denial that spends the budget, and then a flood of inventions."""
    await rig.take(pipeline.event(0))
    await rig.bring(errors.SessionNotFound(), "tx-0")
    await rig.take(*(pipeline.event(number) for number in range(1, count)))
    for _ in range(40):
        await rig.gathered()


async def test_a_flood_ends_its_longest_waiting_sessions() -> None:
    """Past the source's bound they end, counted in the hour's summary, and alarmed."""
    async with _rig() as rig:
        await _leak(rig)
        memory = rig.partition.memory
        assert len(memory.unanswered) <= _LIMITS.max_unanswered
        assert memory.get(pipeline.key(299)) is not None
        assert memory.get(pipeline.key(100)) is None
        assert rig.partition.next_offset == 300
        assert rig.partition.has_room
        dropped = rig.observer.notes.count(ledger.CounterKind.DROPPED)
        assert dropped == 300 - len(memory)
        assert rig.observer.alarms.count(model.AlarmKind.SESSIONS_DROPPED) == 1
        assert len(rig.ledger.records) == len(memory)
        heir = rig.again()
    async with heir:
        await heir.wait(_HOUR)
        await heir.gathered()
        (letter,) = heir.ledger.letters
        assert letter.reason is model.DeadLetterReason.UNKNOWN_SESSIONS
        assert letter.count >= dropped


async def test_a_flood_leaves_the_other_sources_alone() -> None:
    """Another source's session in the same partition is asked for at once."""
    async with _rig() as rig:
        await _leak(rig)
        await rig.take(pipeline.event(1, _OTHER))
        rig.others[_OTHER].bring(inputs.approved(), "tx-1")
        await clocks.turns()
        await rig.gathered()
        assert rig.ledger.outcomes(pipeline.key(1, _OTHER)) == ["approved"]


@pytest.mark.parametrize("first", ["registered", "called back"])
async def test_a_registered_session_does_not_wait_behind_inventions(first: str) -> None:
    """The company's word is enough to be asked for, before the callback or after it."""
    async with _rig() as rig:
        await _leak(rig)
        steps = [pipeline.registered(500), pipeline.event(500)]
        for step in steps if first == "registered" else reversed(steps):
            await rig.take(step)
        await rig.bring(inputs.approved(), "tx-500")
        await rig.gathered()
        assert rig.ledger.outcomes(pipeline.key(500)) == ["approved"]


async def test_the_gate_forgets_what_has_ended() -> None:
    """However many inventions come, only those that are kept wait at the gate."""
    async with _rig() as rig:
        await _leak(rig)
        gate = rig.sources[inputs.KEY.source].gate
        assert gate.waiting <= _LIMITS.max_unanswered


async def test_a_source_that_gets_answers_is_waited_for() -> None:
    """After an outage of ours no real session ends because many wait."""
    slow = dataclasses.replace(pipeline.GATE, concurrency=1)
    async with pipeline.Rig(limits=_LIMITS, gate_limits=slow) as rig:
        await rig.take(*(pipeline.event(number) for number in range(30)))
        assert not rig.partition.has_room
        assert rig.partition.next_offset == _LIMITS.max_unanswered
        for number in range(30):
            await rig.wait(4_000)
            await rig.bring(inputs.approved(), f"tx-{number}")
            await rig.gathered()
        assert len(rig.ledger.decisions) == 30
        assert rig.partition.has_room
        assert model.AlarmKind.PARTITION_FULL in rig.observer.alarms
        assert model.AlarmKind.SESSIONS_DROPPED not in rig.observer.alarms


async def test_a_source_without_answers_is_waited_for_only_for_a_moment() -> None:
    """A provider that hangs, with many sessions waiting, stops no other source."""
    slow = dataclasses.replace(pipeline.GATE, concurrency=1)
    others = {_OTHER: fakes.Provider()}
    async with pipeline.Rig(limits=_LIMITS, gate_limits=slow, others=others) as rig:
        await rig.take(*(pipeline.event(number) for number in range(30)))
        await rig.take(pipeline.event(1, _OTHER))
        await rig.wait(5_000)
        for _ in range(8):
            await rig.gathered()
        others[_OTHER].bring(inputs.approved(), "tx-1")
        await clocks.turns()
        await rig.gathered()
        assert rig.ledger.outcomes(pipeline.key(1, _OTHER)) == ["approved"]
        # It may be answered yet, and has waited longest.
        assert rig.partition.memory.is_flying(pipeline.key(0))


async def test_a_partition_that_stays_full_is_an_alarm() -> None:
    """Registered sessions fill it: the alarm comes after a minute, and not before."""
    limits = dataclasses.replace(_LIMITS, max_open=2)
    async with pipeline.Rig(limits=limits) as rig:
        for number in (1, 2):
            await rig.take(pipeline.registered(number), pipeline.event(number))
        assert not rig.partition.has_room
        for _ in range(59):
            await rig.wait(1_000)
        assert model.AlarmKind.PARTITION_FULL not in rig.observer.alarms
        for _ in range(60):
            await rig.wait(1_000)
        assert rig.observer.alarms.count(model.AlarmKind.PARTITION_FULL) == 1
        assert rig.partition.memory.busiest() == inputs.KEY.source


async def test_the_bound_of_held_sessions_is_each_source_s_own() -> None:
    """A flood of held callbacks ends none of another source's."""
    async with _rig(_KNOWN) as rig:
        await rig.take(pipeline.event(1, _OTHER))
        await rig.take(*(pipeline.event(number) for number in range(300)))
        for _ in range(40):
            await rig.gathered()
        held = rig.partition.memory.held
        assert held.sessions(inputs.KEY.source) == _LIMITS.max_held
        assert held.sessions(_OTHER) == 1


async def test_long_texts_count() -> None:
    """The bound in bytes is reached before the one in sessions by long ids."""
    limits = dataclasses.replace(
        _LIMITS, max_unanswered=1_000, max_unanswered_bytes=50_000
    )
    async with pipeline.Rig(limits=limits, gate_limits=_SPENT) as rig:
        await _leak(rig, 200)
        waiting = rig.partition.memory.unanswered
        assert waiting.size(inputs.KEY.source) <= 50_000
        assert 20 < len(waiting) < 50


def test_sizes_add_up() -> None:
    """What goes takes its size with it; what changes has its new one."""
    waiting = backlog.Backlog()
    history = inputs.History(inputs.FETCHED)
    history.callback()
    small, large = (
        history.state,
        history.state._replace(seen_delivery_ids=("x" * 100,) * 16),
    )
    for session in (small, large, small):
        waiting.put(inputs.KEY, session)
    assert waiting.size(inputs.KEY.source) == backlog.weigh(small)
    assert backlog.weigh(large) > backlog.weigh(small) + 1_600
    waiting.discard(inputs.KEY)
    assert (len(waiting), waiting.size(inputs.KEY.source)) == (0, 0)


async def test_a_new_owner_keeps_the_bound() -> None:
    """What a release without the bound has left ends at the start, and is counted."""
    async with pipeline.Rig(gate_limits=_SPENT) as rig:
        await _leak(rig)
        assert len(rig.partition.memory.unanswered) == 300
        rig.limits = _LIMITS
        heir = rig.again()
    async with heir:
        await heir.bring(errors.SessionNotFound(), next(iter(heir.provider.flying)))
        for _ in range(40):
            await heir.gathered()
        assert len(heir.partition.memory) <= _LIMITS.max_unanswered
        await heir.wait(1_000)
        assert set(heir.ledger.records) == {
            str(key) for key in heir.partition.memory.open_keys()
        }


async def test_a_purge_ends_what_nobody_speaks_for() -> None:
    """The source's unanswered sessions end in pieces; all others go on."""
    async with pipeline.Rig(
        gate_limits=_SPENT,
        limits=dataclasses.replace(pipeline.LIMITS, max_batch=25),
        others={_OTHER: fakes.Provider()},
    ) as rig:
        await rig.take(pipeline.registered(900), pipeline.event(1, _OTHER))
        await _leak(rig)
        await rig.take(pipeline.purge())
        for _ in range(40):
            await rig.gathered()
        assert rig.observer.purges == [300]
        assert rig.observer.notes.count(ledger.CounterKind.PURGED) == 300
        assert set(rig.ledger.records) == {
            str(pipeline.key(900)),
            str(pipeline.key(1, _OTHER)),
        }
        assert rig.ledger.position is not None
        assert [row[2] for row in rig.ledger.position.unknown] == [300]
        assert rig.sources[inputs.KEY.source].gate.waiting == 0


async def test_a_purge_that_is_cut_off_goes_on() -> None:
    """The next owner takes the command again: the position is not behind it."""
    limits = dataclasses.replace(pipeline.LIMITS, max_batch=25)
    async with pipeline.Rig(gate_limits=_SPENT, limits=limits) as rig:
        await _leak(rig)
        rig.ledger.held.clear()
        await rig.take(pipeline.purge())
        heir = rig.again()
    assert rig.observer.purges == []
    async with heir:
        await heir.take(pipeline.purge())
        for _ in range(40):
            await heir.gathered()
        assert heir.ledger.records == {}
        assert len(heir.partition.memory) == 0
