"""The one broker of all tests of a secured cluster, and what they do to it."""

import pathlib
import uuid
from collections.abc import Callable, Iterator

import pytest

from tests.support import secured_broker

Become = Callable[[str], None]
_HERE = pathlib.Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Forgive the client that reads for the tests its sockets, here alone."""
    # aiokafka 0.14 leaves one open where a broker goes away in a TLS handshake, and
    # which test is running when it is collected, nobody knows.
    leaks = "ignore:Exception ignored in:pytest.PytestUnraisableExceptionWarning"
    for item in items:
        if _HERE in item.path.parents:
            item.add_marker(pytest.mark.filterwarnings(leaks))


@pytest.fixture(scope="package")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[secured_broker.Secured]:
    """Yield a broker that lets nobody do anything that was not granted."""
    with secured_broker.Secured(tmp_path_factory.mktemp("secured")) as started:
        yield started


@pytest.fixture
def topic_prefix() -> str:
    """Return a prefix no other test has; its topics end with the broker."""
    return f"t{uuid.uuid4().hex[:10]}"


@pytest.fixture
def become(kafka: secured_broker.Secured, monkeypatch: pytest.MonkeyPatch) -> Become:
    """Return what lets the processes that start from now on log in as a user."""

    def as_user(user: str) -> None:
        for name, value in kafka.environment(user).items():
            monkeypatch.setenv(name, value)

    return as_user
