"""What the tests on a real broker share: their marker, time limit and tidiness."""

import asyncio
import concurrent.futures
import pathlib
from collections.abc import AsyncIterator, Iterator

import pytest

from tests.support import markers, transport
from worker import settings
from worker.kafka import ledger_partition, topics

_TIMEOUT_S = 180


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test of this folder, and give it time unless it asks for its own."""
    markers.on_kafka(items, pathlib.Path(__file__).parent, _TIMEOUT_S)


@pytest.fixture
def topic_prefix(topic_prefix: str, kafka: str) -> Iterator[str]:
    """Yield a prefix no other test has; its topics are deleted after the test."""
    yield topic_prefix
    # In a thread, because this one may belong to the event loop of the test.
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        deletion = transport.delete_topics(kafka, topic_prefix)
        pool.submit(asyncio.run, deletion).result()


@pytest.fixture(name="config")
async def _config(kafka: str, topic_prefix: str) -> settings.Kafka:
    """Return the configuration of topics that are there."""
    config = transport.kafka(kafka, topic_prefix)
    await topics.create(config)
    return config


@pytest.fixture(name="logs")
async def _logs() -> AsyncIterator[list[ledger_partition.LedgerPartition]]:
    """Discard what a test has opened."""
    opened: list[ledger_partition.LedgerPartition] = []
    yield opened
    for log in opened:
        await log.discard()
