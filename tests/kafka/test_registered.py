"""Sessions that the company registered: lost callbacks, abandoned ones, strangers."""

import asyncio
import contextlib
import pathlib
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable

import aiohttp
import structlog

from tests.support import system
from worker import clock as clocks
from worker import model
from worker.devkit import simulators
from worker.kafka import event_producer

#: Deadlines and holds of a second or two, on top of the tests' usual times.
_QUICK = """
session_deadline = "2s"
registration_grace = "1s"
overdue = { attempts = 2 }
"""
_TRIES = 300


@contextlib.asynccontextmanager
async def _running(
    kafka: str, prefix: str, folder: pathlib.Path
) -> AsyncIterator[system.System]:
    """Run an ingress and a worker; id beyond's source knows its sessions."""
    async with system.System(
        kafka, prefix, folder, partitions=3, sources_more=_QUICK
    ) as running:
        text = running.config.read_text().replace(
            "[sources.idbeyond]", "[sources.idbeyond]\nregistered_sessions_only = true"
        )
        running.config.write_text(text)
        for kind in ("ingress", "worker"):
            await running.ready(running.start(kind))
        yield running


async def _register(running: system.System, source: str, session_id: str) -> None:
    """Publish that the company began the session."""
    clock = clocks.SystemClock()
    sink = event_producer.EventProducer(
        running.settings.kafka, clock, structlog.get_logger(), ack_timeout_ms=5_000
    )
    sink.start()
    try:
        await sink.publish(
            model.Event(
                event_id=str(uuid.uuid4()),
                type=model.EventType.SESSION_REGISTERED,
                environment=model.Environment.TEST,
                source=source,
                provider=source,
                session_id=session_id,
                provider_session_id=session_id,
                received_at=clock.now_ms(),
                reference="customer-42",
            )
        )
    finally:
        await sink.close(5)


async def _eventually(found: Callable[[], Awaitable[bool]]) -> None:
    for _ in range(_TRIES):
        if await found():
            return
        await asyncio.sleep(0.1)
    raise AssertionError("it never came")


async def _decision(
    running: system.System, source: str, session_id: str
) -> dict[str, object]:
    """Return the session's final decision, once there is one."""
    found: list[dict[str, object]] = []

    async def final() -> bool:
        histories = await running.decisions()
        found[:] = histories.get((source, session_id), [])
        return bool(found) and found[-1]["final"] is True

    await _eventually(final)
    return found[-1]


async def _metrics(running: system.System) -> str:
    """Return what the worker exports."""
    (worker,) = [each for each in running.processes if each.kind == "worker"]
    url = f"http://127.0.0.1:{worker.admin_port}/metrics"
    async with aiohttp.ClientSession() as client, client.get(url) as response:
        return await response.text()


def _reached(source: str, step: str) -> str:
    return f'kyc_session_milestones_total{{milestone="{step}",source="{source}"}} 1.0'


async def test_a_registered_session_is_found_without_its_callback(
    kafka: str, topic_prefix: str, tmp_path: pathlib.Path
) -> None:
    """What called back never is polled: to its final, or to "not completed"."""
    async with _running(kafka, topic_prefix, tmp_path) as running:
        ended = running.simulators["biometric"].add(simulators.Scenario())
        left = running.simulators["identomat"].add(simulators.Scenario())
        held = running.simulators["identomat"].held(left)
        held.standing = simulators.Standing.ABANDONED
        await _register(running, "biometric", ended)
        await _register(running, "identomat", left)
        found = await _decision(running, "biometric", ended)
        given_up = await _decision(running, "identomat", left)
        exported = await _metrics(running)

    assert (found["outcome"], found["cause"]["type"]) == ("approved", "poll")  # type: ignore[index]  # -- a document
    assert found["reference"] == given_up["reference"] == "customer-42"
    assert (given_up["outcome"], given_up["reason"]) == ("rejected", "not_completed")
    assert given_up["retryable"] is True
    assert _reached("biometric", "registered") in exported
    assert _reached("biometric", "callbacks_missed") in exported
    assert _reached("identomat", "not_completed") in exported


async def test_only_known_sessions_are_decided_where_that_is_asked_for(
    kafka: str, topic_prefix: str, tmp_path: pathlib.Path
) -> None:
    """A signed verdict waits for its registration; a stranger's decides nothing."""
    async with _running(kafka, topic_prefix, tmp_path) as running:
        simulator = running.simulators["idbeyond"]
        driver = system.Driver([running.processes[0]])
        stranger = simulator.add(simulators.Scenario(), reference="somebody-else")
        await driver.send(simulator.callbacks(stranger))

        async def ended() -> bool:
            unknown = 'kyc_session_events_total{kind="unknown",source="idbeyond"} 1.0'
            return unknown in await _metrics(running)

        await _eventually(ended)
        known = simulator.add(simulators.Scenario(), reference="customer-42")
        await driver.send(simulator.callbacks(known))
        await _register(running, "idbeyond", known)
        decision = await _decision(running, "idbeyond", known)
        result = await running.decisions()
        exported = await _metrics(running)

    assert (decision["outcome"], decision["reference"]) == ("approved", "customer-42")
    assert decision["received_at"] is not None
    assert [("idbeyond", known)] == list(result)
    assert _reached("idbeyond", "called_back") in exported
