"""Publish commands to the event topic, many at once, with a progress bar."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterable

import rich.console
import rich.progress
import structlog

from worker import clock as clocks
from worker import model, settings
from worker.cli import _common
from worker.kafka import connectivity, event_producer
from worker.telemetry import logs

_AT_ONCE = 256


@contextlib.asynccontextmanager
async def sink(
    config: settings.Settings,
) -> AsyncIterator[event_producer.EventProducer]:
    """Yield a producer that is connected; waits for Kafka."""
    logs.configure(console=_common.configure_console_logs())
    clock, log = clocks.SystemClock(), structlog.get_logger()
    await connectivity.wait_for_kafka(config.kafka, clock, log)
    publisher = event_producer.EventProducer(
        config.kafka, clock, log, ack_timeout_ms=config.ingress.ack_timeout
    )
    publisher.start()
    try:
        yield publisher
    finally:
        await publisher.close(config.ingress.ack_timeout / 1000)


async def publish_all(
    publisher: event_producer.EventProducer,
    events: Iterable[model.Event],
    total: int | None,
) -> int:
    """Publish *events*, a few hundred at a time; return how many were acknowledged."""
    done = 0
    console = rich.console.Console(stderr=True)
    with rich.progress.Progress(
        console=console, disable=not console.is_terminal
    ) as progress:
        task = progress.add_task("publishing", total=total)
        group: list[model.Event] = []
        for event in events:
            group.append(event)
            if len(group) == _AT_ONCE:
                await asyncio.gather(*map(publisher.publish, group))
                done += len(group)
                progress.update(task, completed=done)
                group = []
        await asyncio.gather(*map(publisher.publish, group))
        done += len(group)
        progress.update(task, completed=done)
    return done
