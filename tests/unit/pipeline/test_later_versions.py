"""Records of a later schema version wait alone for a release that reads them."""

import dataclasses

from tests.support import inputs, later_release, pipeline
from worker import codec, model, ports
from worker.kafka import event_decoder

_HOUR_MS = 3_600_000
_TOPIC = "kyc.events"


def _unread(event: model.Event, offset: int, padding: int = 0) -> ports.ConsumedEvent:
    """Return what the transport makes of *event* in a later version."""
    record = later_release.as_version_2(codec.event_record(event))
    found = model.UnreadRecord(
        topic=_TOPIC,
        partition=0,
        offset=offset,
        timestamp=inputs.START,
        key=record.key,
        value=(record.value or b"") + b" " * padding,
        headers=tuple(record.headers),
    )
    return event_decoder.decode_event(found, inputs.START, pipeline.PARTITIONS)


def _as_read(record: model.UnreadRecord, now: int) -> ports.ConsumedEvent:
    """Read *record* as the later release does."""
    value = (record.value or b"").replace(b'"schema_version":2', b'"schema_version":1')
    read = dataclasses.replace(record, value=value)
    return event_decoder.decode_event(read, now, pipeline.PARTITIONS)


class _Newer(pipeline.Rig):
    """A worker of the later release."""

    def decode(self, record: model.UnreadRecord, now: int) -> ports.ConsumedEvent:
        """Read *record* as this release does."""
        return _as_read(record, now)


def _newer(rig: pipeline.Rig, **changes: object) -> _Newer:
    again = rig.again()
    again.running.cancel()  # it has begun by being made
    held = {each.name: getattr(again, each.name) for each in dataclasses.fields(again)}
    return _Newer(**{**held, **changes})


async def _offered(rig: pipeline.Rig, *taken: ports.ConsumedEvent) -> None:
    rig.partition.offer(taken)
    await rig.take()
    await rig.gathered()


async def test_it_waits_and_its_neighbours_are_decided() -> None:
    """Before and after it, in its partition, and of its session; with an alarm."""
    async with pipeline.Rig() as rig:
        rig.provider.instant = inputs.approved()
        await _offered(
            rig,
            ports.ConsumedEvent(0, pipeline.event(1)),
            _unread(pipeline.event(2), 1),
            _unread(pipeline.event(3), 2),
            ports.ConsumedEvent(3, pipeline.event(3)),
        )
        for n in (1, 3):
            assert rig.ledger.outcomes(pipeline.key(n)) == ["approved"]
        assert rig.ledger.outcomes(pipeline.key(2)) == []
        assert (rig.partition.unread, rig.partition.next_offset) == (2, 4)
        assert rig.observer.alarms == [model.AlarmKind.UNKNOWN_VERSION]
        assert rig.ledger.letters == []

    async with rig.again() as still:
        await still.gathered()
        assert still.partition.unread == 2
        assert still.observer.alarms == [model.AlarmKind.UNKNOWN_VERSION] * 2

    async with _newer(still) as later:
        await later.wait(20)
        assert later.partition.unread == 0
        assert later.ledger.outcomes(pipeline.key(2)) == ["approved"]
        assert later.ledger.outcomes(pipeline.key(3)) == ["approved"]
        assert not [key for key in later.ledger.records if key.startswith("__")]
        assert later.ledger.letters == []


async def test_what_the_later_release_refuses_is_a_dead_letter() -> None:
    """It is refused by its own word, as if it were read at its place."""
    bad = pipeline.event(1)._replace(reference="x" * 300)
    async with pipeline.Rig() as rig:
        await _offered(rig, _unread(bad, 0))
    async with _newer(rig) as later:
        await later.wait(20)
        (letter,) = later.ledger.letters
        assert (letter.last_error, letter.place) == ("field_too_long", f"{_TOPIC}:0:0")


