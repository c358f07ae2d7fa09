"""What takes longer than Kafka allows, and clocks that are wrong: nothing is lost."""

import asyncio
import dataclasses
import pathlib
import signal

import aiokafka

from tests.support import assertions, fault_injection, system, transport
from tests.support import kafka_timeouts as profiles
from worker import settings
from worker.devkit import simulators
from worker.kafka import hanging_transactions


def _count(process: system.Process, event: str) -> int:
    return process.logged().count(f'"event":"{event}"')


async def test_a_restore_longer_than_the_session_keeps_its_partitions(
    kafka: str, topic_prefix: str, tmp_path: pathlib.Path, times: profiles.Times
) -> None:
    """Heartbeats go on while it computes: each partition is restored once and stays."""
    slow = str(1.5 * times.session / 1000)
    async with system.System(
        kafka, topic_prefix, tmp_path, times=times, partitions=2
    ) as running:
        ingress = running.start("ingress")
        first = running.start("worker", module=fault_injection.by("slow_restore", slow))
        await running.ready(ingress)
        truths, callbacks = assertions.sessions(running, 40)
        await system.Driver([ingress]).send(callbacks)
        await running.ready(first)
        # The second one's partitions are restored while the first one works.
        second = running.start(
            "worker", module=fault_injection.by("slow_restore", slow)
        )
        await running.ready(second)
        await assertions.check(running, truths)

    assert tuple(_count(p, "partition.restored") for p in (first, second)) == (2, 1)
    assert tuple(_count(p, "partition.failed") for p in (first, second)) == (0, 0)


async def test_a_transaction_that_the_broker_gave_up_is_done_again(
    kafka: str, topic_prefix: str, tmp_path: pathlib.Path, times: profiles.Times
) -> None:
    """Frozen inside it past its time-out, and woken: a member still, and exact."""
    # The session outlives it: all that is lost is the transaction.
    patient = dataclasses.replace(
        times, session=times.transaction * 2, rebalance=times.transaction * 3
    )
    async with system.System(
        kafka,
        topic_prefix,
        tmp_path,
        times=patient,
        kafka_more=f'request_timeout = "{times.transaction * 4}ms"',
    ) as running:
        ingress = running.start("ingress")
        worker = running.start(
            "worker", module=fault_injection.by("frozen_inside", "4")
        )
        await running.ready(ingress)
        await running.ready(worker)
        truths, callbacks = assertions.sessions(running, 40, latency_s=0.02)
        await system.Driver([ingress]).send(callbacks)
        await _aborted(running.settings.kafka, times)
        worker.popen.send_signal(signal.SIGCONT)
        await assertions.check(running, truths)

    # All that were in flight: this one and those of other partitions.
    doubted = worker.logged().count('"reason":"commit_in_doubt"')
    assert doubted >= 1
    assert doubted == _count(worker, "partition.failed")
    assert 6 + doubted == _count(worker, "partition.restored")


async def _aborted(kafka: settings.Kafka, times: profiles.Times) -> None:
    """Return once an open transaction was there, and then none any more."""
    client = aiokafka.AIOKafkaClient(bootstrap_servers=kafka.bootstrap_servers)
    await client.bootstrap()
    names = [kafka.topic("ledger")]
    await client.set_topics(names)
    try:
        async with asyncio.timeout(times.patience_s):
            for wanted in (True, False):
                while wanted is not await _any_open(client, names, kafka.partitions):  # noqa: ASYNC110 -- the broker tells nobody
                    await asyncio.sleep(0.1)
    finally:
        await client.close()


async def _any_open(
    client: aiokafka.AIOKafkaClient, names: list[str], partitions: int
) -> bool:
    hidden = [
        await hanging_transactions._transactional_ids_past_lso(client, names, each)
        for each in range(partitions)
    ]
    return any(hidden)


async def test_a_transaction_that_never_ends_is_given_up_by_its_worker(
    kafka: str, topic_prefix: str, tmp_path: pathlib.Path, times: profiles.Times
) -> None:
    """The commit's deadline ends it before the broker does; nobody else notices."""
    async with system.System(kafka, topic_prefix, tmp_path, times=times) as running:
        ingress = running.start("ingress")
        worker = running.start("worker", module=fault_injection.by("stuck_inside", "4"))
        await running.ready(ingress)
        await running.ready(worker)
        truths, callbacks = assertions.sessions(running, 40, latency_s=0.02)
        await system.Driver([ingress]).send(callbacks)
        await assertions.check(running, truths)

    assert '"reason":"commit_in_doubt"' in worker.logged()
    assert _count(worker, "partition.restored") == 6 + 1


async def test_clocks_an_hour_off_change_no_decision(
    kafka: str, topic_prefix: str, tmp_path: pathlib.Path, times: profiles.Times
) -> None:
    """Workers an hour ahead, right, and an hour behind work on the same sessions."""
    async with system.System(kafka, topic_prefix, tmp_path, times=times) as running:
        ingress = running.start("ingress")
        await running.ready(ingress)
        driver = system.Driver([ingress])
        # Each worker hears one of three callbacks of these: pending, pending, final.
        scenario = simulators.Scenario(pending_first=2)
        simulator = running.simulators["idbeyond"]
        long = [simulator.add(scenario) for _ in range(12)]
        # The first one tells of an extraction, and decides nothing.
        heard = (simulator.callbacks(each)[1:] for each in long)
        phases = zip(*heard, strict=True)
        truths: assertions.Truths = {}
        once: list[simulators.OutgoingCallback] = []
        for offset_s, callbacks in zip(("3600", "0", "-3600"), phases, strict=True):
            worker = running.start(
                "worker", module=fault_injection.by("clock_off", offset_s)
            )
            await running.ready(worker)
            await driver.send(callbacks)
            more, once = assertions.sessions(running, 12)
            truths |= more
            # Twice: the second time they have ended, by another clock.
            await driver.send(once)
            await _decided(running, {*truths, *(("idbeyond", each) for each in long)})
            worker.popen.kill()
        running.start("worker")
        await driver.send(once)
        histories = await _decided(running, set(truths), final=len(truths) + len(long))

    for session_id in long:
        history = histories.pop(("idbeyond", session_id))
        assert assertions.outcomes(history) == [(1, "pending"), (2, "approved")]
        told_at = [str(each["decided_at"]) for each in history]
        assert sorted(told_at) == told_at
    assert {key: [(1, outcome)] for key, outcome in truths.items()} == {
        key: assertions.outcomes(history) for key, history in histories.items()
    }
    assert await transport.fetched(running.settings.kafka, "dlq") == []


async def _decided(
    running: system.System, keys: set[assertions.Key], *, final: int = 0
) -> assertions.Histories:
    """Return all decisions, once these sessions have some and so many are final."""
    async with asyncio.timeout(running.times.patience_s):
        while True:
            found = await running.decisions()
            ended = sum(bool(history[-1]["final"]) for history in found.values())
            if keys <= set(found) and ended >= final:
                return found
            await asyncio.sleep(0.1)
