"""What cannot be decoded, in every topic that is read, on a real broker."""

import asyncio
import dataclasses

import pytest

from tests.support import batches, later_release, transport
from worker import clock as clocks
from worker import codec, errors, model, settings
from worker.kafka import begin_log, ledger_partition, partitioning, reader

_BAD = batches.Raw(key=b"k", value=b"v", headers=[(b"\xff", b"x")])
_HOUR_MS = 3_600_000


def _raw(record: codec.Record) -> batches.Raw:
    headers = [(name.encode(), value) for name, value in record.headers]
    return batches.Raw(key=record.key, value=record.value, headers=headers)


async def _write(
    config: settings.Kafka, name: str, number: int, *raws: batches.Raw
) -> None:
    await batches.write(
        config.bootstrap_servers, config.topic(name), number, batches.batch(raws)
    )


async def test_only_that_partition_of_the_ledger_is_refused(
    config: settings.Kafka, logs: list[ledger_partition.LedgerPartition]
) -> None:
    """With its place, and what to do; the others restore."""
    await _write(config, "ledger", 1, _BAD)
    for number in range(2):
        logs.append(ledger_partition.LedgerPartition(config, number))
        await logs[-1].fence()

    found = await logs[0].restore(lambda *_: None)
    assert found.records == 0
    with pytest.raises(errors.LedgerUnreadable) as raised:
        await logs[1].restore(lambda *_: None)

    assert f"{config.topic('ledger')}:1:0 " in str(raised.value)
    assert "header_not_utf8" in str(raised.value)


@pytest.mark.parametrize(
    "foreign",
    [
        batches.Raw(key=b"\xff", value=b"v"),
        batches.Raw(key=model.POSITION_KEY.encode(), value=b"junk"),
    ],
)
async def test_a_ledger_record_that_no_worker_wrote_is_refused(
    config: settings.Kafka,
    logs: list[ledger_partition.LedgerPartition],
    foreign: batches.Raw,
) -> None:
    """A key that is no text, a position that is none."""
    await _write(config, "ledger", transport.PARTITION, foreign)
    log = await transport.owner(config, logs)

    with pytest.raises(errors.LedgerUnreadable, match=r"ledger:1:0 "):
        await log.restore(lambda *_: None)


async def test_readers_pass_over_it(config: settings.Kafka) -> None:
    """The records before and after it come; the position is past it."""
    good = _raw(codec.event_record(transport.event("s1")))
    await _write(config, "events", 1, good, _BAD, good)
    await _write(config, "events", 1, _BAD)
    await _write(config, "events", 1, good)

    found = await transport.fetched(config, "events")

    assert [each.offset for each in found] == [0, 2, 4]


async def test_the_begins_of_others_are_found_behind_it(config: settings.Kafka) -> None:
    """The api's look into the events survives what stands there."""
    kind = model.EventType.SESSION_REGISTERED
    event = transport.event("s1")._replace(begin_id="b1", type=kind)
    record = codec.event_record(event)
    number = partitioning.partition_of(record.key, config.partitions)
    later = dataclasses.replace(
        later_release.as_version_2(record), headers=[("ce_id", b"\xff")]
    )
    hostile = [
        batches.Raw(),
        batches.Raw(key=record.key, value=b'"begin_id"'),
        batches.Raw(key=b"\xff", value=record.value),
        batches.Raw(key=record.key, value=b"[" * 100_000),
        batches.Raw(key=record.key, value=b'{"begin_id":"b1","schema_version":1e99}'),
        batches.Raw(key=record.key, value=record.value, headers=[(b"", None)]),
    ]
    await _write(config, "events", number, _BAD, *hostile[:-1], _raw(later))
    await _write(config, "events", number, hostile[-1], _raw(record), _BAD)

    found = await begin_log.BegunEvents(config).find_begin_events({"one:b1"}, 0)

    assert [each.session_id for each in found.values()] == ["s1"]


async def test_the_log_of_begins_is_read_behind_it(config: settings.Kafka) -> None:
    """An api process becomes ready, whatever stands in the topic."""
    clock = clocks.SystemClock()
    for number in range(config.partitions):
        await _write(config, "begins", number, _BAD)
    follower = begin_log.BeginFollower(
        config, clock, transport.Log(), window_ms=_HOUR_MS, kept_ms=_HOUR_MS
    )
    follower.start()
    try:
        async with asyncio.timeout(60):
            await follower.caught_up()
    finally:
        await follower.close()

    assert follower.ready


async def test_a_history_of_a_key_is_read_behind_it(config: settings.Kafka) -> None:
    """As ``kyc-worker session`` reads it."""
    good = batches.Raw(key=b"one:s", value=b"{}")
    await _write(config, "ledger", 1, good, _BAD, good)

    topic = config.topic("ledger")
    found = await reader.read_key_history(config, topic, 1, b"one:s")

    assert [each.offset for each in found] == [0, 2]
