"""The rights that the README gives are enough: each process has its own user."""

import asyncio
import hmac
import pathlib
import subprocess
import sys
from collections.abc import Iterator
from typing import NamedTuple

import aiohttp
import aiokafka
import orjson
import pytest
from aiokafka.protocol import admin as protocol

from tests.support import system
from worker import broker, simulators

README = pathlib.Path(__file__).parents[2] / "README.md"
_USERS = ("ingress", "worker", "operator", "subscriber")
_JAAS = "org.apache.kafka.common.security.plain.PlainLoginModule required {};"
# Kafka's own numbers: resource types, pattern types, operations, "allow".
_KINDS = {"topic": 2, "group": 3, "transactional id": 5}
_LITERAL, _PREFIXED, _ALLOW = 3, 4, 3
_OPERATIONS = {"Read": 3, "Write": 4, "Create": 5, "Describe": 8, "DescribeConfigs": 10}

pytestmark = pytest.mark.timeout(150)


class Right(NamedTuple):
    """One row of the README's table, for one operation."""

    user: str
    kind: str
    name: str
    operation: str


def rights() -> Iterator[Right]:
    """Yield what the README's table gives."""
    _, _, table = README.read_text().partition("| user | kind | name | operations |\n")
    for line in table.split("\n\n")[0].splitlines()[1:]:
        user, kind, name, operations = (cell.strip() for cell in line[1:-1].split("|"))
        for operation in operations.split(", "):
            yield Right(user, kind, name.strip("`"), operation)


async def _grant(servers: str) -> None:
    client = aiokafka.AIOKafkaClient(bootstrap_servers=servers)
    await client.bootstrap()
    try:
        for right in rights():
            request = protocol.CreateAclsRequest(
                _KINDS[right.kind],
                right.name.removesuffix("*"),
                _PREFIXED if right.name.endswith("*") else _LITERAL,
                f"User:{right.user}",
                "*",
                _OPERATIONS[right.operation],
                _ALLOW,
            )
            answer = await client.send(client.get_random_node(), request)
            assert [each[0] for each in answer.creation_responses] == [0]
    finally:
        await client.close()


def _kafka() -> broker.Cluster:
    """Return a broker that lets nobody do anything that was not granted."""
    users = " ".join(f'user_{user}="{user}"' for user in _USERS)
    authorizer = "org.apache.kafka.metadata.authorizer.StandardAuthorizer"
    return broker.Cluster(
        listeners={"CLIENT": "SASL_PLAINTEXT"},
        properties={
            "authorizer.class.name": authorizer,
            "super.users": "User:ANONYMOUS",  # the broker itself, and this test
            "sasl.enabled.mechanisms": "PLAIN",
            "listener.name.client.plain.sasl.jaas.config": _JAAS.format(users),
        },
    )


def _become(monkeypatch: pytest.MonkeyPatch, user: str) -> None:
    """Let the processes that start from now on log in as *user*."""
    for name, value in {
        "SECURITY_PROTOCOL": "SASL_PLAINTEXT",
        "SASL_MECHANISM": "PLAIN",
        "SASL_USERNAME": user,
        "SASL_PASSWORD": user,
    }.items():
        monkeypatch.setenv(f"KYC_KAFKA__{name}", value)


async def _run(running: system.System, *arguments: str) -> bytes:
    """Return what a command of ours wrote; fails unless it exits 0."""
    command = [sys.executable, "-m", "worker", *arguments]
    ended = await asyncio.to_thread(
        subprocess.run,
        [*command, "--config", str(running.config)],
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 0, (arguments, ended.stderr.decode()[-2000:])
    return ended.stdout


async def _subscribed(servers: str) -> str:
    """Return the key of a decision, read as the subscriber."""
    consumer = aiokafka.AIOKafkaConsumer(
        "kyc.decisions",
        bootstrap_servers=servers,
        group_id="my-service",
        isolation_level="read_committed",
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        security_protocol="SASL_PLAINTEXT",
        sasl_mechanism="PLAIN",
        sasl_plain_username="subscriber",
        sasl_plain_password="subscriber",
    )
    async with consumer, asyncio.timeout(30):
        key: bytes = (await consumer.getone()).key
        await consumer.commit()
    return key.decode()


async def _dead_letters(running: system.System) -> None:
    """Send what the ingress cannot map, and what the worker finds too old."""
    session_id = running.simulators["biometric"].add(simulators.Scenario())
    path = running.simulators["biometric"].callbacks(session_id)[0].path
    secret = running.settings.sources["idbeyond"].hmac_secrets[0].key()
    stale = orjson.dumps(
        {
            "event": "verification.completed",
            "verificationSessionId": "2b7f6a34-91d0-4c57-8a4e-6d1f0c9e5b21",
            "decision": "approved",
            "timestamp": "2020-01-01T00:00:00Z",
        }
    )
    signature = hmac.new(secret, stale, "sha256").hexdigest()
    url = f"http://127.0.0.1:{running.processes[0].port}"
    async with aiohttp.ClientSession(url) as client:
        async with client.post(path, data=b"{}") as response:
            assert response.status == 503
        headers = {"X-Verification-Signature": signature}
        async with client.post(
            "/webhooks/idbeyond", data=stale, headers=headers
        ) as response:
            assert response.status == 200


async def _reasons(running: system.System) -> set[str]:
    """Return the reasons of all dead letters, as the operator lists them."""
    listed = await _run(running, "dlq", "list")
    return {orjson.loads(line)["reason"] for line in listed.splitlines()}


async def test_the_rights_of_the_readme_are_enough(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Callbacks become decisions and dead letters, and an operator can work."""
    async with _kafka() as cluster:
        await _grant(cluster.bootstrap_servers)
        _become(monkeypatch, "operator")  # who creates the topics
        servers = cluster.bootstrap("CLIENT")
        async with system.System(servers, "kyc", tmp_path) as running:
            for user, kind in (("ingress", "ingress"), ("worker", "work")):
                _become(monkeypatch, user)
                running.start(kind)
            _become(monkeypatch, "operator")
            for process in running.processes:
                await running.ready(process)
            simulator = running.simulators["biometric"]
            session_id = simulator.add(simulators.Scenario())
            callbacks = simulator.callbacks(session_id)
            await system.Driver(running.processes[:1]).send(callbacks)
            assert f"biometric:{session_id}" == await _subscribed(servers)

            await _dead_letters(running)
            await _run(running, "topics", "--check")
            await _run(running, "session", "biometric", session_id)
            await _run(running, "recheck", "biometric", session_id)
            await _run(running, "tail", "--until-end")
            for _ in range(20):
                if len(await _reasons(running)) > 1:
                    break
            assert {"unmappable", "stale"} == await _reasons(running)
            for process in running.processes:
                process.popen.terminate()
                assert await asyncio.to_thread(process.popen.wait, 30) == 0
