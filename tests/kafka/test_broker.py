"""Apache Kafka as a child process: it serves, it can be hurt, and it always ends."""

import asyncio
import os
import pathlib
import signal
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Mapping, Sequence

import aiokafka
import psutil
import pytest
from aiokafka import admin

from worker.devkit import broker
from worker.devkit.broker import config


async def _create(bootstrap_servers: str, topic: str, *, copies: int = 1) -> None:
    client = admin.AIOKafkaAdminClient(bootstrap_servers=bootstrap_servers)
    await client.start()
    try:
        await client.create_topics([admin.NewTopic(topic, 1, copies)])
    finally:
        await client.close()


async def _write(bootstrap_servers: str, topic: str, value: bytes) -> None:
    producer = aiokafka.AIOKafkaProducer(
        bootstrap_servers=bootstrap_servers, acks="all"
    )
    async with producer:
        await producer.send_and_wait(topic, value)


async def _read(bootstrap_servers: str, topic: str) -> bytes | None:
    consumer = aiokafka.AIOKafkaConsumer(
        topic, bootstrap_servers=bootstrap_servers, auto_offset_reset="earliest"
    )
    async with consumer:
        record = await asyncio.wait_for(consumer.getone(), 20)
        value: bytes | None = record.value
        return value


async def _until(met: Callable[[], bool], *, within_s: float = 10.0) -> None:
    deadline = time.monotonic() + within_s
    while not met():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.05)


def _runs(pid: int) -> bool:
    """Tell whether a process runs; one that nobody has reaped yet does not."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


async def test_shared_broker_carries_a_record(kafka: str, topic_prefix: str) -> None:
    """The broker of the test run stores a record and gives it back."""
    await _create(kafka, f"{topic_prefix}.a")
    await _write(kafka, f"{topic_prefix}.a", b"one")
    assert await _read(kafka, f"{topic_prefix}.a") == b"one"


async def test_killed_broker_returns_with_its_data_and_leaves_nothing() -> None:
    """After SIGKILL a node is back on its port with its data; the end removes all."""
    async with broker.Cluster() as cluster:
        node = cluster.nodes[0]
        first, servers = node.pid, cluster.bootstrap_servers
        folder = node.log_path.parent.parent
        await _create(servers, "kept")
        await _write(servers, "kept", b"one")
        node.kill()
        await node.start()
        assert cluster.bootstrap_servers == servers
        assert node.pid not in {None, first}
        assert await _read(servers, "kept") == b"one"
    assert node.pid is None
    assert not folder.exists()


async def test_frozen_broker_is_silent_until_it_is_thawed() -> None:
    """A frozen node accepts connections and answers nothing; thawed, it goes on."""
    async with broker.Cluster() as cluster:
        node = cluster.nodes[0]
        pid = node.pid
        assert pid is not None
        node.suspend()
        await _until(lambda: psutil.Process(pid).status() == psutil.STATUS_STOPPED)
        assert await asyncio.to_thread(node.listed) == set()
        node.thaw()
        assert await asyncio.to_thread(node.listed) == {1}
        node.suspend()
    assert not _runs(pid)


async def test_kept_data_are_used_again(tmp_path: pathlib.Path) -> None:
    """A second cluster on the same folder, on other ports, has the records."""
    async with broker.Cluster(data_dir=tmp_path) as cluster:
        await _create(cluster.bootstrap_servers, "kept")
        await _write(cluster.bootstrap_servers, "kept", b"one")
    async with broker.Cluster(data_dir=tmp_path) as cluster:
        assert await _read(cluster.bootstrap_servers, "kept") == b"one"


async def test_three_brokers_survive_one() -> None:
    """Three nodes list each other, and take acks=all writes without one of them."""
    async with broker.Cluster(nodes=3) as cluster:
        await _create(cluster.bootstrap_servers, "replicated", copies=3)
        cluster.nodes[0].kill()
        await _until(lambda: cluster.nodes[1].listed() == {2, 3})
        await _write(cluster.bootstrap_servers, "replicated", b"one")
        await cluster.nodes[0].start()
        assert await _read(cluster.bootstrap_servers, "replicated") == b"one"


async def test_broker_ends_with_a_parent_that_was_killed() -> None:
    """SIGKILL of the process that started it ends the broker and its data."""
    program = textwrap.dedent("""
        import time
        from worker.devkit import broker
        cluster = broker.Cluster()
        cluster.start_sync()
        node = cluster.nodes[0]
        print(node.pid, node.log_path.parent.parent, flush=True)
        time.sleep(60)
    """)
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, stdout=asyncio.subprocess.PIPE
    )
    try:
        assert parent.stdout is not None
        pid, folder = (await parent.stdout.readline()).decode().split()
        assert _runs(int(pid))
    finally:
        parent.kill()
        await parent.wait()
    await _until(lambda: not _runs(int(pid)))
    await _until(lambda: not pathlib.Path(folder).exists())


async def test_secured_listener_takes_the_user_given_at_format() -> None:
    """An added listener with SCRAM lets in the user that the format created."""
    async with broker.Cluster(
        listeners={"CLIENTS": "SASL_PLAINTEXT"},
        properties={
            "sasl.enabled.mechanisms": "SCRAM-SHA-512",
            "listener.name.clients.scram-sha-512.sasl.jaas.config": (
                "org.apache.kafka.common.security.scram.ScramLoginModule required;"
            ),
        },
        format_args=["--add-scram", "SCRAM-SHA-512=[name=anna,password=p-word]"],
    ) as cluster:
        client = admin.AIOKafkaAdminClient(
            bootstrap_servers=cluster.bootstrap("CLIENTS"),
            security_protocol="SASL_PLAINTEXT",
            sasl_mechanism="SCRAM-SHA-512",
            sasl_plain_username="anna",
            sasl_plain_password="p-word",
        )
        await client.start()
        await client.close()


async def test_broker_that_cannot_start_says_why() -> None:
    """A property that Kafka refuses becomes one error with Kafka's own words."""
    cluster = broker.Cluster(properties={"log.segment.bytes": "many"})
    with pytest.raises(broker.BrokerError, match=r"log\.segment\.bytes"):
        await cluster.start()


