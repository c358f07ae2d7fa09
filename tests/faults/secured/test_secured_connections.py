"""Who is not let in says why in one sentence, and goes in when that is mended."""

import asyncio
import datetime as dt
import pathlib
from collections.abc import Callable

import aiohttp
import pytest
import trustme

from tests.faults.secured import conftest
from tests.support import commands, kafka_acls, secured_broker, system, transport
from worker import clock, errors, settings
from worker.devkit import simulators
from worker.kafka import connectivity, event_producer, topics

_QUICK = """
restart_backoff_max = "500ms"
assignment_check_timeout = "1s"
offset_commit_interval = "500ms"
"""
Change = Callable[[secured_broker.Secured, dict[str, str]], None]


def _other_authority(kafka: secured_broker.Secured, table: dict[str, str]) -> None:
    path = kafka.cafile.with_name("another.pem")
    trustme.CA().cert_pem.write_to_path(path)
    table["ssl_cafile"] = str(path)


def _expired(kafka: secured_broker.Secured, table: dict[str, str]) -> None:
    table["bootstrap_servers"] = kafka.cluster.bootstrap("EXPIRED")


def _by_name(_: secured_broker.Secured, table: dict[str, str]) -> None:
    table["bootstrap_servers"] = table["bootstrap_servers"].replace(
        "127.0.0.1", "localhost"
    )


def _plaintext(_: secured_broker.Secured, table: dict[str, str]) -> None:
    for name in [name for name in table if name != "bootstrap_servers"]:
        del table[name]


def _tls_to_none(kafka: secured_broker.Secured, table: dict[str, str]) -> None:
    table["bootstrap_servers"] = kafka.unguarded


def _mutual(kafka: secured_broker.Secured, table: dict[str, str]) -> None:
    """Turn to the listener that knows users by their certificates."""
    for name in [name for name in table if "sasl" in name]:
        del table[name]
    table["security_protocol"] = "SSL"
    table["bootstrap_servers"] = kafka.cluster.bootstrap("MUTUAL")


def _certificate_is_over(kafka: secured_broker.Secured, table: dict[str, str]) -> None:
    _mutual(kafka, table)
    path = kafka.certificate("over", until=secured_broker.YESTERDAY)
    table["ssl_certfile"] = str(path)


def _set(name: str, value: str) -> Change:
    return lambda _, table: table.update({name: value})


@pytest.mark.parametrize(
    ("change", "part"),
    [
        (_set("sasl_password", "wrong"), "kafka.sasl_username and kafka.sasl_password"),
        (_set("sasl_username", "nobody"), "kafka.sasl_username and kafka.sasl_passwo"),
        (_set("sasl_mechanism", "SCRAM-SHA-256"), "set kafka.sasl_mechanism"),
        (_expired, "certificate has expired"),
        (_other_authority, "set kafka.ssl_cafile"),
        (_by_name, "certificate is for another name"),
        (_plaintext, "kafka.security_protocol is not that of the port"),
        (_tls_to_none, "kafka.security_protocol is not that of the port"),
        (_mutual, "check kafka.ssl_certfile"),
        (_certificate_is_over, "check kafka.ssl_certfile"),
    ],
)
async def test_a_refusal_is_one_sentence(
    kafka: secured_broker.Secured, change: Change, part: str
) -> None:
    """It names the setting to look at, and repeats no user, password or name."""
    table = kafka.table("ingress")
    change(kafka, table)
    config = settings.Kafka.model_validate({"durability": "single-broker"} | table)

    why = await connectivity.diagnose_connection(config)

    assert why is not None
    assert part in why.message
    assert "\n" not in why.message
    _tells_no_secret(repr(why))


def _tells_no_secret(found: str) -> None:
    for planted in (
        *map(kafka_acls.principal, secured_broker.USERS),
        secured_broker.PASSWORD,
        "wrong",
    ):
        assert planted not in found


