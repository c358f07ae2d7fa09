"""A broker that answers a fetch with CORRUPT_MESSAGE: the partition is seen to wait."""

import asyncio
from typing import Any

import aiokafka
import pytest

from tests.support import batches
from tests.support import clock as clocks
from worker import settings
from worker.kafka import lag, membership

_CORRUPT = 2
_MINUTE_MS = 60_000


def _corrupted(topics: list[Any]) -> list[Any]:
    """Return a fetch's answer in which partition 0 has the error instead of records."""
    return [
        (
            topic,
            [
                (number, _CORRUPT, *rest) if number == 0 else (number, code, *rest)
                for number, code, *rest in partitions
            ],
        )
        for topic, partitions in topics
    ]


async def test_it_stands_with_events_behind(
    config: settings.Kafka, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The client raises nothing: only the lag shows it, and not at the neighbour."""
    topic = config.topic("events")
    places = [aiokafka.TopicPartition(topic, number) for number in range(2)]
    for place in places:
        batch = batches.batch([batches.Raw(key=b"k", value=b"v")])
        await batches.write(config.bootstrap_servers, topic, place.partition, batch)
    consumer = membership.consumer(config)
    await consumer.start()
    send = consumer._client.send

    async def sent(*arguments: Any, **named: Any) -> Any:  # noqa: ANN401 -- aiokafka's
        answer = await send(*arguments, **named)
        if type(answer).__name__.startswith("FetchResponse"):
            answer.topics = _corrupted(answer.topics)
        return answer

    monkeypatch.setattr(consumer._client, "send", sent)
    clock = clocks.ManualClock()
    lags = lag.Lag(clock)
    taken = dict.fromkeys(places, 0)
    try:
        consumer.assign(places)
        for place in places:
            consumer.seek(place, 0)
        async with asyncio.timeout(30):
            while not taken[places[1]]:
                for place, records in (await consumer.getmany(timeout_ms=200)).items():
                    taken[place] += len(records)
        assert await consumer.getmany(timeout_ms=500) == {}
        for _ in range(2):
            lags.read(await consumer.end_offsets(places))
            for place in places:
                lags.observe(place, taken[place], room=True)
            clock.advance(_MINUTE_MS)
    finally:
        await consumer.stop()

    assert taken == {places[0]: 0, places[1]: 1}
    assert [lags.records(place, taken[place]) for place in places] == [1, 0]
    assert lags.blocked_ms() >= 2 * _MINUTE_MS