async def test_background_broker_outlives_its_command(tmp_path: pathlib.Path) -> None:
    """`start` prints the addresses and goes; a second one prints the same; `stop`."""
    env = {**os.environ, "PYTHONPATH": str(pathlib.Path.cwd())}

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(  # noqa: S603 -- because we wrote it
            [sys.executable, "-m", "worker.devkit.broker", *words, "--dir", "kafka"],
            cwd=tmp_path,
            env=env,
            capture_output=True,
            text=True,
            check=False,
        )

    pid_path = tmp_path / "kafka" / "node-1" / "broker.pid"
    started = await asyncio.to_thread(run, "start")
    try:
        assert started.returncode == 0, started.stderr
        servers = started.stdout.strip()
        await _create(servers, "kept")
        again = await asyncio.to_thread(run, "start")
        assert again.stdout.strip() == servers
        three = await asyncio.to_thread(run, "start", "--nodes", "3")
        assert three.returncode == 1
        pid = int(pid_path.read_text())
        assert _runs(pid)
    finally:
        stopped = await asyncio.to_thread(run, "stop")
    assert stopped.returncode == 0
    assert not _runs(pid)
    assert not pid_path.exists()


@pytest.mark.parametrize("listener", [config.INTERNAL, "CONTROLLER"])
async def test_lost_race_for_a_port_is_run_again(
    listener: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When a port is taken after it was chosen, the start goes on with others."""
    with socket.create_server((config.HOST, 0)) as other:
        port = other.getsockname()[1]
        asked = _unlucky_once(monkeypatch, listener, port)
        async with broker.Cluster() as cluster:
            assert len(asked) == 2
            assert str(port) not in cluster.bootstrap_servers


async def test_race_lost_to_another_broker_is_run_again(
    kafka: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A broker of another cluster at our port is not taken for ours."""
    asked = _unlucky_once(monkeypatch, config.INTERNAL, int(kafka.rpartition(":")[2]))
    async with broker.Cluster() as cluster:
        assert len(asked) == 2
        assert cluster.bootstrap_servers != kafka


def _unlucky_once(
    monkeypatch: pytest.MonkeyPatch, listener: str, taken: int
) -> list[int]:
    """Have *taken* chosen for *listener* the first time; return what grows by one."""
    choose = config.choose_addresses
    asked: list[int] = []

    def unlucky(
        nodes: int,
        *,
        listeners: Sequence[str],
        preferred_port: int | None,
        advertised: Mapping[str, Sequence[int]],
    ) -> list[config.Address]:
        (address,) = choose(
            nodes,
            listeners=listeners,
            preferred_port=preferred_port,
            advertised=advertised,
        )
        asked.append(nodes)
        ports = dict(address.ports)
        if len(asked) == 1:
            ports[listener] = taken
        return [config.Address(node_id=1, ports=ports)]

    monkeypatch.setattr(config, "choose_addresses", unlucky)
    return asked


async def test_cancelled_start_leaves_no_process() -> None:
    """A start that is cancelled midway ends what it had begun."""
    cluster = broker.Cluster()
    starting = asyncio.create_task(cluster.start())
    await _until(lambda: bool(cluster.nodes) and cluster.nodes[0].pid is not None)
    pid = cluster.nodes[0].pid
    assert pid is not None
    starting.cancel()
    await asyncio.wait([starting])
    assert starting.cancelled()
    assert not _runs(pid)


async def test_ended_broker_fails_the_start_with_its_log() -> None:
    """A Java process that dies while it starts is reported, not waited for."""
    cluster = broker.Cluster(ready_timeout_s=30)
    starting = asyncio.create_task(cluster.start())
    await _until(lambda: bool(cluster.nodes) and cluster.nodes[0].pid is not None)
    pid = cluster.nodes[0].pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    (error,) = await asyncio.gather(starting, return_exceptions=True)
    assert isinstance(error, broker.BrokerError)
    assert "broker.log" in str(error)
