"""The ingress's producer without a broker: refused in time, and back by itself."""

import asyncio
import gc
import logging
import time

import pytest
from aiokafka.producer import message_accumulator

from tests.support import transport
from worker import clock, errors
from worker.devkit import broker
from worker.kafka import event_producer, topics

_ACK_MS = 1000


def _sink(
    servers: str, log: transport.Log | None = None
) -> event_producer.EventProducer:
    config = transport.kafka(servers)
    return event_producer.EventProducer(
        config, clock.SystemClock(), log or transport.Log(), ack_timeout_ms=_ACK_MS
    )


async def _refused_after(sink: event_producer.EventProducer) -> float:
    began = time.monotonic()
    with pytest.raises(errors.KafkaUnavailable):
        await sink.publish(transport.event("s"))
    return time.monotonic() - began


async def _accepted_after(sink: event_producer.EventProducer) -> float:
    """Publish as an ingress does, whose callers try again, until it is accepted."""
    began = time.monotonic()
    while time.monotonic() - began < 20:
        try:
            await sink.publish(transport.event("again"))
        except errors.KafkaUnavailable:
            continue
        break
    return time.monotonic() - began


@pytest.mark.parametrize("how", ["kill", "freeze"])
async def test_an_outage_is_refused_in_time_and_survived(how: str) -> None:
    """Each publication fails within its time; soon after the return all is well."""
    log = transport.Log()
    async with broker.Cluster(properties=transport.QUICK_RETURN) as cluster:
        await topics.create(transport.kafka(cluster.bootstrap_servers))
        sink = _sink(cluster.bootstrap_servers, log)
        sink.start()
        await _accepted_after(sink)
        node = cluster.nodes[0]
        node.kill() if how == "kill" else node.suspend()

        waited = [await _refused_after(sink) for _ in range(3)]
        down = sink.reachable
        if how == "kill":
            await node.start()
        else:
            node.thaw()
        back = await _accepted_after(sink)
        up = sink.reachable
        await sink.close(1)

    assert max(waited) < _ACK_MS / 1000 + 1
    assert not down
    assert back < 5
    assert up
    assert "producer.connected" == log.events[0] == log.events[-1]
    assert "producer.disconnected" in log.events


def _batches() -> int:
    """Return how many batches of records are in memory."""
    gc.collect()
    kind = message_accumulator.MessageBatch
    return sum(isinstance(each, kind) for each in gc.get_objects())


async def _burst(sink: event_producer.EventProducer) -> set[type]:
    """Publish at once; return the kinds of answers, whose tracebacks hold batches."""
    answers = await asyncio.gather(
        *(sink.publish(transport.event(f"s{n}")) for n in range(300)),
        return_exceptions=True,
    )
    return {type(each) for each in answers}


async def test_memory_stays_flat_while_nobody_answers(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """What was refused is not kept to be sent later."""
    # pytest keeps what is logged: an error whose traceback holds the batches, where
    # aiokafka's request times out before ours does.
    caplog.set_level(logging.CRITICAL, "aiokafka")
    before = _batches()
    async with broker.Cluster() as cluster:
        await topics.create(transport.kafka(cluster.bootstrap_servers))
        sink = _sink(cluster.bootstrap_servers)
        sink.start()
        await _accepted_after(sink)
        cluster.nodes[0].suspend()
        answers = set().union(*[await _burst(sink) for _ in range(4)])
        # The last producer may still be on its way out.
        async with asyncio.timeout(20):
            while (kept := _batches()) > before or sink._link is not None:  # noqa: ASYNC110 -- nothing tells
                await asyncio.sleep(0.1)
        waiting = sink._link
        await sink.close(0.1)

    assert {errors.KafkaUnavailable} == answers
    assert waiting is None
    assert kept <= before


async def test_an_idle_producer_notices_the_outage_by_itself() -> None:
    """Without a publication to fail, the metric still tells."""
    async with broker.Cluster() as cluster:
        await topics.create(transport.kafka(cluster.bootstrap_servers))
        log = transport.Log()
        sink = _sink(cluster.bootstrap_servers, log)
        sink.start()
        await _accepted_after(sink)
        cluster.nodes[0].kill()

        await asyncio.wait_for(log.discarded.wait(), 15)
        reachable = sink.reachable
        await sink.close(1)

    assert not reachable


async def test_a_producer_may_start_before_kafka() -> None:
    """It refuses until Kafka is there, and then it does not."""
    async with broker.Cluster(properties=transport.QUICK_RETURN) as cluster:
        await topics.create(transport.kafka(cluster.bootstrap_servers))
        node = cluster.nodes[0]
        await node.stop()
        sink = _sink(cluster.bootstrap_servers)
        sink.start()

        waited = await _refused_after(sink)
        await node.start()
        back = await _accepted_after(sink)
        await sink.close(1)

    assert waited < _ACK_MS / 1000 + 1
    assert back < 5
