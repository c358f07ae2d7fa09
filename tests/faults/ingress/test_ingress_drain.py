"""SIGTERM under load: everybody who asked is answered, and every 200 is in Kafka."""

import asyncio
import contextlib
import pathlib
import time

import orjson
import pytest

from tests.support import load_client, system
from worker.devkit import broker
from worker.kafka import reader as readers

_HOST = "127.0.0.1"
_SHUTDOWN_S = 10.0
_CLIENTS = 40
#: clients in each of the other phases of a request
_EACH = 10


class _Phases:
    """Connections that SIGTERM meets before, within and after their request."""

    def __init__(self, port: int, payload: bytes) -> None:
        self._port = port
        head, _, body = payload.partition(b"\r\n\r\n")
        half = len(head) // 2
        #: what was sent before SIGTERM, and what is sent after it
        self._parts = {
            "nothing yet": (b"", payload),
            "half a head": (head[:half], head[half:] + b"\r\n\r\n" + body),
            "half a body": (head + b"\r\n\r\n" + body[:50], body[50:]),
            "a second one": (payload, payload),
        }
        self._opened: dict[
            str, list[tuple[asyncio.StreamReader, asyncio.StreamWriter]]
        ] = {}

    async def begin(self) -> None:
        """Open the connections, and send what comes before."""
        for name, (before, _) in self._parts.items():
            self._opened[name] = []
            for _ in range(_EACH):
                reader, writer = await asyncio.open_connection(_HOST, self._port)
                writer.write(before)
                self._opened[name].append((reader, writer))
        for reader, _ in self._opened["a second one"]:
            await load_client.answer(reader, 0)

    async def finish(self) -> dict[str, list[load_client.Answer | None]]:
        """Send what comes after, and return the answers, None for a lost one."""
        found: dict[str, list[load_client.Answer | None]] = {}
        for name, (_, after) in self._parts.items():
            for _, writer in self._opened[name]:
                writer.write(after)
        for name, pairs in self._opened.items():
            found[name] = [await self._answer(reader) for reader, _ in pairs]
            for _, writer in pairs:
                writer.close()
        return found

    async def _answer(self, reader: asyncio.StreamReader) -> load_client.Answer | None:
        with contextlib.suppress(OSError, EOFError):
            return await load_client.answer(reader, 0)
        return None


async def _drained(
    ingress: system.Process, traffic: load_client.Hammer
) -> tuple[dict[str, list[load_client.Answer | None]], int, float]:
    """Send SIGTERM under load; return the answers by phase, exit code and time."""
    phases = _Phases(ingress.port, traffic.payload)
    await phases.begin()
    traffic.start(_CLIENTS)
    await asyncio.sleep(1)
    began = time.monotonic()
    ingress.popen.terminate()
    while "process.stopping" not in ingress.logged():  # noqa: ASYNC110 -- a log tells no one
        await asyncio.sleep(0.005)
    answers = await phases.finish()
    code = await asyncio.to_thread(ingress.popen.wait, _SHUTDOWN_S + 20)
    await traffic.stop()
    return answers, code, time.monotonic() - began


async def _event_ids(running: system.System) -> set[str]:
    """Return the ids of all events that Kafka holds."""
    kafka, found = running.settings.kafka, set()
    span = readers.ReadRange.UNTIL_END
    events = readers.follow(kafka, [kafka.topic("events")], span)
    async with contextlib.aclosing(events):
        async for each in events:
            found |= {v.decode() for k, v in each.record.headers if k == "ce_id"}
    return found


def _acknowledged(answers: list[load_client.Answer]) -> set[str]:
    return {
        orjson.loads(each.body)["event_id"] for each in answers if each.status == 200
    }


@pytest.mark.parametrize("kafka_is_there", [True, False], ids=["", "without Kafka"])
async def test_sigterm_under_load_loses_nobody(
    cluster: broker.Cluster,
    topic_prefix: str,
    tmp_path: pathlib.Path,
    monkeypatch: pytest.MonkeyPatch,
    *,
    kafka_is_there: bool,
) -> None:
    """No request is left without an answer, no 200 without its event; exit 0."""
    monkeypatch.setenv("KYC_INGRESS__SHUTDOWN_TIMEOUT", f"{_SHUTDOWN_S:.0f}s")
    # Without Kafka it is waited out; with it, a crowded broker may take a second.
    ack = "5s" if kafka_is_there else "1s"
    monkeypatch.setenv("KYC_INGRESS__ACK_TIMEOUT", ack)
    servers = cluster.bootstrap_servers
    async with system.System(servers, topic_prefix, tmp_path) as running:
        ingress = running.start("ingress")
        await running.ready(ingress)
        traffic = load_client.Hammer(ingress.port, load_client.payload(running))
        warm = await traffic.once(1)
        if not kafka_is_there:
            cluster.nodes[0].suspend()
        answers, code, seconds = await _drained(ingress, traffic)
        if not kafka_is_there:
            cluster.nodes[0].thaw()
        known = await _event_ids(running)

    load_client.log_of(
        {"drained s": seconds, "answers": len(traffic.answers)}, tmp_path
    )
    expected = 200 if kafka_is_there else 503
    assert {name: [expected] * _EACH for name in answers} == {
        name: [each.status if each else None for each in found]
        for name, found in answers.items()
    }
    assert {expected} == {each.status for each in traffic.answers}
    assert load_client.Lost.RESET not in traffic.lost
    assert code == 0
    assert seconds < _SHUTDOWN_S
    result = [*warm, *traffic.answers]
    for found in answers.values():
        result += [each for each in found if each]
    assert _acknowledged(result) <= known
    assert "Traceback" not in ingress.logged()
