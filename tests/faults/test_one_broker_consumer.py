"""What goes wrong around the consumer: it is built again, and nothing is lost."""

import asyncio
import pathlib

import aiokafka
import pytest
from aiokafka import admin

from tests.support import assertions, fault_injection, system
from tests.support import kafka_timeouts as profiles


async def _said(process: system.Process, text: str, times: profiles.Times) -> None:
    """Return once *process* has logged *text*."""
    async with asyncio.timeout(times.patience_s):
        while text not in process.logged():  # noqa: ASYNC110 -- a file tells nobody
            await asyncio.sleep(0.05)


@pytest.mark.parametrize("which", ["revoked", "assigned"])
async def test_a_listener_that_raises_leaves_no_partition_without_an_owner(
    kafka: str,
    topic_prefix: str,
    tmp_path: pathlib.Path,
    times: profiles.Times,
    which: str,
) -> None:
    """Aiokafka only logs it: the member begins anew by itself."""
    async with system.System(kafka, topic_prefix, tmp_path, times=times) as running:
        ingress = running.start("ingress")
        worker = running.start(
            "worker", module=fault_injection.by("listener_raises", which)
        )
        await running.ready(ingress)
        await running.ready(worker)
        if which == "revoked":
            await running.ready(running.start("worker"))
        await _said(worker, '"reason":"RuntimeError"', times)
        truths, callbacks = assertions.sessions(running, 20)
        await system.Driver([ingress]).send(callbacks)
        await assertions.check(running, truths)

    assert worker.logged().count('"reason":"RuntimeError"') == 1


async def test_a_consumer_whose_polls_fail_is_built_again(
    kafka: str, topic_prefix: str, tmp_path: pathlib.Path, times: profiles.Times
) -> None:
    """As after a heartbeat error that aiokafka does not know; then all is decided."""
    trigger = tmp_path / "raise"
    async with system.System(kafka, topic_prefix, tmp_path, times=times) as running:
        ingress = running.start("ingress")
        worker = running.start(
            "worker", module=fault_injection.by("poll_raises", str(trigger))
        )
        await running.ready(ingress)
        await running.ready(worker)
        truths, callbacks = assertions.sessions(running, 40, latency_s=0.05)
        sending = asyncio.create_task(system.Driver([ingress], 8).send(callbacks))
        trigger.touch()
        await _said(worker, '"partition":-1,"reason":"KafkaError"', times)
        trigger.unlink()
        await sending
        await assertions.check(running, truths)
        assert worker.popen.poll() is None


async def test_a_cancellation_that_leaks_out_of_aiokafka_ends_nothing(
    kafka: str, topic_prefix: str, tmp_path: pathlib.Path, times: profiles.Times
) -> None:
    """
    It is an error like any other: consumer and partitions are built again.

    Taken for the end of the process, it ended the worker (chaos run, seed 4).
    """
    trigger = tmp_path / "leak"
    async with system.System(kafka, topic_prefix, tmp_path, times=times) as running:
        ingress = running.start("ingress")
        worker = running.start(
            "worker", module=fault_injection.by("cancellation_leaks", str(trigger))
        )
        await running.ready(ingress)
        await running.ready(worker)
        truths, callbacks = assertions.sessions(running, 40, latency_s=0.05)
        sending = asyncio.create_task(system.Driver([ingress], 8).send(callbacks))
        trigger.touch()
        await _said(worker, '"partition":-1,"reason":"LeakedCancellation"', times)
        trigger.unlink()
        await sending
        await assertions.check(running, truths)
        assert worker.popen.poll() is None


async def test_back_pressure_survives_a_hand_over(
    kafka: str, topic_prefix: str, tmp_path: pathlib.Path, times: profiles.Times
) -> None:
    """Partitions that were paused because they are full go on, whoever has them."""
    async with system.System(
        kafka,
        topic_prefix,
        tmp_path,
        times=times,
        partitions=2,
        worker_more="max_queued_events = 2\nmax_open_sessions = 4\n"
        "max_unanswered_sessions = 8",
    ) as running:
        ingress, first = running.start("ingress"), running.start("worker")
        await running.ready(ingress)
        await running.ready(first)
        # Far more than may be open: they wait in their topic.
        truths, callbacks = assertions.sessions(running, 100, latency_s=0.05)
        await system.Driver([ingress]).send(callbacks)
        second = running.start("worker")
        await running.ready(second)
        some, callbacks = assertions.sessions(running, 40, latency_s=0.05)
        await system.Driver([ingress]).send(callbacks)
        first.popen.kill()
        await assertions.check(running, truths | some)
        # And with nobody coming or going: full again and again, a little at a time.
        last, callbacks = assertions.sessions(running, 60, latency_s=0.05)
        await system.Driver([ingress], at_once=4).send(callbacks)
        await assertions.check(running, truths | some | last)


async def test_events_that_fell_out_of_their_topic_are_an_alarm(
    kafka: str, topic_prefix: str, tmp_path: pathlib.Path, times: profiles.Times
) -> None:
    """That partition stands still, the others work; it goes on when it is told to."""
    async with system.System(
        kafka, topic_prefix, tmp_path, times=times, partitions=2
    ) as running:
        ingress, worker = running.start("ingress"), running.start("worker")
        await running.ready(ingress)
        await running.ready(worker)
        # So many that no partition is without one.
        truths, callbacks = assertions.sessions(running, 40)
        await system.Driver([ingress]).send(callbacks)
        await assertions.check(running, truths)
        worker.popen.kill()
        # Sent again, they say nothing new: none of them is missed.
        await system.Driver([ingress]).send(callbacks)
        await _empty(running, 0)

        worker = running.start("worker")
        await _said(worker, "partition 0 of", times)
        await _said(worker, '"kind":"position_lost"', times)
        assert worker.logged().count("partition.restored") == 1
        worker.popen.kill()
        worker = running.start("worker", arguments=["--skip-lost-events"])
        await running.ready(worker)
        assert worker.logged().count("partition.gap_accepted") == 1
        more, callbacks = assertions.sessions(running, 8)
        await system.Driver([ingress]).send(callbacks)
        await assertions.check(running, truths | more)


async def _empty(running: system.System, number: int) -> None:
    """Delete all events of one partition, as their retention does."""
    kafka = running.settings.kafka
    place = aiokafka.TopicPartition(kafka.topic("events"), number)
    reader = aiokafka.AIOKafkaConsumer(bootstrap_servers=kafka.bootstrap_servers)
    client = admin.AIOKafkaAdminClient(bootstrap_servers=kafka.bootstrap_servers)
    await reader.start()
    await client.start()
    try:
        end = (await reader.end_offsets([place]))[place]
        await client.delete_records({place: admin.RecordsToDelete(end)})
    finally:
        await client.close()
        await reader.stop()
