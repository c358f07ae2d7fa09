"""What the tests of faults share: their marker, their time limits, and tidiness."""

import asyncio
import concurrent.futures
import pathlib
from collections.abc import Iterator

import pytest

from tests.support import kafka_timeouts as profiles
from tests.support import markers, three_brokers, transport
from worker.devkit import broker

_TIMEOUT_S, _FULL_TIMEOUT_S = 300, 900


def pytest_collection_modifyitems(
    config: pytest.Config, items: list[pytest.Item]
) -> None:
    """Mark every test of this folder, and give it the time of its length."""
    full = config.getoption("--full-length")
    timeout_s = _FULL_TIMEOUT_S if full else _TIMEOUT_S
    markers.on_kafka(items, pathlib.Path(__file__).parent, timeout_s)


@pytest.fixture
def topic_prefix(topic_prefix: str, kafka: str) -> Iterator[str]:
    """Yield a prefix no other test has; its topics are deleted after the test."""
    yield topic_prefix
    # In a thread, because this one may belong to the event loop of the test.
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        deletion = transport.delete_topics(kafka, topic_prefix)
        pool.submit(asyncio.run, deletion).result()


@pytest.fixture(scope="session")
def trio(times: profiles.Times) -> Iterator[broker.Cluster]:
    """Yield three brokers; whoever hurts one heals it again."""
    cluster = three_brokers.cluster(times)
    cluster.start_sync()
    yield cluster
    cluster.stop_sync()
