"""A right that is missing is said in one sentence, waited for, and then used."""

import asyncio
import pathlib

import aiohttp

from tests.faults.secured import conftest
from tests.support import commands, kafka_acls, secured_broker, system, transport
from worker.devkit import simulators
from worker.kafka import ledger_partition, topics

#: what a process may log while it waits for eight rights
_LINES_MAX = 60


def _missed(process: system.Process) -> list[str]:
    """Return the rights that *process* said it lacks, each as often as it did."""
    said = commands.lines(process.logged(), "kafka.unauthorised")
    return [str(line["message"]).split("the right ")[1].split(":")[0] for line in said]


async def _misses(process: system.Process, expected: str) -> None:
    """Return once the last right that *process* misses begins with *expected*."""
    missed: list[str] = []
    for _ in range(600):
        missed = _missed(process)
        if missed and missed[-1].startswith(expected):
            return
        await asyncio.sleep(0.05)
    raise AssertionError(
        f"{process.kind} does not miss {expected}, but {missed}:\n"
        f"{process.logged()[-3000:]}"
    )


class _Newcomer:
    """A user who is granted one right after the other."""

    def __init__(self, kafka: secured_broker.Secured, user: str, prefix: str) -> None:
        self._servers = kafka.unguarded
        self._user = user
        self._prefix = prefix

    async def may(self, kind: str, name: str, *operations: str) -> None:
        """Grant *operations*; *name* goes after the prefix."""
        name = f"{self._prefix}.{name}"
        rows = [kafka_acls.Right(self._user, kind, name, each) for each in operations]
        await kafka_acls.grant(self._servers, rows)


def _was_clear(process: system.Process) -> None:
    """Fail unless *process* lives, said each thing once, and showed no trace."""
    logged = process.logged()
    missed = _missed(process)
    assert len(set(missed)) == len(missed)
    assert "Traceback" not in logged
    assert [line for line in commands.lines(logged) if "trace" in line] == []
    assert commands.lines(logged, "partition.failed") == []
    assert len(logged.splitlines()) < _LINES_MAX
    assert process.popen.poll() is None
    for planted in (
        *map(kafka_acls.principal, secured_broker.USERS),
        secured_broker.PASSWORD,
    ):
        assert planted not in logged


async def _status(client: aiohttp.ClientSession, url: str, body: bytes) -> int:
    async with client.post(url, data=body) as response:
        return response.status


async def test_an_ingress_says_what_it_lacks_until_it_has_it(
    kafka: secured_broker.Secured,
    become: conftest.Become,
    topic_prefix: str,
    tmp_path: pathlib.Path,
) -> None:
    """Describe, then Write on the events: callbacks are 503 before, and 200 after."""
    user = _Newcomer(kafka, "newcomer", topic_prefix)
    operator = [r for r in kafka_acls.documented(topic_prefix) if r.user == "operator"]
    await kafka_acls.grant(kafka.unguarded, operator)
    await user.may("topic", "begins", "Read")  # what it lacks there, an api says
    become("operator")
    async with system.System("secured:1", topic_prefix, tmp_path) as running:
        become("newcomer")
        ingress = running.start("ingress")
        await _misses(ingress, f"Describe and DescribeConfigs on topic {topic_prefix}.")
        await user.may("topic", "*", "Describe", "DescribeConfigs")
        await running.ready(ingress)
        await _misses(ingress, "Write on any topic")
        await user.may("topic", "dlq", "Write")

        simulator = running.simulators["biometric"]
        callback = simulator.callbacks(simulator.add(simulators.Scenario()))[-1]
        url = f"http://127.0.0.1:{ingress.port}{callback.path}"
        async with aiohttp.ClientSession() as client:
            before = {await _status(client, url, callback.body) for _ in range(5)}
            await _misses(ingress, f"Write on topic {topic_prefix}.events")
            await user.may("topic", "events", "Write")
            await system.Driver([ingress]).send([callback])
        _was_clear(ingress)

    assert before == {503}


async def _begun(kafka: secured_broker.Secured, prefix: str) -> None:
    """Make the topics, and let both ledger partitions hold something."""
    config = transport.kafka(kafka.unguarded, prefix)
    await topics.create(config)
    for number in range(config.partitions):
        log = ledger_partition.LedgerPartition(config, number)
        await transport.fence_at_last(log)
        await log.commit(transport.batch(0))
        await log.discard()


async def test_a_worker_says_what_it_lacks_until_it_has_it(
    kafka: secured_broker.Secured,
    become: conftest.Become,
    topic_prefix: str,
    tmp_path: pathlib.Path,
) -> None:
    """Eight rights, each missed by name and granted after that; then it decides."""
    user = _Newcomer(kafka, "beginner", topic_prefix)
    await _begun(kafka, topic_prefix)
    await kafka_acls.grant(kafka.unguarded, kafka_acls.documented(topic_prefix))
    become("operator")
    async with system.System(
        "secured:1",
        topic_prefix,
        tmp_path,
        partitions=2,
        worker_more='restart_backoff_max = "500ms"',
    ) as running:
        become("beginner")
        worker = running.start("worker")
        simulator = running.simulators["biometric"]
        session_id = simulator.add(simulators.Scenario())

        await _misses(worker, "Describe and DescribeConfigs on topic")
        await user.may("topic", "*", "Describe", "DescribeConfigs")
        await _misses(worker, f"Read on group {topic_prefix}.worker")
        await user.may("group", "worker", "Read")
        await _misses(worker, f"Write on transactional id {topic_prefix}.ledger.*")
        await user.may("transactional id", "ledger.*", "Write")
        await _misses(worker, f"Read on topic {topic_prefix}.events")
        await user.may("topic", "events", "Read")
        await _misses(worker, f"Read on topic {topic_prefix}.ledger")
        await user.may("topic", "ledger", "Read")
        become("operator")
        await commands.output(running.config, "recheck", "biometric", session_id)
        await _misses(worker, f"Write on topic {topic_prefix}.ledger")
        await user.may("topic", "ledger", "Write")
        await _misses(worker, f"Write on topic {topic_prefix}.decisions")
        await user.may("topic", "decisions*", "Write")

        await running.ready(worker)
        found: dict[tuple[str, str], list[dict[str, object]]] = {}
        while not found:
            found = await running.decisions()
        _was_clear(worker)

    assert {("biometric", session_id)} == set(found)
