"""The documented rights: enough for all work, no more, and missed aloud."""

import asyncio
import hmac
import pathlib

import aiohttp
import aiokafka
import orjson
import pytest
from aiokafka import errors as theirs

from tests.faults.secured import conftest
from tests.support import commands, kafka_acls, secured_broker, system
from worker.devkit import simulators
from worker.kafka import topics

TOPICS = ("begins", "events", "ledger", "decisions", "decisions.approved", "dlq")
#: what each user may do with each topic: r, w
ALLOWED = {
    "ingress": {"begins": "r", "events": "w", "dlq": "w"},
    "api": {"begins": "rw", "events": "rw"},
    "worker": {
        "events": "r",
        "ledger": "rw",
        "decisions": "w",
        "decisions.approved": "w",
        "dlq": "w",
    },
    "operator": {
        "begins": "r",
        "events": "rw",
        "ledger": "r",
        "decisions": "r",
        "decisions.approved": "r",
        "dlq": "r",
    },
    "subscriber": {"decisions": "r"},
    "newcomer": {},
}


async def _may_write(kafka: secured_broker.Secured, user: str, topic: str) -> bool:
    arguments = kafka.kafka(user, "unused").client_args()
    producer = aiokafka.AIOKafkaProducer(**arguments, acks="all")
    async with producer:
        try:
            await producer.send_and_wait(topic, b"{}", key=b"k", partition=0)
        except theirs.TopicAuthorizationFailedError:
            return False
    return True


async def _may_read(kafka: secured_broker.Secured, user: str, topic: str) -> bool:
    arguments = kafka.kafka(user, "unused").client_args()
    consumer = aiokafka.AIOKafkaConsumer(**arguments, auto_offset_reset="earliest")
    place = aiokafka.TopicPartition(topic, 0)
    consumer.assign([place])
    try:
        await consumer.start()
        consumer.seek(place, 0)
        await consumer.getmany(timeout_ms=200)
    except theirs.TopicAuthorizationFailedError:
        return False
    finally:
        await consumer.stop()
    return True


@pytest.mark.parametrize("user", list(ALLOWED))
async def test_a_user_may_do_this_and_no_more(
    kafka: secured_broker.Secured, topic_prefix: str, user: str
) -> None:
    """The ingress writes no ledger and no decision, a subscriber only reads these."""
    await kafka_acls.grant(kafka.unguarded, kafka_acls.documented(topic_prefix))
    await topics.create(kafka.kafka("operator", topic_prefix))

    found = {
        name: "r" * await _may_read(kafka, user, f"{topic_prefix}.{name}")
        + "w" * await _may_write(kafka, user, f"{topic_prefix}.{name}")
        for name in TOPICS
    }

    assert ALLOWED[user] == {name: may for name, may in found.items() if may}


async def _subscribed(kafka: secured_broker.Secured, prefix: str) -> str:
    """Return the key of a decision, read as the subscriber."""
    consumer = aiokafka.AIOKafkaConsumer(
        f"{prefix}.decisions",
        **kafka.kafka("subscriber", prefix).client_args(),
        group_id="my-service",
        isolation_level="read_committed",
        auto_offset_reset="earliest",
        enable_auto_commit=False,
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
    headers = {"X-Verification-Signature": signature}
    url = f"http://127.0.0.1:{running.processes[0].port}"
    async with aiohttp.ClientSession(url) as client:
        async with client.post(path, data=b'{"unmapped": 1}') as response:
            assert response.status == 503
        async with client.post("/webhooks/idbeyond", data=stale, headers=headers) as r:
            assert r.status == 200


async def _reasons(running: system.System) -> set[str]:
    """Return the reasons of all dead letters, as the operator lists them."""
    listed = await commands.output(running.config, "dlq", "list")
    return {orjson.loads(line)["reason"] for line in listed.splitlines()}


async def test_the_rights_of_the_readme_are_enough(
    kafka: secured_broker.Secured,
    become: conftest.Become,
    topic_prefix: str,
    tmp_path: pathlib.Path,
) -> None:
    """Callbacks become decisions and dead letters, and an operator can work."""
    await kafka_acls.grant(kafka.unguarded, kafka_acls.documented(topic_prefix))
    become("operator")  # who creates the topics
    async with system.System("secured:1", topic_prefix, tmp_path) as running:
        for user, kind in (("ingress", "ingress"), ("worker", "worker")):
            become(user)
            running.start(kind)
        become("operator")
        for process in running.processes:
            await running.ready(process)
        simulator = running.simulators["biometric"]
        session_id = simulator.add(simulators.Scenario())
        callbacks = simulator.callbacks(session_id)
        await system.Driver(running.processes[:1]).send(callbacks)
        assert f"biometric:{session_id}" == await _subscribed(kafka, topic_prefix)

        await _dead_letters(running)
        await asyncio.gather(
            commands.output(running.config, "topics", "--check"),
            commands.output(running.config, "session", "biometric", session_id),
            commands.output(running.config, "recheck", "biometric", session_id),
            commands.output(running.config, "tail", "--until-end"),
        )
        for _ in range(20):
            if len(await _reasons(running)) > 1:
                break
        assert {"unmappable", "stale"} == await _reasons(running)
        for process in running.processes:
            process.popen.terminate()
            assert await asyncio.to_thread(process.popen.wait, 30) == 0
            _tells_no_secret(process.logged())


def _tells_no_secret(logged: str) -> None:
    for planted in (
        *map(kafka_acls.principal, secured_broker.USERS),
        secured_broker.PASSWORD,
        "BEGIN ",
    ):
        assert planted not in logged
