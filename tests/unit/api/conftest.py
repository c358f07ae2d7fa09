"""Fixtures of the api's tests."""

from collections.abc import AsyncIterator

import aiohttp
import pytest

from tests.support import clock
from tests.unit.api import kit
from worker import api


@pytest.fixture
async def desk() -> AsyncIterator[kit.Desk]:
    """Yield an api over HTTP, with two sources: ``ours`` chooses its own numbers."""
    now = clock.ManualClock()
    kafka, observer, beginner = kit.Kafka(now), kit.Telemetry(), kit.SessionStarter()
    sources = {
        "one": kit.source("one", beginner),
        "two": kit.source("two", beginner),
        "ours": kit.source("ours", kit.SessionStarter(foretells=True)),
    }
    debts = api.PendingWrites()
    service = api.Service(
        log=kafka,
        sink=kafka,
        debts=debts,
        begin_ids=api.BeginIds(kit.SECRETS),
        given=api.ReturnUrls(
            kit.TICKETS, public_url=kit.PUBLIC_URL, ttl_ms=86_400_000, clock=now
        ),
        observer=observer,
        clock=now,
        times=kit.TIMES,
    )
    recovery = api.Recovery(
        sources,
        log=kafka,
        sink=kafka,
        history=kafka,
        debts=debts,
        observer=observer,
        clock=now,
        times=kit.TIMES,
        interval_ms=60_000,
        retention_ms=7 * 86_400_000,
    )
    server = api.Api(
        sources,
        service,
        known=kit.keys(),
        observer=observer,
        clock=now,
        limits=api.Limits(max_body_bytes=2000, read_timeout_s=0.5),
    )
    port = await server.start("127.0.0.1", 0)
    async with aiohttp.ClientSession(trust_env=False) as client:
        yield kit.Desk(
            clock=now,
            kafka=kafka,
            observer=observer,
            beginner=beginner,
            sources=sources,
            service=service,
            recovery=recovery,
            debts=debts,
            client=client,
            url=f"http://127.0.0.1:{port}",
        )
    await server.drain(1)
