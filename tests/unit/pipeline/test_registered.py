"""Registered sessions in a partition: deadlines, polls, returns; and strangers."""

import dataclasses

from tests.support import inputs, pipeline
from worker import errors, ledger, model, policy

A, P = inputs.approved, inputs.pending
_PROGRESS = P(model.Reason.IN_PROGRESS)
_REGISTERED = model.EventType.SESSION_REGISTERED
_RETURNED = model.EventType.SESSION_RETURNED
_QUICK = dataclasses.replace(
    inputs.FETCHED,
    session_deadline_ms=inputs.HOUR,
    polling=policy.PollSchedule(max_attempts=15),
    overdue_attempts=2,
)
_KNOWN = dataclasses.replace(_QUICK, registered_sessions_only=True)
_STRICT = dataclasses.replace(_KNOWN, fetches=False)
_UNKNOWN = model.DeadLetterReason.UNKNOWN_SESSIONS


def _registered(number: int | None = None) -> model.Event:
    key = inputs.KEY if number is None else pipeline.key(number)
    return inputs.event(_REGISTERED, key=key, reference="order-1", begin_id="begin-1")


def _returned() -> model.Event:
    return inputs.event(_RETURNED, begin_id="begin-1")


async def test_a_lost_callback_is_found_at_the_deadline() -> None:
    """A registered session that nobody calls back about is asked for by itself."""
    async with pipeline.Rig(rules=_QUICK) as rig:
        await rig.take(_registered())
        await rig.wait(inputs.HOUR - 1)
        assert not rig.provider.asked
        await rig.wait(1)
        await rig.bring(A())
        await rig.gathered()
        assert rig.ledger.outcomes() == ["approved"]
        assert rig.ledger.decisions[0].reference == "order-1"
        assert rig.observer.steps == [
            ledger.Milestone.REGISTERED,
            ledger.Milestone.CALLBACKS_MISSED,
        ]


async def test_an_abandoned_session_ends_not_completed() -> None:
    """What is not finished long after its deadline is rejected, and can be retried."""
    async with pipeline.Rig(rules=_QUICK) as rig:
        rig.provider.instant = errors.NotReady()
        await rig.take(_registered())
        await rig.wait(inputs.HOUR)
        assert not rig.ledger.decisions
        await rig.wait(_QUICK.recheck_pending_ms[0])
        await rig.gathered()
        (decision,) = rig.ledger.decisions
        assert decision.verdict.reason is model.Reason.NOT_COMPLETED
        assert rig.observer.steps[-1] is ledger.Milestone.NOT_COMPLETED


async def test_a_worker_that_was_down_asks_first() -> None:
    """The next owner finds the deadline over, and fetches before anything else."""
    async with pipeline.Rig(rules=_QUICK) as rig:
        await rig.take(_registered())
        await rig.gathered()
        rig.clock.advance(9 * inputs.DAY)
        heir = rig.again()
    async with heir:
        assert heir.provider.asked == {inputs.KEY.session_id: 1}
        assert not heir.ledger.decisions


async def test_a_return_starts_polls_that_write_little() -> None:
    """Fifteen fast polls are made, and their answers are one record in all."""
    async with pipeline.Rig(rules=_QUICK) as rig:
        await rig.take(_registered(), _returned())
        await rig.bring(_PROGRESS)
        await rig.gathered()
        before = len(rig.ledger.batches)
        for _ in range(16):
            await rig.wait(5_000)
            if rig.provider.flying:
                await rig.bring(_PROGRESS)
        assert rig.provider.asked[inputs.KEY.session_id] == 16
        assert len(rig.ledger.batches) - before == 1
        assert rig.ledger.outcomes() == ["pending"]


async def test_polls_go_on_with_the_next_owner() -> None:
    """What was not written of the polls is made again, and none is left out."""
    async with pipeline.Rig(rules=_QUICK) as rig:
        await rig.take(_registered(), _returned())
        await rig.bring(_PROGRESS)
        await rig.gathered()
        for _ in range(5):
            await rig.wait(5_000)
            await rig.bring(_PROGRESS)
        heir = rig.again()
    async with heir:
        await heir.bring(A())
        await heir.gathered()
        assert heir.ledger.outcomes() == ["pending", "approved"]
        assert [d.revision for d in heir.ledger.decisions] == [1, 2]


async def test_waiting_sessions_take_no_room() -> None:
    """Any number may wait for their deadline: the partition takes more events."""
    limits = dataclasses.replace(pipeline.LIMITS, max_open=2)
    async with pipeline.Rig(rules=_QUICK, limits=limits) as rig:
        await rig.take(*(_registered(number) for number in range(9)))
        assert rig.partition.has_room
        assert rig.partition.memory.open == 9


# -- strangers


