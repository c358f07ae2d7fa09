"""The session whose result kills the process is found, and no other suffers."""

import asyncio
import itertools

from tests.support import clock as clocks
from tests.support import fakes, inputs, pipeline
from worker import codec, errors, model, ports
from worker.pipeline import poison_pill, session_store

A, P = inputs.approved, inputs.pending


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
            await rig.wait(inputs.SECOND)
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
    rig.clock.advance(inputs.HOUR)
    lives = 0
    while not rig.ledger.letters:
        rig = await _life(rig, events=4)
        lives += 1
        assert lives <= rig.rules.quarantine_attempts + 3
    assert [letter.session_id for letter in rig.ledger.letters] == ["tx-3"]


async def test_a_plain_kill_makes_nobody_cautious() -> None:
    """The first start after a kill maps as ever: one kill is no pattern."""
    async with pipeline.Rig() as rig:
        await rig.take(inputs.event())
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
        await rig.take(inputs.event())
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
        await heir.wait(inputs.SECOND)
        assert heir.provider.mapped == []
        heir.ledger.held.set()
        await heir.gathered()
        await heir.gathered()
        assert heir.provider.mapped == [inputs.KEY.session_id]
        tries = [
            codec.read_session(value).mapping_attempts
            for batch in heir.ledger.batches
            for _, value in batch.sessions
            if value is not None
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
        await rig.interrogation.lock.acquire()
        await rig.take(*(pipeline.event(n) for n in range(3)))
        for number in range(3):
            await rig.bring(A(), f"tx-{number}")
        await rig.gathered()
        assert rig.provider.mapped == []
        rig.interrogation.lock.release()
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


async def test_a_session_that_is_no_suspect_does_not_wait() -> None:
    """What came after the start is mapped as ever, in a cautious process too."""
    rig = pipeline.Rig()
    rig.ledger.position = model.Position(next_offset=0, starts=2)
    rig.end_offset = 1
    rig.__post_init__()
    async with rig:
        assert rig.partition.cautious
        await rig.interrogation.lock.acquire()
        await rig.take(pipeline.event(0), pipeline.event(1))
        await rig.bring(A(), "tx-0")
        await rig.bring(A(), "tx-1")
        assert rig.provider.mapped == ["tx-1"]
        rig.interrogation.lock.release()


def test_events_before_the_end_are_suspect() -> None:
    """Only an event that was in the topic at the start makes its session suspect."""
    careful = poison_pill.PoisonPillGuard(5, 0, 0, poison_pill.PoisonPillRegistry())
    careful.record_started(pipeline.key(4), 4)
    careful.record_started(pipeline.key(5), 5)
    assert careful.suspects == {pipeline.key(4)}


def test_catching_up_waits_for_every_suspect() -> None:
    """As long as a suspect is in flight or due, nothing is caught up."""
    history, sessions = inputs.History(), session_store.SessionStore()
    careful = poison_pill.PoisonPillGuard(1, 0, 0, poison_pill.PoisonPillRegistry())
    careful.begin([inputs.KEY])
    history.callback()
    for step in (history.start, lambda: history.answer(P())):
        sessions.put(inputs.KEY, history.state)
        assert not careful.caught_up(1, sessions, history.now)
        step()
    sessions.put(inputs.KEY, history.state)
    assert not careful.caught_up(0, sessions, history.now)
    assert careful.caught_up(1, sessions, history.now)
    assert (careful.starts, careful.suspects) == (0, set())


def test_a_suspect_that_is_gone_keeps_nobody() -> None:
    """A suspect that the ledger has forgotten is none."""
    careful = poison_pill.PoisonPillGuard(0, 3, 0, poison_pill.PoisonPillRegistry())
    careful.begin([inputs.KEY])
    assert careful.cautious
    assert careful.caught_up(0, session_store.SessionStore(), inputs.START)
    assert not careful.caught_up(0, session_store.SessionStore(), inputs.START)


def test_a_suspect_that_is_due_later_keeps_nobody() -> None:
    """A suspect whose next fetch is due only later has landed."""
    session = inputs.decided(P()).state
    sessions = session_store.SessionStore()
    sessions.put(inputs.KEY, session)
    careful = poison_pill.PoisonPillGuard(0, 1, 0, poison_pill.PoisonPillRegistry())
    careful.begin([inputs.KEY])
    assert session.due_at is not None
    assert not careful.caught_up(0, sessions, session.due_at)
    assert careful.caught_up(0, sessions, session.due_at - 1)


class _Refusing(fakes.Ledger):
    """Topics that take no decision, until they do."""

    refusing = True

    async def commit(self, batch: ports.Batch) -> None:
        """Write *batch*, unless there is a decision in it."""
        if batch.decisions and self.refusing:
            raise errors.RecordTooLarge("a decision")
        await super().commit(batch)


async def test_a_process_that_lives_suspects_nobody_twice() -> None:
    """Commits that fail start the partition over and over: that is no killer's work."""
    topics, shared = _Refusing(), poison_pill.PoisonPillRegistry()
    topics.position = model.Position(next_offset=0, starts=2)
    lives = inputs.FETCHED.quarantine_attempts + 3
    for life in range(lives):
        topics.refusing = life < lives - 1
        rig = pipeline.Rig(
            ledger=topics,
            interrogation=shared,
            end_offset=1,
            offsets=itertools.count(topics.position.next_offset),
        )
        rig.provider.instant = A()
        async with rig:
            if not topics.position.next_offset:
                await rig.take(inputs.event())
            for _ in range(6):
                await rig.gathered()
            assert rig.running.done() is topics.refusing
    assert (topics.outcomes(), topics.letters) == (["approved"], [])


async def test_starts_of_a_process_that_lives_count_once() -> None:
    """What ends a partition and not its process makes nobody cautious."""
    topics, shared = _Refusing(), poison_pill.PoisonPillRegistry()
    for _ in range(4):
        rig = pipeline.Rig(ledger=topics, interrogation=shared, end_offset=100)
        async with rig:
            await rig.gathered()
            assert not rig.partition.cautious
        assert topics.position is not None
        assert topics.position.starts == 1
    heir = pipeline.Rig(ledger=topics, end_offset=100)
    async with heir:
        assert heir.partition.cautious
    # Another process has counted its start since: it is not ours any more.
    again = pipeline.Rig(ledger=topics, interrogation=shared, end_offset=100)
    async with again:
        assert again.partition.cautious
