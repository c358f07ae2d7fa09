"""What the tests of faults share: their marker, their time limits, and tidiness."""

import asyncio
import concurrent.futures
import pathlib
from collections.abc import Iterator

import pytest

from tests.support import three, transport
from tests.support import times as profiles
from worker import broker

_HERE = pathlib.Path(__file__).parent
_TIMEOUT_S, _FULL_TIMEOUT_S = 120, 900


def pytest_collection_modifyitems(
    config: pytest.Config, items: list[pytest.Item]
) -> None:
    """Mark every test of this folder, and give it the time of its length."""
    full = config.getoption("--full-length")
    for item in items:
        if _HERE not in item.path.parents:
            continue
        item.add_marker(pytest.mark.kafka)
        if full:
            # In front: it counts, whatever the test asks for in the suite.
            item.add_marker(pytest.mark.timeout(_FULL_TIMEOUT_S), append=False)
        elif item.get_closest_marker("timeout") is None:
            item.add_marker(pytest.mark.timeout(_TIMEOUT_S))


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
    cluster = three.cluster(times)
    cluster.start_sync()
    yield cluster
    cluster.stop_sync()
