"""The one broker of all tests of an ingress under fire, and what ingresses do there."""

import asyncio
import contextlib
import uuid
from collections.abc import Iterator

import pytest

from tests.support import transport
from worker import errors
from worker.devkit import broker
from worker.kafka import topics


@pytest.fixture(scope="package", name="_started")
def _cluster() -> Iterator[broker.Cluster]:
    """Yield a broker that may be hurt: no worker, so no transaction hangs."""
    started = broker.Cluster(properties=transport.QUICK_RETURN)
    started.start_sync()
    yield started
    started.stop_sync()


@pytest.fixture(name="cluster")
async def _recovered(_started: broker.Cluster, topic_prefix: str) -> broker.Cluster:
    """Return that broker once it has got over what the last test did to it."""
    config = transport.kafka(_started.bootstrap_servers, f"{topic_prefix}.probe")
    async with asyncio.timeout(60):
        while True:
            # One that is taken for dead still answers, and makes no topic.
            with contextlib.suppress(errors.TransportError):
                await topics.create(config)
                return _started
            await asyncio.sleep(0.2)


@pytest.fixture
def topic_prefix() -> str:
    """Return a prefix no other test has; its topics end with the broker."""
    return f"t{uuid.uuid4().hex[:10]}"
