"""The one broker of all tests of an ingress under fire, and what ingresses do there."""

import uuid
from collections.abc import Iterator

import pytest

from tests.support import transport
from worker import broker


@pytest.fixture(scope="package")
def cluster() -> Iterator[broker.Cluster]:
    """Yield a broker that may be hurt: no worker, so no transaction hangs."""
    started = broker.Cluster(properties=transport.QUICK_RETURN)
    started.start_sync()
    yield started
    started.stop_sync()


@pytest.fixture
def topic_prefix() -> str:
    """Return a prefix no other test has; its topics end with the broker."""
    return f"t{uuid.uuid4().hex[:10]}"
