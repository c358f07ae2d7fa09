"""The log of begins on a real broker: the first one counts, and all replicas agree."""

import asyncio
import contextlib
import uuid
from collections.abc import AsyncIterator

import pytest

from tests.support import transport
from worker import clock as clocks
from worker import codec, model, settings
from worker.kafka import begin_log, event_producer, reader

_HOUR_MS = 3_600_000


def _intent(begin_id: str = "b1") -> model.Intent:
    return model.Intent(
        source="identomat",
        provider="identomat",
        environment=model.Environment.TEST,
        begin_id=begin_id,
        attempt_id=str(uuid.uuid4()),
        reference="customer-1",
        begun_at=clocks.SystemClock().now_ms(),
    )


@contextlib.asynccontextmanager
async def _replica(
    config: settings.Kafka, *, kept_ms: int = 25 * _HOUR_MS
) -> AsyncIterator[begin_log.BeginLog]:
    """Yield what one api process has."""
    clock, log = clocks.SystemClock(), transport.Log()
    sink = event_producer.EventProducer(
        config, clock, log, ack_timeout_ms=10_000, topics=("events", "begins")
    )
    replica = begin_log.BeginLog(
        config,
        clock,
        log,
        sink=sink,
        ack_timeout_ms=10_000,
        window_ms=24 * _HOUR_MS,
        kept_ms=kept_ms,
    )
    sink.start()
    replica.start()
    try:
        yield replica
    finally:
        await replica.close()
        await sink.close(1)


async def _until(holds: object, *, reading: begin_log.BeginLog, key: str) -> None:
    """Wait until *key* stands at *holds* for *reading*."""
    while reading.current(key) != holds:  # noqa: ASYNC110 -- nobody tells
        await asyncio.sleep(0.01)


@pytest.mark.parametrize("round_", range(3))
async def test_of_many_at_once_one_wins_everywhere(
    config: settings.Kafka, round_: int
) -> None:
    """Two replicas and sixteen attempts with one key: all name the same winner."""
    async with _replica(config) as one, _replica(config) as two:
        attempts = [_intent(f"b{round_}") for _ in range(16)]
        stand = await asyncio.gather(
            *(
                (one, two)[number % 2].record_intent(attempt)
                for number, attempt in enumerate(attempts)
            )
        )

        assert len({each.attempt_id for each in stand}) == 1
        assert stand[0] in attempts


async def test_what_ended_is_known_after_a_restart(config: settings.Kafka) -> None:
    """A replica that starts later knows how it ended, and a person's return does."""
    async with _replica(config) as one:
        intent = await one.record_intent(_intent())
        done = intent.registered(1, session_id="s1", provider_session_id="S1")
        waiting = asyncio.create_task(one.find_session("identomat", "b1"))
        await one.record_outcome(done)

        assert await waiting == "s1"
    async with _replica(config) as two:
        await two.caught_up()

        assert done == two.current(done.key)
        assert await two.find_session("identomat", "b1") == "s1"
        assert await two.record_intent(_intent()) == done


async def test_a_loser_s_record_does_not_outlive_the_winner_s(
    config: settings.Kafka,
) -> None:
    """Tidying writes the winner's end anew, and forgets what ended long ago."""
    async with _replica(config) as one, _replica(config, kept_ms=0) as two:
        intent = await one.record_intent(_intent())
        done = intent.registered(1, session_id="s1", provider_session_id="S1")
        await one.record_outcome(done)
        await one.record_intent(_intent())
        await one.refresh_retention()
        found = await transport.fetched(config, "begins")

        assert [None, done.session_id] == [_session(each) for each in found[-2:]]
        await _until(done, reading=two, key=done.key)
        await two.refresh_retention()
        await _until(None, reading=one, key=done.key)
        assert (await transport.fetched(config, "begins"))[-1].record.value is None


def _session(found: reader.ConsumedRecord) -> str | None:
    """Return the session that a record of the topic names."""
    return codec.read_begin(found.record.key, found.record.value).session_id


async def test_an_open_one_is_neither_forgotten_nor_its_session_made_up(
    config: settings.Kafka,
) -> None:
    """What nobody has ended stays, whatever its age."""
    async with _replica(config, kept_ms=0) as one:
        intent = await one.record_intent(_intent())
        await one.refresh_retention()

        assert [intent] == list(one.list_open())
        assert await one.find_session("identomat", "b1") is None
        assert await one.find_session("identomat", "unknown") is None
