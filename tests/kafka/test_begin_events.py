"""Finding in the events which session a begin has made."""

from tests.support import transport
from worker import clock as clocks
from worker import model, settings
from worker.kafka import begin_log, event_producer


def _event(begin_id: str | None, kind: model.EventType, session_id: str) -> model.Event:
    event = transport.event(session_id)
    return event._replace(begin_id=begin_id, type=kind)


async def test_what_proves_a_session(config: settings.Kafka) -> None:
    """A registration and a callback with the begin id do; a return does not."""
    sink = event_producer.EventProducer(
        config, clocks.SystemClock(), transport.Log(), ack_timeout_ms=10_000
    )
    sink.start()
    kinds = model.EventType
    for event in (
        _event("b1", kinds.SESSION_RETURNED, "wrong"),
        _event("b1", kinds.SESSION_REGISTERED, "s1"),
        _event("b1", kinds.CALLBACK_RECEIVED, "later"),
        _event("b2", kinds.CALLBACK_RECEIVED, "s2"),
        _event("b3", kinds.SESSION_RETURNED, "s3"),
        _event(None, kinds.CALLBACK_RECEIVED, "s4"),
        _event("b5", kinds.SESSION_REGISTERED, "s5"),
    ):
        await sink.publish(event)
    await sink.close(1)
    (source,) = {transport.event("x").source}
    keys = {f"{source}:b{number}" for number in range(1, 5)}
    history = begin_log.BegunEvents(config)

    found = await history.find_begin_events(keys, 0)
    result = {key.split(":")[1]: event.session_id for key, event in found.items()}
    assert result in (
        {"b1": "s1", "b2": "s2"},
        {"b1": "later", "b2": "s2"},  # sessions of several partitions have no order
    )
    assert (
        await history.find_begin_events(keys, clocks.SystemClock().now_ms() + 60_000)
        == {}
    )
