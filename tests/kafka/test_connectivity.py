"""Waiting for Kafka at the start: patient, audible, and over once it is there."""

import asyncio

import pytest

from tests.support import transport
from worker.devkit import broker
from worker.kafka import connectivity


class _Clock:
    """Count the time that was slept, and let something happen during it."""

    def __init__(self) -> None:
        self.at_ms = 0
        self.slept: list[float] = []
        self.begin = asyncio.Event()
        self.enough = 40

    def now_ms(self) -> int:
        return self.at_ms

    async def sleep(self, seconds: float) -> None:
        self.at_ms += round(seconds * 1000)
        self.slept.append(seconds)
        if len(self.slept) == self.enough:
            self.begin.set()
        await asyncio.sleep(0.01)


async def test_a_reachable_broker_is_not_waited_for(kafka: str) -> None:
    """Nothing is slept and nothing said."""
    clock, log = _Clock(), transport.Log()

    await connectivity.wait_for_kafka(transport.kafka(kafka), clock, log)

    assert clock.slept == []
    assert log.events == []


async def test_an_unreachable_broker_is_waited_for_aloud(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It is logged at once and then once a minute, until the broker is there."""
    monkeypatch.setattr("random.random", lambda: 0.0)  # the longest waits
    clock, log = _Clock(), transport.Log()
    async with broker.Cluster(properties=transport.QUICK_RETURN) as cluster:
        await cluster.nodes[0].stop()
        waiting = asyncio.create_task(
            connectivity.wait_for_kafka(
                transport.kafka(cluster.bootstrap_servers), clock, log
            )
        )
        await clock.begin.wait()
        said = list(log.events)
        waited_ms = clock.at_ms
        await cluster.nodes[0].start()
        await waiting

    assert waited_ms == 182_750
    assert said == ["kafka.unreachable"] * 3
    assert clock.slept[:7] == [0.25, 0.5, 1.0, 2.0, 4.0, 5.0, 5.0]
    assert log.events[-1] == "kafka.connected"


async def test_why_it_cannot_be_reached_is_a_sentence() -> None:
    """The reason names a class of error, the message what to look at."""
    why = await connectivity.diagnose_connection(transport.kafka("127.0.0.1:1"))

    assert why is not None
    assert why.reason == "ConnectionRefusedError"
    assert "kafka.bootstrap_servers" in why.message


async def test_one_broker_that_answers_is_enough(kafka: str) -> None:
    """Those that are away are passed over."""
    servers = f"127.0.0.1:1,{kafka}"

    for _ in range(4):  # the order is drawn by lot
        assert await connectivity.diagnose_connection(transport.kafka(servers)) is None
