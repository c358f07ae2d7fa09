"""Events of sources that this worker does not know wait for it, within bounds."""

import dataclasses

from tests.support import fakes, inputs, pipeline
from worker import codec, model

_HOUR_MS = 3_600_000
_DAY_MS = 24 * _HOUR_MS
_NEW = "elsewhere"


def _events(count: int) -> list[model.Event]:
    """Return events of a source that is not known, one a session."""
    return [pipeline.event(n, source=_NEW) for n in range(1, count + 1)]


async def test_an_event_of_an_unknown_source_is_decided_once_it_is_known() -> None:
    """It stands in the ledger, with an alarm; the next owner that knows it goes on."""
    async with pipeline.Rig() as rig:
        await rig.take(*_events(3), pipeline.event(9))
        await rig.bring(inputs.approved(), "tx-9")
        await rig.gathered()
        assert rig.ledger.letters == []
        assert rig.observer.alarms == [model.AlarmKind.UNKNOWN_SOURCE]
        assert rig.ledger.outcomes(pipeline.key(9)) == ["approved"]
        assert len(rig.partition.memory.deferred) == 3

    async with rig.again() as still:
        await still.gathered()
        assert len(still.partition.memory.deferred) == 3
        assert still.observer.alarms == [model.AlarmKind.UNKNOWN_SOURCE] * 2

    added = fakes.Provider()
    later = dataclasses.replace(still.again(), others={_NEW: added})
    async with later:
        for n in (1, 2, 3):
            added.bring(inputs.approved(), f"tx-{n}")
        await later.wait(20)
        assert len(later.partition.memory.deferred) == 0
        for n in (1, 2, 3):
            assert later.ledger.outcomes(pipeline.key(n, _NEW)) == ["approved"]
        assert not [key for key in later.ledger.records if key.startswith("__")]


async def test_a_signed_verdict_is_not_lost() -> None:
    """The claim of a signed callback waits with its event: it comes only once."""
    event = _events(1)[0]
    async with pipeline.Rig(rules=inputs.SIGNED) as rig:
        await rig.take(event._replace(provider="idbeyond"))
        await rig.gathered()

    added = fakes.Provider()
    added.claims[event.event_id] = inputs.signed(inputs.approved())
    later = dataclasses.replace(rig.again(), others={_NEW: added})
    async with later:
        await later.wait(20)
        assert later.ledger.outcomes(event.key) == ["approved"]
        assert later.ledger.decisions[0].cause.event_id == event.event_id


async def test_they_are_taken_in_the_order_of_their_offsets() -> None:
    """The ledger's compaction may shuffle them: offset 10 comes after offset 9."""
    async with pipeline.Rig() as rig:
        await rig.take(*_events(12))
        await rig.gathered()
    shuffled = dict(sorted(rig.ledger.records.items()))
    rig.ledger.records.clear()
    rig.ledger.records.update(shuffled)

    added = fakes.Provider()
    later = dataclasses.replace(rig.again(), others={_NEW: added})
    async with later:
        await later.wait(20)
        assert [f"tx-{n}" for n in range(1, 13)] == list(added.asked)


async def test_past_the_room_they_are_buried_with_a_command() -> None:
    """Who invents sources fills a bounded room, and stops nobody."""
    limits = dataclasses.replace(pipeline.LIMITS, max_deferred=2)
    async with pipeline.Rig(limits=limits) as rig:
        events = _events(5)
        await rig.take(*events, pipeline.event(9))
        await rig.bring(inputs.approved(), "tx-9")
        await rig.gathered()
        assert len(rig.partition.memory.deferred) == 2
        assert [
            ("unmappable", "unknown_source", event.event_id) for event in events[2:]
        ] == [(one.reason, one.last_error, one.event_id) for one in rig.ledger.letters]
        assert rig.ledger.letters[0].redrive == model.redrive_command(events[2].key)
        assert rig.observer.alarms == [model.AlarmKind.UNKNOWN_SOURCE]
        assert rig.ledger.outcomes(pipeline.key(9)) == ["approved"]


async def test_the_room_is_bounded_in_bytes() -> None:
    """So is what one event may take of it."""
    limits = dataclasses.replace(pipeline.LIMITS, max_deferred_bytes=1_500)
    large = _events(1)[0]._replace(claim={f"k{n}": "x" * 128 for n in range(64)})
    async with pipeline.Rig(limits=limits) as rig:
        await rig.take(*_events(5))
        await rig.gathered()
        kept = sum(len(v) for k, v in rig.ledger.records.items() if k[0] == "_")
        assert 0 < kept <= 1_500
        assert len(rig.ledger.letters) == 5 - len(rig.partition.memory.deferred)

    async with pipeline.Rig() as rig:
        await rig.take(large)
        await rig.gathered()
        assert len(rig.partition.memory.deferred) == 0
        assert [one.last_error for one in rig.ledger.letters] == ["unknown_source"]


async def test_what_has_waited_too_long_is_buried() -> None:
    """After three days it is a dead letter, while its event can still be redriven."""
    async with pipeline.Rig() as rig:
        await rig.take(*_events(1))
        await rig.gathered()
        await rig.wait(2 * _DAY_MS)
        await rig.gathered()
        assert rig.ledger.letters == []
        for _ in range(26):
            await rig.wait(_HOUR_MS)
            await rig.gathered()
        assert [one.last_error for one in rig.ledger.letters] == ["unknown_source"]
        assert len(rig.partition.memory.deferred) == 0
        assert not [key for key in rig.ledger.records if key.startswith("__")]
        told_of = len(rig.observer.alarms)
        await rig.wait(_HOUR_MS)
        assert told_of == len(rig.observer.alarms)


def test_an_older_release_leaves_them_alone() -> None:
    """It takes each for a session that has ended, whatever the event holds."""
    event = _events(1)[0]._replace(claim={"due": None, "flight": "x", '"due":': None})
    value = codec.encode_deferred(event, inputs.START)

    assert not codec.has_open_state(value)
    assert (event, inputs.START) == codec.read_deferred(value)
    traced = event._replace(traceparent=f"00-{'a' * 32}-{'b' * 16}-01")
    assert traced == codec.read_deferred(codec.encode_deferred(traced, 0))[0]
