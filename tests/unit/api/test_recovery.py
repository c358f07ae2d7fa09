"""What becomes of the begins that a process has left."""

import asyncio
import dataclasses
from typing import NoReturn

import pytest

from tests.support import clock as clocks
from tests.unit.api import kit
from worker import errors, model
from worker.api import requests
from worker.telemetry import logs

_LEFT_MS = kit.TIMES.begin + kit.TIMES.ack


def _left(desk: kit.Desk, source: str, begin_id: str = "b1") -> model.Intent:
    """Return an intent whose process is gone."""
    intent = model.Intent(
        source=source,
        provider="identomat",
        environment=model.Environment.TEST,
        begin_id=begin_id,
        attempt_id=f"{source}-{begin_id}",
        reference="customer-1",
        begun_at=desk.clock.now_ms(),
    )
    desk.kafka.write(intent)
    return intent


async def test_a_number_of_ours_is_known(desk: kit.Desk) -> None:
    """Where we choose the session id, it is registered without anybody's help."""
    _left(desk, "ours")
    desk.clock.advance(_LEFT_MS - 1)
    await desk.recovery.run_once()
    assert desk.kafka.events == []
    desk.clock.advance(1)
    await desk.recovery.run_once()
    (event,) = desk.kafka.events

    assert (event.session_id, event.provider_session_id) == ("n-b1", "N-b1")
    assert (event.reference, event.begin_id) == ("customer-1", "b1")
    assert desk.kafka.list_open() == []
    assert desk.observer.recovered_ == [("ours", logs.session_hash("ours", "n-b1"))]


async def test_a_registration_that_was_published_is_found(desk: kit.Desk) -> None:
    """Killed before it wrote the end: the events know the session."""
    intent = _left(desk, "one")
    done = intent.registered(
        desk.clock.now_ms(), session_id="s1", provider_session_id="S1"
    )
    event = requests.begin_registered_event(done)
    await desk.kafka.publish(event)
    desk.clock.advance(_LEFT_MS)
    await desk.recovery.run_once()
    again = desk.kafka.events[-1]

    assert [each.session_id for each in desk.kafka.ends] == ["s1"]
    assert event.event_id == again.event_id
    assert desk.recovery.unresolved() == []


async def test_a_callback_that_holds_the_begin_id_is_proof(desk: kit.Desk) -> None:
    """It may come much later: each stretch of the events is searched once."""
    _left(desk, "one")
    began_at = desk.clock.now_ms()
    desk.clock.advance(_LEFT_MS)
    await desk.recovery.run_once()
    searched_at = desk.clock.now_ms()
    desk.clock.advance(3_600_000)
    await desk.kafka.publish(
        model.Event(
            event_id="e1",
            type=model.EventType.CALLBACK_RECEIVED,
            environment=model.Environment.TEST,
            source="one",
            provider="identomat",
            session_id="s7",
            provider_session_id="S7",
            begin_id="b1",
            received_at=desk.clock.now_ms(),
        )
    )
    await desk.recovery.run_once()

    assert desk.kafka.searched == [began_at - 60_000, searched_at - 60_000]
    assert [each.session_id for each in desk.kafka.ends] == ["s7"]
    assert desk.kafka.events[-1].reference == "customer-1"


async def test_a_later_one_is_looked_for_from_its_own_time(desk: kit.Desk) -> None:
    """What is new is searched for from where it began, not from the last search on."""
    _left(desk, "one", "b1")
    desk.clock.advance(_LEFT_MS - 1)
    second = _left(desk, "one", "b2")
    desk.clock.advance(1)
    await desk.recovery.run_once()
    desk.clock.advance(_LEFT_MS)
    await desk.recovery.run_once()

    assert desk.kafka.searched[1] == second.begun_at - 60_000


