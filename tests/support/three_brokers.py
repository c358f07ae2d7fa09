"""One system under load on three brokers that tests share: hurt it, and look again."""

import asyncio
import contextlib
import dataclasses
import pathlib
import re
import uuid
from collections.abc import AsyncIterator, Mapping

import aiohttp
import pytest
from aiokafka import errors as theirs

from tests.chaos import checker, reading, traffic
from tests.support import kafka_timeouts as profiles
from tests.support import (
    partition_leaders,
    ports,
    proxy,
    recovery,
    system,
    transport,
    wire,
)
from worker import clock as clocks
from worker.devkit import broker

#: The listener whose clients are told of the proxies instead of the brokers.
PROXIED = "PROXIED"
NODES = 3
PARTITIONS = 6
_RATE = 8.0
_POLL_S = 0.4
_READ_S = 8.0
_OWNED = re.compile(r"^kyc_owned_partitions ([0-9.]+)", re.MULTILINE)


def cluster(times: profiles.Times) -> broker.Cluster:
    """Return three brokers with a listener that only proxies lead to, not started."""
    first = ports.free(NODES)
    return broker.Cluster(
        nodes=NODES,
        properties=times.broker_properties,
        listeners={PROXIED: "PLAINTEXT"},
        advertised={PROXIED: range(first, first + NODES)},
    )


def proxies(
    brokers: broker.Cluster,
) -> contextlib.AbstractAsyncContextManager[list[wire.Wire]]:
    """Hold the proxies of *brokers*, in the order of their nodes."""
    places = [
        (each.address.advertised[PROXIED], each.address.ports[PROXIED])
        for each in brokers.nodes
    ]
    return proxy.between(places, wire.Wire)


async def heal(brokers: broker.Cluster) -> None:
    """Return once all *brokers* run and have all of everything."""
    for node in brokers.nodes:
        node.thaw()
        if node.pid is None:
            await node.start()
    await partition_leaders.in_sync(brokers.bootstrap_servers, NODES)


@dataclasses.dataclass(slots=True, kw_only=True)
class Scene:
    """An ingress, some workers, and providers that call back."""

    brokers: broker.Cluster
    running: system.System
    ingress: system.Process
    workers: list[system.Process]
    sent: traffic.Traffic
    times: profiles.Times
    #: what was done, from when until when; sessions begun in between feel it
    faults: list[tuple[str, int, int]] = dataclasses.field(default_factory=list)

    #: a broker that runs and does not answer
    frozen: broker.Node | None = None

    @property
    def servers(self) -> str:
        """Return the addresses of the brokers that answer."""
        return ",".join(
            node.address.at("BROKER")
            for node in self.brokers.nodes
            if node.pid is not None and node is not self.frozen
        )

    async def freeze(self, node: broker.Node) -> None:
        """Freeze *node* for the length of the profile; the others must carry on."""
        loop = asyncio.get_running_loop()
        thawed_at = loop.time() + self.times.frozen_s
        self.frozen = node
        node.suspend()
        try:
            await self.decide_more()
            await asyncio.sleep(thawed_at - loop.time())
        finally:
            node.thaw()
            self.frozen = None

    @contextlib.asynccontextmanager
    async def load(self) -> AsyncIterator[None]:
        """Begin sessions all the time meanwhile; at the end all are acknowledged."""
        async with self.sent.flowing(_RATE):
            await self.decide_more()
            yield

    @contextlib.asynccontextmanager
    async def fault(self, name: str) -> AsyncIterator[None]:
        """Measure what the body does, under *name*."""
        begun = clocks.SystemClock().now_ms()
        yield
        self.faults.append((name, begun, clocks.SystemClock().now_ms()))

    async def decide_more(self) -> None:
        """Return once every partition has decided a session that begins from now on."""
        since = clocks.SystemClock().now_ms()
        async with asyncio.timeout(self.times.patience_s):
            while len(await self._deciding(since)) < PARTITIONS:  # noqa: ASYNC110 -- Kafka tells nobody
                await asyncio.sleep(_POLL_S)

    async def _deciding(self, since: int) -> set[int]:
        found = await self._read()
        return {
            history[0].place.partition
            for key, history in found.decisions.items()
            if self.sent.expected[key].begun_ms >= since
        }

    async def owns(self, count: int, *workers: system.Process) -> None:
        """Return once *workers* together work on *count* partitions, and say so."""
        async with asyncio.timeout(self.times.patience_s):
            while count != sum([await _owned(each) for each in workers]):  # noqa: ASYNC110 -- processes of their own
                await asyncio.sleep(_POLL_S)

    async def end(self, worker: system.Process) -> None:
        """Let *worker* drain and end, which must be a good end."""
        self.workers.remove(worker)
        worker.popen.terminate()
        code = await asyncio.to_thread(worker.popen.wait, self.times.patience_s)
        assert code == 0, worker.logged()[-2000:]

    async def check(self) -> None:
        """
        Fail unless every session ends as it must, once; keep how long it took.

        No process may have ended, and no transaction may hang.
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self.times.patience_s
        while broken := checker.violations(found := await self._read(), self._all):
            if loop.time() > deadline:
                pytest.fail("\n".join(map(str, broken[:5])))
            await asyncio.sleep(_POLL_S)
        for process in (self.ingress, *self.workers):
            assert process.popen.poll() is None, process.logged()[-2000:]
            assert "hanging_transaction" not in process.logged()
        for name, begun, ended in self.faults:
            result = recovery.figures(found, self._all, fault_ms=begun, over_ms=ended)
            recovery.record(name, self.times.name, result)

    @property
    def _all(self) -> Mapping[checker.Key, checker.Expected]:
        return self.sent.expected

    async def _read(self) -> reading.Read:
        """Return what the topics hold, as soon as the brokers let them be read."""
        while True:
            with contextlib.suppress(theirs.KafkaError, TimeoutError):
                async with asyncio.timeout(_READ_S):
                    prefix = self.running.settings.kafka.topic_prefix
                    return await reading.read(self.servers, prefix)
            await asyncio.sleep(_POLL_S)


@contextlib.asynccontextmanager
async def scene(
    brokers: broker.Cluster,
    folder: pathlib.Path,
    times: profiles.Times,
    *,
    workers: int = 2,
    proxied: int = 0,
) -> AsyncIterator[Scene]:
    """Hold a system at work, *proxied* of its workers behind the proxies."""
    prefix, servers = f"t{uuid.uuid4().hex[:10]}", brokers.bootstrap_servers
    try:
        async with system.System(
            servers,
            prefix,
            folder,
            partitions=PARTITIONS,
            replicated=True,
            times=times,
        ) as running:
            ingress = running.start("ingress")
            working = [
                running.start(
                    "worker",
                    servers=brokers.bootstrap(PROXIED) if n < proxied else None,
                )
                for n in range(workers)
            ]
            sent = traffic.Traffic(running=running, ports=[ingress.port], seed=1)
            found = Scene(
                brokers=brokers,
                running=running,
                ingress=ingress,
                workers=working,
                sent=sent,
                times=times,
            )
            for process in (ingress, *working):
                await running.ready(process)
            await found.owns(PARTITIONS, *working)
            yield found
    finally:
        await heal(brokers)
        await transport.delete_topics(servers, prefix)


async def _owned(worker: system.Process) -> int:
    """Return how many partitions *worker* says that it works on."""
    url = f"http://127.0.0.1:{worker.admin_port}/metrics"
    async with aiohttp.ClientSession() as client, client.get(url) as response:
        found = _OWNED.search(await response.text())
    assert found is not None
    return int(float(found[1]))