async def test_of_an_unknown_source_it_waits_on_for_that() -> None:
    """The time that it has waited already counts."""
    async with pipeline.Rig() as rig:
        await _offered(rig, _unread(pipeline.event(1, source="elsewhere"), 0))
        await rig.wait(50 * _HOUR_MS)
    async with _newer(rig) as later:
        await later.gathered()
        assert (later.partition.unread, len(later.partition.memory.deferred)) == (0, 1)
        for _ in range(23):
            await later.wait(_HOUR_MS)
            await later.gathered()
        (letter,) = later.ledger.letters
        assert (letter.last_error, letter.session_id) == ("unknown_source", "tx-1")


async def test_a_purge_is_not_run_late() -> None:
    """It would end sessions that came after it."""
    async with pipeline.Rig() as rig:
        await _offered(rig, _unread(pipeline.purge(), 0))
    async with _newer(rig) as later:
        await later.take(pipeline.event(1))
        await later.gathered()
        (letter,) = later.ledger.letters
        assert (letter.last_error, letter.redrive) == ("unknown_version", None)
        assert later.ledger.session(pipeline.key(1)) is not None


async def test_past_the_room_it_is_a_dead_letter_with_its_place() -> None:
    """Who invents versions fills a bounded room, and stops nobody."""
    limits = dataclasses.replace(pipeline.LIMITS, max_deferred=1)
    async with pipeline.Rig(limits=limits) as rig:
        records = (_unread(pipeline.event(n + 1), n) for n in range(3))
        await _offered(rig, *records)
        assert rig.partition.unread == 1
        assert [f"{_TOPIC}:0:1", f"{_TOPIC}:0:2"] == [
            each.place for each in rig.ledger.letters
        ]
        assert {("unmappable", "unknown_version")} == {
            (each.reason, each.last_error) for each in rig.ledger.letters
        }


async def test_a_large_one_does_not_wait() -> None:
    """It is never kept in the inbox either."""
    taken = _unread(pipeline.event(1), 0, padding=model.UNREAD_MAX_BYTES)
    assert taken.unread is None
    async with pipeline.Rig() as rig:
        await _offered(rig, taken)
        assert [each.last_error for each in rig.ledger.letters] == ["unknown_version"]
        assert rig.observer.alarms == [model.AlarmKind.UNKNOWN_VERSION]


async def test_what_has_waited_too_long_is_a_dead_letter() -> None:
    """So is what may not wait any more, which is how a person ends the waiting."""
    async with pipeline.Rig() as rig:
        await _offered(rig, _unread(pipeline.event(1), 0))
        for _ in range(71):
            await rig.wait(_HOUR_MS)
            await rig.gathered()
        assert (rig.partition.unread, rig.ledger.letters) == (1, [])
        await rig.wait(2 * _HOUR_MS)
        await rig.gathered()
        assert [each.place for each in rig.ledger.letters] == [f"{_TOPIC}:0:0"]
        assert rig.partition.unread == 0

    async with pipeline.Rig() as other:
        await _offered(other, _unread(pipeline.event(1), 0))
    none = dataclasses.replace(pipeline.LIMITS, max_deferred=0)
    async with dataclasses.replace(other.again(), limits=none) as later:
        await later.gathered()
        assert [each.last_error for each in later.ledger.letters] == ["unknown_version"]
        assert later.partition.unread == 0


def test_an_older_release_leaves_it_alone() -> None:
    """It takes the record for a session that has ended, whatever the event holds."""
    hostile = model.UnreadRecord(
        topic=_TOPIC,
        partition=0,
        offset=7,
        timestamp=-1,
        key=None,
        value=b'{"due":1,"flight":2,"schema_version":2}',
        headers=(('"due":', b'"flight":'), ("\x00é", None)),
    )
    value = codec.encode_deferred(hostile, inputs.START)

    assert not codec.has_open_state(value)
    assert codec.is_unread(value)
    read, at = codec.read_deferred(value)
    assert (read, at) == (dataclasses.replace(hostile, timestamp=0), inputs.START)
    event = pipeline.event(1)._replace(claim={'"held_record":': "x"})
    assert not codec.is_unread(codec.encode_deferred(event, inputs.START))