async def test_what_nobody_can_find_out_is_shown_for_its_time(desk: kit.Desk) -> None:
    """It stays unresolved, and is forgotten in the end, which is told."""
    intent = _left(desk, "two")
    desk.clock.advance(7 * 86_400_000 - 1)
    await desk.recovery.run_once()

    assert list(desk.recovery.unresolved()) == [intent]
    desk.clock.advance(1)
    await desk.recovery.run_once()
    assert desk.kafka.forgotten == [intent]
    assert desk.observer.left_ == ["two"]
    assert desk.recovery.unresolved() == []


async def test_a_source_that_was_removed_is_shown_all_the_same(desk: kit.Desk) -> None:
    """Nothing can be foretold of it, and it is not forgotten for that."""
    intent = dataclasses.replace(_left(desk, "gone"))
    desk.clock.advance(_LEFT_MS)
    await desk.recovery.run_once()

    assert list(desk.recovery.unresolved()) == [intent]


@pytest.mark.parametrize("point", range(3))
async def test_kafka_away_puts_it_off(desk: kit.Desk, point: int) -> None:
    """Whichever write fails, the next look does it all."""
    _left(desk, "ours", "b1")
    _left(desk, "ours", "b2")
    desk.clock.advance(_LEFT_MS)
    writes = 0
    publish = desk.kafka.publish

    async def count(event: model.Event) -> None:
        nonlocal writes
        desk.kafka.down = int(writes == point)
        writes += 1
        await publish(event)

    desk.kafka.publish = count  # type: ignore[method-assign] # -- Kafka goes, once
    for _ in range(3):
        try:
            await desk.recovery.run_once()
        except errors.KafkaUnavailable:
            continue

    assert desk.recovery.unresolved() == []
    assert {each.session_id for each in desk.kafka.ends} == {"n-b1", "n-b2"}


async def test_an_intent_that_was_given_up_is_freed(desk: kit.Desk) -> None:
    """Written although nobody was told: nothing came of it, and its process knows."""
    intent = _left(desk, "one")
    desk.debts.never_called(intent)
    await desk.recovery.run_once()

    assert [each.stage for each in desk.kafka.ends] == [model.BeginStage.FAILED]
    assert len(desk.debts) == 0


async def test_an_intent_that_is_not_there_is_waited_for(desk: kit.Desk) -> None:
    """It may be on its way, for a while."""
    intent = dataclasses.replace(_left(desk, "one"), attempt_id="another")
    desk.debts.never_called(intent)
    await desk.recovery.run_once()
    assert len(desk.debts) == 1
    desk.clock.advance(120_000)
    await desk.recovery.run_once()

    assert len(desk.debts) == 0
    assert desk.kafka.tidied == 2


async def test_what_cannot_be_settled_stops_no_other(
    desk: kit.Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the error is: the next begin is settled in the same look."""
    _left(desk, "ours", "b1")
    _left(desk, "ours", "b2")
    desk.clock.advance(_LEFT_MS)
    publish = desk.kafka.publish

    async def refuse(event: model.Event) -> None:
        if event.session_id == "n-b1":
            raise ValueError(event.session_id)
        await publish(event)

    monkeypatch.setattr(desk.kafka, "publish", refuse)
    await desk.recovery.run_once()

    assert [each.session_id for each in desk.kafka.ends] == ["n-b2"]
    assert desk.observer.faults == [("ours", "ValueError")]


async def test_it_survives_any_error_of_what_it_reads(
    desk: kit.Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next look is made as ever, and settles what is left."""

    async def broken(*_: object) -> NoReturn:
        b"\xff".decode()
        raise AssertionError

    _left(desk, "one")
    desk.clock.advance(_LEFT_MS)
    with monkeypatch.context() as patch:
        patch.setattr(desk.kafka, "find_begin_events", broken)
        running = asyncio.create_task(desk.recovery.run())
        await clocks.turns()
    _left(desk, "ours")
    desk.clock.advance(_LEFT_MS + 120_000)
    await clocks.turns()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)

    assert desk.observer.faults == [("", "UnicodeDecodeError")]
    assert [each.source for each in desk.kafka.ends] == ["ours"]