async def test_a_stranger_s_callback_waits_for_its_registration() -> None:
    """Where only known sessions count it is fetched once it is registered."""
    async with pipeline.Rig(rules=_KNOWN) as rig:
        await rig.take(inputs.event())
        await rig.wait(inputs.MINUTE)
        assert not rig.provider.asked
        await rig.take(_registered())
        await rig.bring(A())
        await rig.gathered()
        assert rig.ledger.outcomes() == ["approved"]


async def test_a_held_verdict_survives_its_worker() -> None:
    """A signed verdict that waits stands in the ledger, and is told by the next."""
    async with pipeline.Rig(rules=_STRICT) as rig:
        callback = inputs.event()
        rig.provider.claims[callback.event_id] = inputs.signed(A(at=1))
        await rig.take(callback)
        await rig.gathered()
        assert not rig.ledger.decisions
        heir = rig.again()
    async with heir:
        await heir.take(_registered())
        await heir.gathered()
        assert heir.ledger.outcomes() == ["approved"]


async def test_strangers_are_summed_up_once_an_hour() -> None:
    """They end after the grace time, as one dead letter with their count."""
    async with pipeline.Rig(rules=_KNOWN) as rig:
        await rig.take(*(pipeline.event(number) for number in range(7)))
        await rig.wait(_KNOWN.registration_grace_ms)
        await rig.gathered()
        assert rig.observer.notes.count(ledger.CounterKind.UNKNOWN) == 7
        assert not rig.ledger.records
        assert rig.ledger.position is not None
        assert [row[2] for row in rig.ledger.position.unknown] == [7]
        heir = rig.again()
    async with heir:
        await heir.wait(inputs.HOUR)
        await heir.gathered()
        (letter,) = heir.ledger.letters
        assert (letter.reason, letter.count) == (_UNKNOWN, 7)
        assert heir.ledger.position is not None
        assert heir.ledger.position.unknown == ()


async def test_a_flood_of_strangers_is_bounded() -> None:
    """Past the bound those that waited longest end, and each is counted."""
    limits = dataclasses.replace(pipeline.LIMITS, max_held=10)
    async with pipeline.Rig(rules=_KNOWN, limits=limits) as rig:
        await rig.take(*(pipeline.event(number) for number in range(50)))
        await rig.gathered()
        assert len(rig.partition.memory.held) == len(rig.partition.memory) == 10
        assert rig.observer.notes.count(ledger.CounterKind.UNKNOWN) == 40
        assert rig.partition.memory.get(pipeline.key(49)) is not None
        assert rig.partition.memory.get(pipeline.key(39)) is None
        assert rig.partition.has_room


async def test_no_stranger_ends_while_events_are_behind() -> None:
    """A worker that has to catch up may find the registration among the events."""
    async with pipeline.Rig(rules=_STRICT) as rig:
        callback = inputs.event()
        rig.provider.claims[callback.event_id] = inputs.signed(A(at=1))
        await rig.take(callback)
        await rig.gathered()
        rig.clock.advance(inputs.DAY)
        heir = rig.again(end_offset=2)
    async with heir:
        await heir.wait(1)
        await heir.take(_registered())
        await heir.gathered()
        assert heir.ledger.outcomes() == ["approved"]


async def test_a_stranger_costs_no_place_at_the_gate() -> None:
    """With the provider's circuit open a stranger ends at its time all the same."""
    limits = dataclasses.replace(pipeline.GATE, circuit_failure_threshold=1)
    async with pipeline.Rig(rules=_KNOWN, gate_limits=limits) as rig:
        await rig.take(_registered(1), pipeline.event(1))
        await rig.bring(errors.ProviderTimeout(), "tx-1")
        assert rig.sources[inputs.KEY.source].gate.tripped
        await rig.take(pipeline.event(2))
        await rig.wait(_KNOWN.registration_grace_ms)
        assert rig.observer.notes.count(ledger.CounterKind.UNKNOWN) == 1


async def test_an_overdue_session_that_nobody_can_ask_about_is_counted() -> None:
    """Without anything to fetch the deadline is a count, and nothing is asked."""
    rules = dataclasses.replace(_QUICK, fetches=False)
    async with pipeline.Rig(rules=rules) as rig:
        await rig.take(_registered())
        await rig.wait(inputs.HOUR)
        await rig.gathered()
        assert rig.observer.steps[-1] is ledger.Milestone.OVERDUE_UNPOLLABLE
        assert rig.partition.memory.open == 1
        await rig.wait(rules.overdue_retention_ms)
        await rig.gathered()
        assert rig.partition.memory.open == 0
        assert not rig.provider.asked
        assert not rig.ledger.decisions
        session = rig.ledger.session()
        assert session is not None
        assert session.reference == "order-1"