@pytest.mark.parametrize(
    ("user", "may"), [("ingress", True), ("worker", False)], ids=["ingress", "worker"]
)
async def test_a_client_certificate_is_a_user(
    kafka: secured_broker.Secured, topic_prefix: str, user: str, *, may: bool
) -> None:
    """A user of the permissions may be the name in a certificate (mTLS)."""
    await kafka_acls.grant(kafka.unguarded, kafka_acls.documented(topic_prefix))
    await topics.create(kafka.kafka("operator", topic_prefix))
    table = kafka.table(user)
    _mutual(kafka, table)
    more = {
        "ssl_certfile": str(kafka.certificate(user)),
        "topic_prefix": topic_prefix,
        "partitions": 2,
        "durability": "single-broker",
    }
    config = settings.Kafka.model_validate(table | more)
    sink = event_producer.EventProducer(
        config, clock.SystemClock(), transport.Log(), ack_timeout_ms=5000
    )
    sink.start()

    denied = ""
    try:
        await sink.publish(transport.event("s"))
    except errors.KafkaUnauthorised as error:
        denied = str(error)
    await sink.close(1)

    assert may is (denied == "")
    assert may or f"Write on topic {topic_prefix}.events" in denied


async def test_processes_say_once_why_they_are_not_let_in(
    kafka: secured_broker.Secured,
    become: conftest.Become,
    topic_prefix: str,
    tmp_path: pathlib.Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Services live and wait, and commands end, each with the one sentence."""
    become("operator")
    await kafka_acls.grant(kafka.unguarded, kafka_acls.documented(topic_prefix))
    async with system.System("secured:1", topic_prefix, tmp_path) as running:
        monkeypatch.setenv("KYC_KAFKA__SASL_PASSWORD", "wrong")
        services = [running.start("ingress"), running.start("worker")]
        for ended in await asyncio.gather(
            commands.run(running.config, "topics", "--check"),
            commands.run(running.config, "tail", "--until-end"),
        ):
            assert ended.code == 1
            assert "check kafka.sasl_username and kafka.sasl_password" in ended.err
            assert "Traceback" not in ended.err
            _tells_no_secret(ended.err)
        for process in services:
            await _says(process, "kafka.sasl_password")
            assert await _answer(process, "livez") == 200
            assert await _answer(process, "readyz") == 503
            assert len(_said(process)) == 1
            assert "Traceback" not in process.logged()
            _tells_no_secret(process.logged())


def _said(process: system.Process) -> list[str]:
    lines = commands.lines(process.logged(), "kafka.unreachable")
    return [str(line["message"]) for line in lines]


async def _says(process: system.Process, part: str) -> None:
    """Return once the last thing that *process* said has *part* in it."""
    for _ in range(900):
        if part in "".join(_said(process)[-1:]):
            return
        await asyncio.sleep(0.05)
    raise AssertionError(
        f"{process.kind} does not say {part}:\n{process.logged()[-3000:]}"
    )


async def _answer(process: system.Process, path: str) -> int:
    url = f"http://127.0.0.1:{process.admin_port}/{path}"
    async with aiohttp.ClientSession() as client, client.get(url) as response:
        return response.status


async def test_a_certificate_expires_under_running_processes(
    kafka: secured_broker.Secured,
    become: conftest.Become,
    topic_prefix: str,
    tmp_path: pathlib.Path,
) -> None:
    """They say so, and are back when the broker has another one: no restart."""
    node = kafka.cluster.nodes[0]
    await kafka_acls.grant(kafka.unguarded, kafka_acls.documented(topic_prefix))
    become("operator")
    async with system.System(
        "secured:1",
        topic_prefix,
        tmp_path,
        worker_more=_QUICK,
        kafka_more='request_timeout = "7s"',
    ) as running:
        for user, kind in (("ingress", "ingress"), ("worker", "worker")):
            become(user)
            running.start(kind)
        for process in running.processes:
            await running.ready(process)
        await node.stop()
        kafka.renew(until=secured_broker.YESTERDAY)
        await node.start()
        for process in running.processes:
            await _says(process, "certificate has expired")
        await node.stop()
        kafka.renew(until=dt.datetime.now(dt.UTC) + dt.timedelta(days=1))
        await node.start()

        simulator = running.simulators["biometric"]
        session_id = simulator.add(simulators.Scenario())
        await system.Driver(running.processes[:1]).send(simulator.callbacks(session_id))
        become("operator")
        while ("biometric", session_id) not in await running.decisions():
            pass
        for process in running.processes:
            assert process.popen.poll() is None
            assert len(set(_said(process))) == len(_said(process))
            assert "Traceback" not in process.logged()
            _tells_no_secret(process.logged())
